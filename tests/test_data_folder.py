"""Folders of image files: splits, classes, formats, and what cannot be read as it is."""

import itertools
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

import keras_pixelrnn as kp
from keras_pixelrnn.data import reading
from keras_pixelrnn.data.reading import Reader

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)


def collect(batches):
    return np.concatenate([np.asarray(batch) for batch in batches])


def everything(data):
    return np.concatenate([collect(data.evaluation(split, 7)) for split in data.sizes])


def fill(folder, count=1, first=0):
    """`count` tiny pictures, each of one value of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(first, first + count):
        Image.fromarray(np.full((4, 4), n, np.uint8)).save(folder / f"{n:03}.png")


def numbers(data, split):
    return sorted(collect(data.evaluation(split, 9))[:, 0, 0, 0].tolist())


def load_one(image, tmp_path, name="a.png", save=None, **options):
    """The one image of a folder that holds it in every split."""
    for split in ("train", "val", "test"):
        (tmp_path / split).mkdir(exist_ok=True)
        path = tmp_path / split / name
        image(path) if callable(image) else image.save(path, **(save or {}))
    options = {"image_size": (6, 8), **options}
    found = everything(kp.data.load(tmp_path, **options))
    np.testing.assert_array_equal(found[0], found[2])
    return found[0]


def png(pixels, path):
    """Write a PNG of 16 bits: Pillow cannot write those in colour."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]

    def chunk(name, data):
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + data)


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
    fill(tmp_path / "__MACOSX", 3, 100)
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


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "ppm"])
def test_lossless_formats(tmp_path, suffix):
    save = {"lossless": True} if suffix == "webp" else {}
    found = load_one(Image.fromarray(COLOUR), tmp_path, f"a.{suffix}", save)
    np.testing.assert_array_equal(found, COLOUR)


def test_grey_palette_and_bits(tmp_path):
    grey = Image.fromarray(GREY)
    np.testing.assert_array_equal(load_one(grey, tmp_path, channels=1)[..., 0], GREY)
    np.testing.assert_array_equal(load_one(grey, tmp_path, channels=3)[..., 2], GREY)
    palette = Image.fromarray(COLOUR).quantize(48, dither=Image.Dither.NONE)
    want = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(load_one(palette, tmp_path), want)
    bits = load_one(Image.fromarray(GREY > 100), tmp_path, channels=1)
    np.testing.assert_array_equal(bits[..., 0], np.where(GREY > 100, 255, 0))


def test_codes_in_files(tmp_path):
    palette = Image.fromarray(GREY % 7)
    palette.putpalette([255, 0, 0, 0, 255, 0] * 8)
    said = {"values": "codes", "levels": 7, "channels": 1}
    np.testing.assert_array_equal(load_one(palette, tmp_path, **said)[..., 0], GREY % 7)
    with pytest.raises(ValueError, match="cannot be resized"):
        load_one(palette, tmp_path, image_size=3, **said)
    with pytest.raises(ValueError, match=r"Codes must lie in 0 .. 4"):
        load_one(palette, tmp_path, values="codes", levels=5, channels=1)
    deep = Image.fromarray(GREY.astype(np.uint16) * 10)
    said = {"values": "codes", "levels": 4096, "channels": 1}
    found = load_one(deep, tmp_path, **said)
    np.testing.assert_array_equal(found[..., 0], GREY.astype(int) * 10)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16, 48])
def test_exif_turns(tmp_path, orientation, bits):
    exif = Image.Exif()
    exif[0x0112] = orientation
    if bits == 8:
        image = Image.fromarray(COLOUR)
        image.save(tmp_path / "a.png", exif=exif)
        want = COLOUR
    elif bits == 16:
        want = GREY.astype(np.uint16)[..., None] * 200
        Image.fromarray(want[..., 0]).save(tmp_path / "a.tif", exif=exif)
    else:
        imagecodecs = pytest.importorskip("imagecodecs")
        want = COLOUR.astype(np.uint16) * 200
        data = imagecodecs.png_encode(want)
        tiff = (
            b"Exif\0\0" + exif.tobytes()
            if not exif.tobytes().startswith(b"Exif")
            else exif.tobytes()
        )
        body = tiff.removeprefix(b"Exif\0\0")
        chunk = b"eXIf" + body
        whole = struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk))
        (tmp_path / "a.png").write_bytes(data[:33] + whole + data[33:])
    turned = {
        1: want,
        2: want[:, ::-1],
        3: want[::-1, ::-1],
        4: want[::-1],
        5: want.swapaxes(0, 1),
        6: want.swapaxes(0, 1)[:, ::-1],
        7: want.swapaxes(0, 1)[::-1, ::-1],
        8: want.swapaxes(0, 1)[::-1],
    }[orientation]
    file = next(tmp_path.glob("a.*"))
    data = file.read_bytes()
    file.unlink()
    found = load_one(
        lambda path: path.write_bytes(data),
        tmp_path,
        file.name,
        image_size=turned.shape[:2],
        channels=turned.shape[2],
        value_range=None if bits == 8 else (0, 65535),
    )
    np.testing.assert_array_equal(found, turned)


def test_sixteen_bits_stay_sixteen(tmp_path):
    deep = GREY.astype(np.uint16) * 257
    for suffix in ("png", "tif"):
        name = f"a.{suffix}"
        image, folder = Image.fromarray(deep), tmp_path / suffix
        folder.mkdir()
        found = load_one(image, folder, name, channels=1, value_range=(0, 65535))
        np.testing.assert_array_equal(found[..., 0], deep)
        eight = load_one(image, folder, name, channels=1, value_range=(0, 65535), levels=256)
        np.testing.assert_array_equal(eight[..., 0], GREY)
        with pytest.raises(ValueError, match="uint16 can mean several things"):
            load_one(image, folder, name, channels=1)
    large = load_one(
        image, tmp_path / "tif", name, image_size=(3, 4), channels=1, value_range=(0, 65535)
    )
    mean = deep.reshape(3, 2, 4, 2).mean((1, 3))
    assert abs(large[..., 0] - mean).max() <= 1


@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bits_in_colour(tmp_path, channels):
    pytest.importorskip("imagecodecs")
    deep = np.random.default_rng(0).integers(0, 65536, (6, 8, channels)).astype(np.uint16)
    said = {"channels": channels, "value_range": (0, 65535)}
    found = load_one(lambda path: png(deep, path), tmp_path, **said)
    np.testing.assert_array_equal(found, deep)
    with pytest.raises(ValueError, match="can mean several things"):
        load_one(lambda path: png(deep, path), tmp_path, channels=channels)


def test_mixed_depths_are_refused(tmp_path):
    fill(tmp_path, 5)
    Image.fromarray(GREY.astype(np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match=r"one kind of numbers.*deep\.png"):
        kp.data.load(tmp_path, image_size=4, channels=1)


@pytest.mark.parametrize("kind", ["RGBA", "LA", "P", "L"])
def test_transparency_does_not_reveal_hidden_colours(tmp_path, kind):
    alpha = np.where(GREY > 100, 255, 0).astype(np.uint8)
    image = Image.fromarray(np.dstack([COLOUR, alpha]))
    save = {}
    if kind == "LA":
        image = Image.merge("LA", (Image.fromarray(GREY), Image.fromarray(alpha)))
    elif kind in ("P", "L"):
        image = Image.fromarray(GREY)
        if kind == "P":
            image.putpalette([n // 3 for n in range(768)])
        save = {"transparency": int(GREY[0, 1])}
        alpha = np.where(GREY[0, 1] == GREY, 0, 255)
    with pytest.raises(ValueError, match=r"transparent.*background='white'.*a\.png"):
        load_one(image, tmp_path, save=save)
    for colour, value in [("white", 255), ((7, 7, 7), 7)]:
        found = load_one(image, tmp_path, save=save, background=colour)
        hidden, shown = (alpha == 0)[..., None], COLOUR if kind == "RGBA" else GREY[..., None]
        np.testing.assert_array_equal(
            found, np.broadcast_to(np.where(hidden, value, shown), found.shape)
        )
    if kind == "RGBA":
        np.testing.assert_array_equal(load_one(image, tmp_path, channels=4)[..., 3], alpha)


def test_opaque_alpha_needs_no_word(tmp_path):
    opaque = np.dstack([COLOUR, np.full_like(GREY, 255)])
    np.testing.assert_array_equal(load_one(Image.fromarray(opaque), tmp_path), COLOUR)


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
    return path


@pytest.mark.parametrize("kind", ["cut", "text", "empty", "bomb", "frames"])
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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cache": "ram"}, "cache='ram'"),
        ({"on_error": "ignore"}, "on_error='ignore'"),
        ({"background": "nocolour"}, "background='nocolour'"),
        ({"background": (1, 2)}, "background=.1, 2."),
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


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("options", [{}, {"progressive": True, "quality": 30}, {"subsampling": 0}])
def test_jpegs_are_what_pillow_makes_of_them(tmp_path, channels, options):
    pytest.importorskip("imagecodecs")
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    smooth = Image.fromarray(coarse).resize((37, 21), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    smooth.convert("L" if channels == 1 else "RGB").save(tmp_path / "a.jpg", exif=exif, **options)
    want = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.jpg")))
    reader = Reader(37, 21, channels, np.dtype(np.uint8))
    with Image.open(tmp_path / "a.jpg") as image:
        assert reading._jpeg(image) is not None
    np.testing.assert_array_equal(reader.read(tmp_path / "a.jpg").squeeze(), want)
    whole = (tmp_path / "a.jpg").read_bytes()
    for cut in (2, 40):
        (tmp_path / "cut.jpg").write_bytes(whole[:-cut])
        with Image.open(tmp_path / "cut.jpg") as image:
            assert reading._jpeg(image) is None
    with pytest.raises(ValueError, match=r"Cannot read the image .*cut\.jpg"):
        reader.read(tmp_path / "cut.jpg")
