"""What values mean: no input changes its meaning without a word."""

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.data import meanings


def collect(batches):
    return np.concatenate([np.asarray(batch) for batch in batches])


def everything(data, batch_size=7):
    """All images, in the order of the source."""
    return np.concatenate([collect(data.evaluation(split, batch_size)) for split in data.sizes])


@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1), (0, 255), (-3.5, 100)])
@pytest.mark.parametrize(
    ("dtype", "levels"),
    [("float16", 256), ("float16", 512), ("float32", 65536), ("float64", 65536)],
)
def test_floats_are_the_levels_that_they_were_made_of(dtype, levels, value_range):
    low, high = value_range
    wanted = np.arange(levels)
    stored = (low + wanted / (levels - 1) * (high - low)).astype(dtype)
    data = kp.data.load(images_of(stored, dtype), value_range=value_range, levels=levels)
    np.testing.assert_array_equal(everything(data, 1000).ravel(), wanted)


@pytest.mark.parametrize(
    ("options", "levels"),
    [
        ({"value_range": (0, 1)}, 4096),
        ({"value_range": (0, 4095)}, 4096),
        ({"value_range": (1000, 1001)}, 256),
        ({"values": "integers"}, 4096),
        ({"values": "codes"}, 8192),
    ],
)
def test_floats_that_cannot_tell_the_levels_apart_are_refused(options, levels):
    """Neighbouring levels have become one number, which nobody can undo."""
    low, high = options.get("value_range", (0, levels - 1))
    stored = images_of(low + np.arange(levels) / (levels - 1) * (high - low), "float16")
    with pytest.raises(ValueError, match=f"float16 cannot tell {levels} levels apart"):
        everything(kp.data.load(stored, levels=levels, **options))


def images_of(numbers, dtype):
    return np.asarray(numbers).astype(dtype).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int32", "int64", "float32", "float64"]
)
@pytest.mark.parametrize("meaning", ["integers", "codes"])
def test_integers_stay_what_they_are(dtype, meaning):
    stored = images_of(np.arange(64), dtype)
    data = kp.data.load(stored, values=meaning, levels=64)
    np.testing.assert_array_equal(everything(data), np.arange(64).reshape(-1, 1, 1, 1))
    assert data.ordered == (meaning == "integers")
    assert ("64 codes" in data.protocol) == (meaning == "codes")


@pytest.mark.parametrize("levels", [256, 257, 512, 8192, 65536])
@pytest.mark.parametrize("meaning", ["integers", "codes"])
def test_levels_up_to_65536(levels, meaning):
    stored = images_of(np.linspace(0, levels - 1, 100).astype(np.int64), "int64")
    data = kp.data.load(stored, values=meaning, levels=levels)
    assert data.dtype == (np.uint8 if levels <= 256 else np.uint16)
    found = everything(data)
    assert found.dtype == data.dtype
    np.testing.assert_array_equal(found, stored)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32"])
def test_binary_and_spins(dtype):
    bits = np.arange(60) % 3 == 0
    data = kp.data.load(images_of(bits, dtype), values="binary")
    np.testing.assert_array_equal(everything(data).ravel(), bits)
    assert (data.levels, data.binarization) == (2, "static")
    if dtype in ("int64", "float32"):
        spins = kp.data.load(images_of(np.where(bits, 1, -1), dtype), values="spins")
        np.testing.assert_array_equal(everything(spins).ravel(), bits)


def test_what_is_plain_needs_no_word():
    bits = images_of(np.arange(60) % 2, "uint8")
    assert kp.data.load(bits.astype(bool)).levels == 2
    np.testing.assert_array_equal(everything(kp.data.load(bits, levels=2)), bits)
    assert kp.data.load(bits).levels == 256  # uint8 without a word: 256 levels as they are


@pytest.mark.parametrize(
    ("stored", "value_range"),
    [
        (np.arange(256) / np.float32(255), (0, 1)),
        (np.arange(256) / np.float32(127.5) - 1, (-1, 1)),
        (np.arange(256.0), (0, 255)),
        (np.arange(256) * 257, (0, 65535)),
        (np.arange(256) - 128, (-128, 127)),
    ],
)
def test_intensities_of_a_range(stored, value_range):
    images = stored.reshape(-1, 1, 1, 1)
    levels = None if images.dtype.kind != "f" and value_range[1] < 300 else 256
    data = kp.data.load(images, value_range=value_range, levels=levels)
    np.testing.assert_array_equal(everything(data).ravel(), np.arange(256))
    sixteen = kp.data.load(images, values="intensities", value_range=value_range, levels=16)
    np.testing.assert_array_equal(everything(sixteen).ravel(), np.arange(256) // 16)
    assert "16 levels" in sixteen.protocol


def test_twelve_bits_in_sixteen():
    scans = images_of(np.arange(4096), "uint16")
    data = kp.data.load(scans, value_range=(0, 4095))
    assert (data.levels, data.dtype) == (4096, np.uint16)
    np.testing.assert_array_equal(everything(data), scans)
    eight = kp.data.load(scans, value_range=(0, 4095), levels=256)
    np.testing.assert_array_equal(everything(eight).ravel(), np.arange(4096) // 16)


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_binarization_of_a_range(dtype):
    grey = np.full((20, 30, 30, 1), 0.25 if dtype == "float32" else 1024).astype(dtype)
    said = {"value_range": (0, 1 if dtype == "float32" else 4095), "levels": 2}
    data = kp.data.load(grey, binarization="dynamic", **said)
    assert abs(everything(data).mean() - 0.25) < 0.02
    assert everything(kp.data.load(grey, binarization="threshold", **said)).max() == 0
    assert everything(kp.data.load(grey * 3, binarization="threshold", **said)).min() == 1


@pytest.mark.parametrize("dtype", ["uint16", "int8", "int32", "int64", "float32", "float16"])
@pytest.mark.parametrize("levels", [None, 2, 64, 256])
def test_what_cannot_be_known_is_asked_for(dtype, levels):
    said = {"levels": levels, "binarization": "threshold" if levels == 2 else None}
    with pytest.raises(ValueError, match=r"(?s)can mean several things.*values=.codes"):
        kp.data.load(images_of(np.arange(60) % 2, dtype), **said)


@pytest.mark.parametrize(
    ("stored", "said", "words"),
    [
        (np.arange(64), {"levels": 64}, "can be intensities 0 .. 255.*or already be 0 .. 63"),
        (np.arange(64) % 2, {"levels": 2, "binarization": "threshold"}, "already be 0 .. 1"),
        (np.arange(64) % 2, {"levels": 2, "binarization": "dynamic"}, "already be 0 .. 1"),
        (np.arange(64), {"values": "codes"}, "needs `levels`"),
        (np.arange(64), {"values": "codes", "levels": 63}, "0 .. 62.*to 63"),
        (np.arange(64) - 1, {"values": "integers", "levels": 70}, "can.*not|from"),
        (np.arange(64) + 0.5, {"values": "integers", "levels": 70}, "whole numbers"),
        (np.arange(64) % 2, {"values": "spins"}, "values='binary'"),
        (np.arange(64), {"values": "binary"}, "Binary values must lie in 0 .. 1"),
        (np.arange(64), {"values": "binary", "levels": 4}, "levels=4"),
        (np.arange(64), {"values": "brightness"}, "must be one of"),
        (np.arange(64), {"values": "codes", "value_range": (0, 63)}, "goes with values="),
        (np.arange(64), {"value_range": (63, 0)}, "low < high"),
        (np.arange(64), {"value_range": 255}, "two numbers"),
        (np.arange(64), {"value_range": (0.5, 255)}, "ends in integers"),
        (np.arange(64), {"value_range": (1, 63)}, "1 .. 63.*from 0"),
        (np.arange(64), {"values": "codes", "levels": 65537}, "65536"),
        (np.arange(64), {"values": "codes", "levels": 64.0}, "must be an int"),
        (np.arange(64), {"values": "codes", "levels": True}, "must be an int"),
        (np.arange(64), {"values": "codes", "levels": 64, "binarization": "static"}, "goes with"),
        (np.arange(64) / 64, {"value_range": (0, 1)}, "Floats need `levels`"),
        (np.arange(64) / 60, {"value_range": (0, 1), "levels": 9}, "to 1.05"),
        (np.arange(64) * np.nan, {"value_range": (0, 1), "levels": 9}, "nan"),
        (np.arange(64) * 1j, {"value_range": (0, 1), "levels": 9}, "must be numbers"),
    ],
)
def test_what_does_not_fit_is_refused(stored, said, words):
    stored = stored.reshape(-1, 1, 1, 1)
    stored = stored.astype(np.uint8) if stored.dtype.kind == "i" and stored.min() >= 0 else stored
    with pytest.raises(ValueError, match=f"(?s){words}"):
        kp.data.load(stored, **said)


def test_large_stored_arrays_must_be_told():
    with pytest.raises(ValueError, match="can be intensities"):
        meanings.decide(
            np.uint8, values=None, value_range=None, levels=64, binarization=None, extent=None
        )


def test_values_of_stored_arrays_are_checked_when_read(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_pixelrnn.data.arrays.STORED", 0)  # small ones are checked at once
    stored = images_of(np.arange(100), "uint8")
    np.save(tmp_path / "codes.npy", stored)
    mapped = np.load(tmp_path / "codes.npy", mmap_mode="r")
    data = kp.data.load(mapped, values="codes", levels=90)
    collect(data.evaluation("validation", 10))
    with pytest.raises(Exception, match=r"Codes must lie in 0 .. 89.*test images.*from 90 to 99"):
        collect(data.evaluation("test", 10))


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((50, 28, 28), np.uint8), r"images\[..., None\]"),
        (np.zeros((28, 28), np.uint8), "Images have shape"),
        (np.zeros((50, 3, 32, 32), np.uint8), "moveaxis"),
        (np.zeros((50, 1, 28, 28), np.uint8), "moveaxis"),
        (np.zeros((50, 8, 8, 16), np.uint8), "1 to 4 channels"),
        (np.array([["a"]]), "must be numbers"),
        ([np.zeros((4, 4, 1)), np.zeros((5, 4, 1))], "all of one size"),
        (
            {"train": np.zeros((19, 4, 4, 1), bool), "test": np.zeros((9, 5, 4, 1), bool)},
            "one shape",
        ),
        ({"train": np.zeros((19, 4, 4, 1), np.uint8), "test": np.zeros((9, 4, 4, 1))}, "one dtype"),
        ((np.zeros((9, 4, 4, 1), np.uint8), None, None), "a tuple of 3"),
    ],
)
def test_shapes_have_a_clear_word(images, words):
    with pytest.raises(ValueError, match=words):
        kp.data.load(images)


def test_options_of_files_are_refused_elsewhere():
    for source in ("digits", np.zeros((50, 4, 4, 1), np.uint8)):
        with pytest.raises(ValueError, match="is for image files"):
            kp.data.load(source, image_size=4)


@pytest.mark.parametrize("own", [1, 2, 3, 4])
@pytest.mark.parametrize("said", [1, 3, 4])
def test_channels_that_images_do_not_have_are_refused(said, own):
    """Each number alike, the default of image files among them."""
    images = np.zeros((50, 5, 6, own), np.uint8)
    assert kp.data.load(images).image_shape == (5, 6, own)
    if said == own:
        assert kp.data.load(images, channels=said).image_shape == (5, 6, own)
        return
    with pytest.raises(ValueError, match=f"Received: channels={said}, images of {own}"):
        kp.data.load(images, channels=said)


def test_no_name_is_no_folder():
    with pytest.raises(ValueError, match="Expected a name"):
        kp.data.load("")
