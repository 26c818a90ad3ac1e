"""What files store is what is read: bits that Pillow stretches, turns round or multiplies by alpha."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_pixelrnn.data import decoding, load
from keras_pixelrnn.data.opening import Encoded, UnreadableError
from keras_pixelrnn.data.reading import MODES, Reader
from tests.image_files import COLOUR, GREY, load_one, packed, png

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, CMYK = 0, 1, 2, 5
SIGNED = 2  # a form of numbers


def tiff(pixels, bits, photometric, extra=None, form=None):
    """A TIFF file without compression. `extra`: what its last channel is; `form`: of its numbers."""
    height, width, channels = pixels.shape
    raw = b"".join(packed(row, bits) for row in pixels)
    if bits >= 16:
        raw = pixels.astype(f"<u{bits // 8}").tobytes()
    tags = {256: [width], 257: [height], 258: [bits] * channels, 259: [1], 262: [photometric]}
    tags |= {273: [8], 277: [channels], 278: [height], 279: [len(raw)]}
    if extra is not None:
        tags[338] = [extra]
    if form is not None:
        tags[339] = [form] * channels
    end = 8 + len(raw) + 2 + 12 * len(tags) + 4
    entries, beyond = b"", b""
    for tag, values in sorted(tags.items()):
        data = struct.pack(f"<{len(values)}H", *values)
        if len(data) > 4:
            data, beyond = struct.pack("<I", end + len(beyond)), beyond + data
        entries += struct.pack("<HHI", tag, 3, len(values)) + data.ljust(4, b"\0")
    head = struct.pack("<2sHI", b"II", 42, 8 + len(raw))
    return head + raw + struct.pack("<H", len(tags)) + entries + b"\0" * 4 + beyond


def read(data, channels=1, **options):
    shape = {"height": 6, "width": 8, "channels": channels, "dtype": np.dtype(np.uint8)}
    return Reader(**{**shape, **options}).read(Encoded("a.tif", data))


@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_codes_of_few_bits_are_those_that_are_stored(bits, photometric):
    codes = GREY[..., None] & (2**bits - 1)
    data = tiff(codes, bits, photometric)
    np.testing.assert_array_equal(read(data, exact=True), codes)
    grey = codes * (255 // (2**bits - 1))
    wanted = 255 - grey if photometric == WHITE_IS_ZERO else grey
    np.testing.assert_array_equal(read(data), wanted)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_codes_in_png_of_few_bits(bits, tmp_path):
    codes = GREY[..., None] & (2**bits - 1)
    said = {"values": "codes", "levels": 256, "channels": 1}
    found = load_one(lambda path: png(codes, path, bits), tmp_path, **said)
    np.testing.assert_array_equal(found, codes)


@pytest.mark.parametrize("text", [True, False])
def test_ink_of_pbm_files_is_one(tmp_path, text):
    ink = (GREY > 100).astype(np.uint8)
    body = b" ".join(b"%d" % bit for bit in ink.ravel()) if text else np.packbits(ink, axis=1)
    data = (b"P1" if text else b"P4") + b" 8 6\n" + bytes(body)
    found = load_one(
        lambda path: path.write_bytes(data), tmp_path, "a.pbm", values="binary", channels=1
    )
    np.testing.assert_array_equal(found[..., 0], ink)


def test_sixteen_bits_whose_white_is_zero():
    deep = GREY[..., None] * np.uint16(257)
    data, said = tiff(deep, 16, WHITE_IS_ZERO), {"dtype": np.dtype(np.uint16)}
    np.testing.assert_array_equal(read(data, **said), 65535 - deep)
    np.testing.assert_array_equal(read(data, **said, exact=True), deep)
    np.testing.assert_array_equal(read(tiff(deep, 16, BLACK_IS_ZERO), **said), deep)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("extra", ["none", "multiplied", "alpha"])
def test_the_fourth_channel_is_what_the_file_says(bits, extra):
    if bits == 16:
        pytest.importorskip("imagecodecs")
    most = 2**bits - 1
    shown = (COLOUR.astype(int) * most // 255)[..., ::-1]
    alpha = np.full((6, 8, 1), most * 2 // 5)
    stored = shown * 2 // 5 if extra == "multiplied" else shown
    kind = ["none", "multiplied", "alpha"].index(extra)
    pixels = np.concatenate([stored, alpha], axis=2)
    data = tiff(pixels, bits, RGB, kind)
    said = {"dtype": np.dtype(f"u{bits // 8}")}
    on_black = stored if extra != "alpha" else shown * 2 / 5
    found = read(data, 3, background=(0, 0, 0), **said)
    np.testing.assert_allclose(found.astype(int), on_black, atol=1)
    four = read(data, 4, **said).astype(int)
    opaque = np.full_like(alpha, most) if extra == "none" else alpha
    np.testing.assert_array_equal(four[..., 3:], opaque)
    np.testing.assert_allclose(four[..., :3], shown, atol=3)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_modes_that_pillow_converts_to_few_others(channels, tmp_path):
    colour = Image.fromarray(COLOUR // 4 + 96)  # LAB of 8 bits is rough where colours are strong
    colour.convert("LAB").save(tmp_path / "lab.tif")
    found = read((tmp_path / "lab.tif").read_bytes(), channels)
    wanted = np.asarray(colour.convert(MODES[channels])).reshape(6, 8, channels)
    np.testing.assert_allclose(found.astype(int), wanted.astype(int), atol=4)
    multiplied = np.dstack([GREY // 2, np.full_like(GREY, 128)])
    found = read(tiff(multiplied, 8, BLACK_IS_ZERO, 1), channels, background=(0, 0, 0)).astype(int)
    if channels in (1, 3):
        np.testing.assert_allclose(
            found, np.broadcast_to(GREY[..., None] // 2, found.shape), atol=1
        )
    else:
        np.testing.assert_array_equal(found[..., -1], 128)
        shown = np.broadcast_to(GREY[..., None], (6, 8, channels - 1))
        np.testing.assert_allclose(found[..., :-1], shown, atol=2)


def test_inks_of_sixteen_bits_are_no_colours():
    inks = np.dstack([COLOUR, GREY]) * np.uint16(257)
    data, said = tiff(inks, 16, CMYK), {"dtype": np.dtype(np.uint16)}
    for channels in (3, 4):
        with pytest.raises(ValueError, match=r"Inks of 16 bits.*a\.tif"):
            read(data, channels, **said, background=(0, 0, 0))


@pytest.mark.parametrize("said", [{}, {"exact": True}])
def test_numbers_that_pillow_wraps_are_refused(said):
    """-1 came as 255, and 2**31 as -2**31."""
    minus = tiff(np.full((6, 8, 1), 255, np.uint8), 8, BLACK_IS_ZERO, form=SIGNED)
    with pytest.raises(ValueError, match=r"signed numbers of 8 bits are not read.*a\.tif"):
        read(minus, **said)
    said = {**said, "dtype": np.dtype(np.int32)}
    large = GREY[..., None].astype(np.uint32) + 2**31
    with pytest.raises(ValueError, match=r"up to 2\*\*31 - 1.*a\.tif with 2147483648"):
        read(tiff(large, 32, BLACK_IS_ZERO), **said)
    most = large - 2**31 + (2**31 - 256)
    np.testing.assert_array_equal(read(tiff(most, 32, BLACK_IS_ZERO), **said), most)
    signed = tiff(large, 32, BLACK_IS_ZERO, form=SIGNED)
    np.testing.assert_array_equal(read(signed, **said), large.astype(np.int32))


def test_short_memory_is_no_fault_of_a_file(monkeypatch, tmp_path):
    """`on_error="skip"` would leave the file out."""

    def raises(*_, **__):
        raise MemoryError

    for place, name in ((Image, "open"), (ImageOps, "exif_transpose"), (decoding, "_deep_decoder")):
        deep = name == "_deep_decoder"
        data = tiff(COLOUR * np.uint16(257), 16, RGB) if deep else tiff(COLOUR, 8, RGB)
        with monkeypatch.context() as changed:
            changed.setattr(place, name, (lambda _: raises) if deep else raises)
            with pytest.raises(MemoryError):
                read(data, 3, dtype=np.dtype(np.uint16 if deep else np.uint8))


def test_exact_values_do_not_come_from_formats_that_may_be_lossy(tmp_path):
    path = tmp_path / "a.png"
    try:
        Image.fromarray(COLOUR).save(path, "JPEG2000")
    except (OSError, KeyError):
        pytest.skip("this Pillow writes no JPEG 2000")
    with pytest.raises(ValueError, match="lossy JPEG2000"):
        read(path.read_bytes(), 3, exact=True)


def test_whatever_pillow_raises_names_the_file(monkeypatch):
    for error in (TypeError("Missing dimensions"), KeyError(3), ZeroDivisionError("by 0")):

        def raises(*_, error=error):
            raise error

        with monkeypatch.context() as changed:
            changed.setattr(Image, "open", raises)
            with pytest.raises(UnreadableError, match=r"Cannot read the image a\.tif"):
                read(b"II")


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_values_outside_the_levels_name_their_file(ending, tmp_path):
    images = np.zeros((9, 3, 5, 1), np.uint8)
    images[0, 1, 2] = 32
    if ending == "npy":
        np.save(tmp_path / "scans.npy", images)
    else:
        np.savez(tmp_path / "scans.npz", images=images)
    with pytest.raises(ValueError, match=rf"0 .. 16\. .*images of .*scans\.{ending} .*32"):
        load(tmp_path / f"scans.{ending}", values="integers", levels=17)


def test_values_found_later_name_their_folder(tmp_path, monkeypatch):
    """A folder of many files is read when its images are asked for."""
    monkeypatch.setattr("keras_pixelrnn.data.folder.ALL_AT_ONCE", 0)
    (tmp_path / "scans").mkdir()
    for number in range(3):
        image = Image.fromarray(np.full((3, 5), 32, np.uint8))
        image.save(tmp_path / "scans" / f"{number:02}.png")
    data = load(tmp_path / "scans", values="integers", levels=17, channels=1, image_size=(3, 5))
    with pytest.raises(ValueError, match=r"0 .. 16\. .*images of .*scans with .*32"):
        data.images("train", [0])
