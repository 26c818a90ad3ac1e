"""Decoders beside Pillow's: the same numbers, and nothing that is not theirs."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_pixelrnn.data import decoding
from keras_pixelrnn.data.reading import Reader
from tests.image_files import COLOUR, GREY, load_one

DECODERS = {
    "TensorFlow": decoding._ByTensorFlow,
    "imagecodecs": lambda: decoding._ByImagecodecs(pytest.importorskip("imagecodecs").jpeg8_decode),
}


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True, "quality": 30}, {"subsampling": 0}, {"subsampling": 1}]
)
def test_jpegs_are_what_pillow_makes_of_them(tmp_path, channels, options, decoder, monkeypatch):
    made = DECODERS[decoder]()
    monkeypatch.setattr(decoding, "_decoder", lambda kind: made)
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    smooth = Image.fromarray(coarse).resize((37, 21), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    smooth.convert("L" if channels == 1 else "RGB").save(tmp_path / "a.jpg", exif=exif, **options)
    want = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.jpg")))
    reader = Reader(37, 21, channels, np.dtype(np.uint8))
    whole = (tmp_path / "a.jpg").read_bytes()
    plain = decoding.plain(whole, channels)
    for count in (1, decoding.GROUP):
        for pixels in decoding.decoded([plain] * count):
            np.testing.assert_array_equal(pixels.squeeze(), want)
    np.testing.assert_array_equal(reader.read(tmp_path / "a.jpg").squeeze(), want)
    assert decoding.plain(whole, 4 - channels) is None
    for cut in (2, 40):
        assert decoding.plain(whole[:-cut], channels) is None
    (tmp_path / "cut.jpg").write_bytes(whole[:-40])
    with pytest.raises(ValueError, match=r"Cannot read the image .*cut\.jpg"):
        reader.read(tmp_path / "cut.jpg")


def test_only_plain_pngs_are_not_for_pillow(tmp_path):
    """What is transparent, turned, of a palette, deep or cut is; and the numbers are the same."""
    exif, path = Image.Exif(), tmp_path / "a.png"
    exif[0x0112] = 6
    for image, channels, save, plain in [
        (Image.fromarray(COLOUR), 3, {}, True),
        (Image.fromarray(GREY), 1, {"compress_level": 0}, True),
        (Image.fromarray(COLOUR), 1, {}, False),
        (Image.fromarray(GREY), 3, {}, False),
        (Image.fromarray(COLOUR), 3, {"exif": exif}, False),
        (Image.fromarray(COLOUR), 3, {"transparency": (0, 255, 0)}, False),
        (Image.fromarray(COLOUR).quantize(9), 1, {}, False),
        (Image.fromarray(GREY > 9), 1, {}, False),
        (Image.fromarray(GREY.astype(np.uint16)), 1, {}, False),
        (Image.fromarray(COLOUR).convert("RGBA"), 3, {}, False),
    ]:
        image.save(path, **save)
        found = decoding.plain(path.read_bytes(), channels)
        assert (found is not None) == plain, save
        for count in (1, decoding.GROUP) if plain else ():
            for pixels in decoding.decoded([found] * count):
                np.testing.assert_array_equal(pixels.squeeze(), np.asarray(image))
    Image.fromarray(COLOUR).save(path)
    for cut in (1, 12, 30):
        assert decoding.plain(path.read_bytes()[:-cut], 3) is None
    flipped = bytearray(path.read_bytes())
    flipped[60] ^= 1
    assert decoding.plain(bytes(flipped), 3) is None


def test_files_are_read_together_as_they_are_alone(tmp_path):
    """Plain and other files, of any size, one of them broken inside, in any order."""
    rng, files = np.random.default_rng(0), []
    for number in range(30):
        size = (6, 8, 3) if number % 3 else (9, 7, 3)
        image = Image.fromarray(rng.integers(0, 256, size, np.uint8))
        image = image.quantize(9) if number % 5 == 4 else image
        files.append(tmp_path / f"{number}.{'jpg' if number % 5 == 3 else 'png'}")
        image.save(files[-1])
    reader = Reader(6, 8, 3, np.dtype(np.uint8))
    together = dict(reader.read_many(files))
    assert sorted(together) == list(range(30))
    for number, file in enumerate(files):
        with Image.open(file) as image:
            want = reader.fitted(np.asarray(image.convert("RGB")), file)
        np.testing.assert_array_equal(together[number], want)
    damaged = decoding.plain(files[0].read_bytes(), 3)._replace(data=b"no picture")
    fine = decoding.plain(files[1].read_bytes(), 3)
    found = decoding.decoded([damaged, *[fine] * (decoding.GROUP - 1)])
    assert [pixels is None for pixels in found] == [True] + [False] * (decoding.GROUP - 1)


def test_inks_are_no_colours(tmp_path):
    inks = np.stack([GREY, 255 - GREY, GREY // 2, np.full_like(GREY, 100)], axis=-1)
    picture = Image.frombytes("CMYK", (8, 6), inks.tobytes())
    for channels, mode in ((1, "L"), (3, "RGB"), (4, "RGBA")):
        found = load_one(picture, tmp_path, "a.jpg", {"quality": 100}, channels=channels)
        with Image.open(tmp_path / "test" / "a.jpg") as stored:
            wanted = stored.convert("RGB").convert(mode) if channels == 4 else stored.convert(mode)
        np.testing.assert_array_equal(found, np.reshape(wanted, found.shape))
