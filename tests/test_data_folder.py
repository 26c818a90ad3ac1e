"""Folders of image files: splits, classes, and what cannot be read as it is."""

import itertools
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp
from tests.image_files import collect, fill, numbers


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "Val"])
def test_splits_are_never_pooled(tmp_path, validation):
    for split, first, count in [("train", 0, 6), (validation, 10, 2), ("test", 20, 3)]:
        fill(tmp_path / split, count, first)
    data = kp.data.load(tmp_path, image_size=4, channels=1)
    assert numbers(data, "train") == list(range(6))
    assert numbers(data, "validation") == [10, 11]
    assert numbers(data, "test") == [20, 21, 22]
    assert data.num_classes == 0


@pytest.mark.parametrize("missing", [["val"], ["test"], ["val", "test"]])
def test_missing_splits_come_from_train(tmp_path, missing):
    fill(tmp_path / "train", 20)
    for split in {"val", "test"} - set(missing):
        fill(tmp_path / split, 2, 100)
    data = kp.data.load(tmp_path, image_size=4, channels=1)
    held = [split for split in ("validation", "test") if split[:3] in [m[:3] for m in missing]]
    parts = [numbers(data, split) for split in ("train", *held)]
    assert sorted(itertools.chain(*parts)) == list(range(20))
    assert [len(part) for part in parts[1:]] == [2] * len(held)
    assert f"{' and '.join(held)} from train" in data.protocol


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (["test", "val"], "holds train"),
        (["train", "test", "extra"], "extra"),
        (["train", "val", "validation", "test"], "Two folders for one split"),
        (["train", "test", "."], "000.png"),
        (["train/cat", "train/dog", "test/cat", "test/emu"], "Received: emu"),
        (["images/train", "images/val"], "splits lie right in the folder.*images with train, val"),
        (["cat/Test", "cat/train", "dog/train", "dog/test"], "splits lie right in the folder"),
        (["train_images", "test_images"], "called train, val and test.*test_images, train_images"),
        (["cats-train", "cats-valid"], "called train, val and test"),
        (["train/a/train", "train/a/test", "test"], "splits lie right in the folder"),
        (["trainA", "trainB", "testA", "testB"], "called train, val and test"),
        (["TrainSet", "TestSet"], "called train, val and test"),
        (["xtrain", "xval"], "called train, val and test"),
        (["images", "masks"], "what is marked in them.*images, masks"),
        (["imagesTr", "labelsTr"], "what is marked in them"),
        (["image", "label_images"], "what is marked in them"),
        (["original", "segmentation_masks"], "what is marked in them"),
        (["train/images", "train/labels", "test/images"], "what is marked in them"),
        (["train/images", "train/labels", "test"], "what is marked in them.*images, labels"),
    ],
)
def test_unclear_splits_are_refused(tmp_path, folders, words):
    for name in folders:
        fill(tmp_path / name, 12)
    with pytest.raises(ValueError, match=words):
        kp.data.load(tmp_path, image_size=4)


def test_class_folders_are_labels(tmp_path):
    for n, name in enumerate(("zebra", "ant", "bee/deep/deeper")):
        fill(tmp_path / name, 10, 10 * n)
    fill(tmp_path / ".ipynb_checkpoints", 3, 100)
    fill(tmp_path / "ant" / ".ipynb_checkpoints", 3, 100)
    for name in ("__MACOSX", "$Recycle.Bin", "#recycle", "@Recently-Snapshot", "__pycache__"):
        fill(tmp_path / name, 3, 100)
    (tmp_path / "ant" / "._010.png").write_bytes(b"resource fork")
    (tmp_path / "ant" / "Thumbs.db").write_bytes(b"thumbs")
    (tmp_path / "again").symlink_to(tmp_path / "ant")
    (tmp_path / "bee" / "loop").symlink_to(tmp_path)
    (tmp_path / "again").unlink()
    data = kp.data.load(tmp_path, image_size=4, channels=1)
    assert (data.class_names, sum(data.sizes.values())) == (("ant", "bee", "zebra"), 30)
    assert "3 classes" in data.protocol
    for split in data.sizes:
        for images, labels in data.evaluation(split, 4, labels=True):
            tens = np.asarray(images)[:, 0, 0, 0] // 10
            np.testing.assert_array_equal(np.array([2, 0, 1])[tens], labels)


def test_a_folder_reached_twice_counts_once(tmp_path):
    fill(tmp_path / "a", 5)
    fill(tmp_path / "b", 5, 5)
    (tmp_path / "c").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert sum(kp.data.load(tmp_path, image_size=4).sizes.values()) == 10


def test_loose_images_beside_folders_make_no_classes(tmp_path):
    for name in ("a", "b", "."):
        fill(tmp_path / name, 4)
    data = kp.data.load(tmp_path, image_size=4)
    assert (data.num_classes, sum(data.sizes.values())) == (0, 12)


def test_pictures_that_are_not_read_are_counted(tmp_path):
    fill(tmp_path, 12)
    (tmp_path / "b").mkdir()
    for name in ("a.heic", "b/b.AVIF", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.warns(UserWarning, match=r"2 files are left out, a\.heic"):
        assert sum(kp.data.load(tmp_path, image_size=4).sizes.values()) == 12


def broken(tmp_path, kind):
    path = tmp_path / "bad.png"
    if kind == "cut":
        noise = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:500])
    elif kind == "text":
        path.write_text("this is no picture")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "bomb":
        Image.fromarray(np.zeros((40, 40), np.uint8)).save(path)
        data = path.read_bytes()
        header = b"IHDR" + struct.pack(">II", 60_000, 60_000) + data[24:29]
        path.write_bytes(data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])
    elif kind == "frames":
        path = tmp_path / "bad.tif"
        pages = [Image.fromarray(np.full((6, 8), n, np.uint8)) for n in range(3)]
        pages[0].save(path, save_all=True, append_images=pages[1:])
    elif kind == "gif":
        path = tmp_path / "bad.gif"
        Image.new("L", (6, 8)).save(path, save_all=True, append_images=[Image.new("L", (6, 8), 9)])
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "gone.png")
    return path


@pytest.mark.parametrize("kind", ["cut", "text", "empty", "bomb", "frames", "gif", "pipe", "link"])
def test_files_that_hold_no_image(tmp_path, kind):
    fill(tmp_path, 20)
    path = broken(tmp_path, kind)
    with pytest.raises(ValueError, match=rf"{path.name}.*Received"):
        kp.data.load(tmp_path, image_size=4, channels=1)
    with pytest.warns(UserWarning, match=rf"1 of 21 files are left out.*{path.name}"):
        data = kp.data.load(tmp_path, image_size=4, channels=1, on_error="skip")
    assert sorted(itertools.chain(*(numbers(data, split) for split in data.sizes))) == list(
        range(20)
    )
    assert "1 unreadable files left out" in data.protocol


def test_a_broken_file_met_in_training_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_pixelrnn.data.folder.ALL_AT_ONCE", 0)
    fill(tmp_path, 40)
    (tmp_path / "007.png").write_bytes((tmp_path / "007.png").read_bytes()[:45])
    data = kp.data.load(tmp_path, image_size=4)
    with pytest.raises(Exception, match=r"Cannot read the image .*007\.png"):
        [collect(data.evaluation(split, 4)) for split in data.sizes]


@pytest.mark.parametrize("cache", ["auto", "memory", "disk", None])
def test_caches_change_nothing(tmp_path, cache, monkeypatch):
    monkeypatch.setattr("keras_pixelrnn.data.folder.ALL_AT_ONCE", 0)
    for n, name in enumerate("ab"):
        fill(tmp_path / name, 20, 20 * n)
    data = kp.data.load(tmp_path, image_size=4, channels=1, cache=cache)
    batches = list(data.training(8, labels=True).take(8))
    images = np.concatenate([np.asarray(images)[:, 0, 0, 0] for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    np.testing.assert_array_equal(images // 20, labels)
    assert sorted(images[:32]) == sorted(images[32:]) == numbers(data, "train")


@pytest.mark.parametrize("levels", [2, 9])
def test_files_of_codes_are_not_taken_for_dark_ones(tmp_path, levels):
    """0 .. 8 with levels=9 became 0, and 0 and 1 with a threshold."""
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, levels, (4, 4)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    options = {"image_size": 4, "channels": 1, "levels": levels}
    options |= {"binarization": "threshold"} if levels == 2 else {}
    with pytest.raises(ValueError, match=f"(?s)already be 0 .. {levels - 1}.*values=.codes."):
        kp.data.load(tmp_path, **options)
    said = kp.data.load(tmp_path, values="intensities", **options)
    packed = kp.data.load(kp.data.pack(said, tmp_path / "packed.npz"))  # which knows it
    assert said.values == packed.values
    assert kp.data.load(tmp_path, image_size=4).levels == 256
    with pytest.raises(ValueError, match="already be 0"):  # where files are read later, too
        kp.data.load(tmp_path, cache=None, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cache": "ram"}, "cache='ram'"),
        ({"on_error": "ignore"}, "on_error='ignore'"),
        ({"background": "nocolour"}, "background='nocolour'"),
        ({"background": (1, 2)}, "background=.1, 2."),
        ({"background": {200, 10, 30}}, "background={"),
        ({"image_size": 0}, "image_size=0"),
        ({"image_size": (4, 4, 3)}, "image_size="),
        ({"channels": 2}, "channels=2"),
    ],
)
def test_bad_options(tmp_path, options, words):
    fill(tmp_path, 5)
    with pytest.raises(ValueError, match=words):
        kp.data.load(tmp_path, **{"image_size": 4, **options})


@pytest.mark.parametrize(
    "name", ["./no/such", "/no/such", "~/no_such_folder", "no_such.npz", "gs://bucket/images"]
)
def test_missing_paths(name):
    with pytest.raises(ValueError, match=r"no such folder|Only local folders"):
        kp.data.load(name)


def test_home_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path / "pictures", 20)
    assert kp.data.load("~/pictures", image_size=4).sizes["train"] == 16
    (tmp_path / "a.txt").write_text("no")
    with pytest.raises(ValueError, match="Expected a folder of images, or a file of arrays"):
        kp.data.load("~/a.txt")
