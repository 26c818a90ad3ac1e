"""Files of images: formats, depths, turns, transparency."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn.data.reading import Reader
from tests.image_files import COLOUR, GREY, fill, load_one, png


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "ppm", "PNG"])
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


def test_numbers_of_pnm_files_stay_what_they_are(tmp_path):
    """Pillow stretches them to 8 or 16 bits, and cuts colour to 8."""
    said = {"values": "codes", "levels": 64, "channels": 1}
    small = b"P5 8 6 100\n" + (GREY // 4).tobytes()
    found = load_one(lambda path: path.write_bytes(small), tmp_path, "a.pgm", **said)
    np.testing.assert_array_equal(found[..., 0], GREY // 4)
    for most, factor, said in [
        (4095, 10, {"channels": 1, "value_range": (0, 4095)}),
        (65535, 257, {"channels": 1, "value_range": (0, 65535)}),
    ]:
        deep = (GREY * np.uint16(factor)).astype(">u2")
        data = b"P5 8 6 %d\n" % most + deep.tobytes()
        found = load_one(lambda path, data=data: path.write_bytes(data), tmp_path, "a.pgm", **said)
        np.testing.assert_array_equal(found[..., 0], deep)
    deep = (COLOUR * np.uint16(250)).astype(">u2")
    data = b"P6 8 6 65535\n" + deep.tobytes()
    with pytest.raises(ValueError, match="uint16 can mean several things"):
        load_one(lambda path: path.write_bytes(data), tmp_path, "a.pgm")
    found = load_one(lambda path: path.write_bytes(data), tmp_path, "a.pgm", value_range=(0, 65535))
    np.testing.assert_array_equal(found, deep)
    with pytest.raises(ValueError, match=r"Cannot read the image .*truncated"):
        load_one(
            lambda path: path.write_bytes(data[:-9]), tmp_path, "a.pgm", value_range=(0, 65535)
        )


def test_transparency_of_deep_images(tmp_path):
    deep = GREY.astype(np.uint16) * 200
    said = {"channels": 1, "value_range": (0, 65535)}
    keyed = {"image": Image.fromarray(deep), "save": {"transparency": int(deep[0, 1])}}
    with pytest.raises(ValueError, match="transparent pixels need"):
        load_one(tmp_path=tmp_path, **keyed, **said)
    found = load_one(tmp_path=tmp_path, **keyed, **said, background="white")
    np.testing.assert_array_equal(found[..., 0], np.where(deep == deep[0, 1], 65535, deep))
    for alpha, want in [(65535, deep), (32768, np.rint(deep * (32768 / 65535)))]:
        pixels = np.dstack([deep, np.full_like(deep, alpha)])
        found = load_one(lambda path, p=pixels: png(p, path), tmp_path, **said, background="black")
        np.testing.assert_array_equal(found[..., 0], want)
    with pytest.raises(ValueError, match="transparent pixels need"):
        load_one(lambda path: png(pixels, path), tmp_path, **said)


def test_alpha_of_deep_images_is_that_of_the_file(tmp_path):
    """None is made: it would be grey, or a guess of what is opaque."""
    deep = GREY.astype(np.uint16)[..., None] * 200
    said = {"channels": 4, "value_range": (0, 65535)}
    with pytest.raises(ValueError, match=r"none are made\. Pass channels=1, or"):
        load_one(Image.fromarray(deep[..., 0]), tmp_path, **said)
    float_grey = Image.fromarray(GREY.astype(np.float32))
    with pytest.raises(ValueError, match=r"none are made\. Pass channels=1, or"):
        load_one(float_grey, tmp_path / "float", "a.tif", **said)
    with_alpha = np.concatenate([deep, deep[::-1]], axis=2)
    found = load_one(lambda path: png(with_alpha, path), tmp_path / "alpha", **said)
    np.testing.assert_array_equal(found, with_alpha[..., [0, 0, 0, 1]])
    with pytest.raises(ValueError, match=r"none are made. Convert the files.*with 2 channels"):
        load_one(lambda path: png(with_alpha, path), tmp_path / "alpha", channels=3, values="codes")


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_grey_of_few_bits_that_is_transparent(bits, tmp_path):
    """Pillow stretches the numbers of 2 and 4 bits, and not the one that is transparent."""
    rows = b"".join(b"\0" + bytes([value << (8 - bits)]) for value in (0, 1))
    parts = [b"IHDR" + struct.pack(">IIBBBBB", 1, 2, bits, 0, 0, 0, 0), b"tRNS\0\1"]
    parts += [b"IDAT" + zlib.compress(rows), b"IEND"]
    whole = [struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in parts]
    path = tmp_path / "clear.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(whole))
    found = Reader(2, 1, 4, np.dtype(np.uint8)).read(path)
    assert found[..., 3].ravel().tolist() == [255, 0]
    with pytest.raises(ValueError, match="transparent pixels need"):
        Reader(2, 1, 1, np.dtype(np.uint8)).read(path)


def test_a_colour_of_deep_images_that_is_transparent(tmp_path):
    deep = COLOUR.astype(np.uint16) * 200
    key = b"".join(int(part).to_bytes(2, "big") for part in deep[0, 1])

    def save(path):
        png(deep, path)
        data = path.read_bytes()
        chunk = b"tRNS" + key
        chunk = struct.pack(">I", len(key)) + chunk + struct.pack(">I", zlib.crc32(chunk))
        path.write_bytes(data[:33] + chunk + data[33:])

    said = {"value_range": (0, 65535)}
    found = load_one(save, tmp_path, channels=4, **said)
    np.testing.assert_array_equal(found[..., :3], deep)
    np.testing.assert_array_equal(found[..., 3] == 0, (deep == deep[0, 1]).all(axis=2))
    with pytest.raises(ValueError, match="transparent pixels need"):
        load_one(save, tmp_path, **said)
    exact = load_one(save, tmp_path, values="codes", levels=65536)
    np.testing.assert_array_equal(exact, deep)


@pytest.mark.parametrize("bits", [8, 16])
def test_colours_that_are_hidden_do_not_show_in_smaller_images(bits, tmp_path):
    most = 2**bits - 1
    pixels = np.zeros((6, 8, 4), np.uint8 if bits == 8 else np.uint16)
    pixels[...] = [most, 0, 0, 0]  # a red that nobody sees
    pixels[:, ::2] = [0, most // 5, most, most]

    def save(path):
        return Image.fromarray(pixels).save(path) if bits == 8 else png(pixels, path)

    said = {"channels": 4, "image_size": (3, 4), "value_range": (0, most)}
    found = load_one(save, tmp_path, **said)
    wanted = np.broadcast_to([0, most // 5, most, (most + 1) // 2], found.shape)
    np.testing.assert_allclose(found.astype(int), wanted, atol=1)


def test_pictures_that_a_model_is_given_are_read_like_files(tmp_path):
    """16 bits used to be cut, hidden colours shown and turns left out."""
    exif, path, shape = Image.Exif(), tmp_path / "a.png", (8, 6, 1)
    exif[0x0112] = 6
    turned = GREY[..., None].swapaxes(0, 1)[:, ::-1]
    Image.fromarray(GREY).save(path, exif=exif)
    with Image.open(path) as picture:
        np.testing.assert_array_equal(kp.visualize.to_values(picture, shape, 256), turned)
    png(turned * np.uint16(257), path)
    with Image.open(path) as picture:
        np.testing.assert_array_equal(kp.visualize.to_values(picture, shape, 256), turned)
    Image.fromarray(np.dstack([COLOUR, GREY])).save(path)
    with Image.open(path) as picture, pytest.raises(ValueError, match="transparent pixels need"):
        kp.visualize.to_values(picture, (6, 8, 3), 256)
