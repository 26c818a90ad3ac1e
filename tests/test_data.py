"""Sources, quantisation and the pipeline."""

import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp


def collect(batches):
    return np.concatenate([np.asarray(batch) for batch in batches])


def test_digits():
    data = kp.data.load("digits")
    assert data.sizes == {"train": 1257, "validation": 180, "test": 360}
    assert (data.image_shape, data.levels, data.num_classes) == ((8, 8, 1), 17, 10)
    parts = {split: collect(data.evaluation(split, 64)) for split in data.sizes}
    assert {split: len(part) for split, part in parts.items()} == data.sizes
    assert max(part.max() for part in parts.values()) == 16
    everything = np.concatenate(list(parts.values()))
    order = np.random.RandomState(0).permutation(1797)  # the split that DIGITS.md writes down
    stored = np.empty_like(everything)
    stored[np.concatenate([order[540:], order[360:540], order[:360]])] = everything
    np.testing.assert_array_equal(stored[0, 0, :, 0], [0, 0, 5, 13, 9, 1, 0, 0])


def numbered(n=50):
    """Images that carry their own number."""
    return np.broadcast_to(np.arange(n)[:, None, None, None], (n, 2, 3, 1)).astype(np.uint8)


def test_evaluation_drops_nothing_and_keeps_the_order():
    data = kp.data.load(numbered())
    assert data.sizes == {"train": 40, "validation": 5, "test": 5}
    batches = list(data.evaluation("test", 2))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert collect(batches)[:, 0, 0, 0].tolist() == [45, 46, 47, 48, 49]


def test_training_sees_all_images_shuffled_and_resumes_where_it_was():
    data = kp.data.load(numbered())
    assert data.steps_per_epoch(8) == 5
    two_epochs = [np.asarray(batch)[:, 0, 0, 0] for batch in data.training(8, seed=3).take(10)]
    first, second = np.concatenate(two_epochs[:5]), np.concatenate(two_epochs[5:])
    assert sorted(first) == sorted(second) == list(range(40))
    assert first.tolist() != second.tolist() != sorted(second)
    resumed = [
        np.asarray(batch)[:, 0, 0, 0] for batch in data.training(8, seed=3, first_epoch=1).take(5)
    ]
    np.testing.assert_array_equal(np.concatenate(resumed), second)
    other = np.asarray(next(iter(data.training(8, seed=4))))[:, 0, 0, 0]
    assert other.tolist() != two_epochs[0].tolist()


def test_quantisation():
    ramp = np.arange(256, dtype=np.uint8).reshape(-1, 1, 1, 1)
    data = kp.data.load({"train": ramp, "validation": ramp, "test": ramp}, levels=16)
    found = collect(data.evaluation("test", 100))[:, 0, 0, 0]
    np.testing.assert_array_equal(found, np.arange(256) // 16)
    assert "16 levels" in data.protocol


def test_binarizations():
    grey = np.full((20, 30, 30, 1), 64, np.uint8)
    threshold = kp.data.load(grey, levels=2, binarization="threshold")
    assert collect(threshold.evaluation("test", 2)).max() == 0
    dynamic = kp.data.load(grey, levels=2, binarization="dynamic")
    test = collect(dynamic.evaluation("test", 2))
    assert abs(test.mean() - 64 / 255) < 0.05
    np.testing.assert_array_equal(test, collect(dynamic.evaluation("test", 2)))
    epochs = [np.asarray(batch) for batch in dynamic.training(16).take(2)]
    assert (epochs[0] != epochs[1]).any()
    assert "dynamic binarization" in dynamic.protocol


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"levels": 2}, r"\('dynamic', 'threshold'\)"),
        ({"levels": 2, "binarization": "static"}, "Received: binarization='static'"),
        ({"levels": 1}, "Received: levels=1"),
        ({"levels": 300}, "Received: levels=300"),
        ({"binarization": "dynamic"}, "goes with levels=2"),
    ],
)
def test_bad_levels(options, words):
    with pytest.raises(ValueError, match=words):
        kp.data.load(numbered(), **options)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((50, 2, 3)), "shape"),
        (np.zeros((50, 2, 3, 1), np.float32), "float32"),
        (np.full((50, 2, 3, 1), 256), "dtype int64"),
        (numbered(2), "validation split is empty.*Received: 1 train, 0 validation, 1 test"),
        ({"train": numbered(2)}, "validation split is empty.*Received: 2 train"),
        ({"test": numbered()}, "needs the keys"),
        ({"train": numbered(), "dev": numbered()}, "needs the keys"),
    ],
)
def test_bad_arrays(images, words):
    with pytest.raises(ValueError, match=words):
        kp.data.load(images)


@pytest.mark.parametrize("count", [3, 4, 5, 6, 9, 11])
def test_a_few_images_make_three_splits(count):
    for source in (numbered(count), {"train": numbered(count)}):
        sizes = kp.data.load(source).sizes
        assert sum(sizes.values()) == count
        assert min(sizes.values()) >= 1
        assert sizes["train"] == max(sizes.values())


@pytest.fixture
def picture_folder(tmp_path):
    for n in range(10):
        pixels = np.zeros((20, 40, 3), np.uint8)
        pixels[:, 10:30] = [200, n, 50]
        name = f"picture_{n}.{'png' if n % 2 else 'jpg'}"
        Image.fromarray(pixels).save(tmp_path / name, quality=95)
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_folder(picture_folder):
    data = kp.data.load(picture_folder, image_size=5)
    assert data.image_shape == (5, 5, 3)
    assert data.sizes == {"train": 8, "validation": 1, "test": 1}
    images = collect(data.evaluation("train", 3)).astype(int)
    assert (abs(images[..., 0] - 200) < 15).all(), "the centre square is cut out"
    assert kp.data.load(picture_folder, image_size=(4, 6), channels=1).image_shape == (4, 6, 1)


def test_folder_with_its_own_splits(picture_folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("splits")
    files = sorted(picture_folder.glob("picture*"))
    for split, part in {"train": files[:6], "validation": files[6:8], "test": files[8:]}.items():
        (root / split).mkdir()
        for file in part:
            file.rename(root / split / file.name)
    assert kp.data.load(root, image_size=4).sizes == {"train": 6, "validation": 2, "test": 2}


def test_an_unreadable_picture_is_named(picture_folder):
    broken = picture_folder / "picture_3.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"Cannot read the image .*picture_3\.png"):
        kp.data.load(picture_folder, image_size=5)


def test_folder_needs_a_size_and_pictures(picture_folder, tmp_path_factory):
    with pytest.raises(ValueError, match="image_size"):
        kp.data.load(picture_folder)
    with pytest.raises(ValueError, match="Received: 0 files"):
        kp.data.load(tmp_path_factory.mktemp("empty"), image_size=4)


def test_bad_batch_size_and_split():
    data = kp.data.load(numbered())
    with pytest.raises(ValueError, match="Received: batch_size=41"):
        data.training(41)
    with pytest.raises(ValueError, match=r"`split` must be one of.*'dev'"):
        data.evaluation("dev", 2)
