"""What a picture's file stores, and what Pillow makes of it: fewer bits, other ones, or turned round."""

import numpy as np

from keras_pixelrnn.data.decoding import is_stretched

DEEP = {"I;16": np.uint16, "I;16B": np.uint16, "I;16L": np.uint16, "I": np.int32, "F": np.float32}
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # a tag of TIFF, and a value of it
BITS, SAMPLE_FORMAT, SIGNED = 258, 339, 2  # likewise
COLOUR_MAP = 320  # likewise
# Colour spaces of Pillow that red, green and blue do not give back: many colours of theirs become one.
OTHER_SPACES = ("CMYK", "LAB", "YCbCr", "HSV")
# What files store of which Pillow drops a channel, or divides by the alpha.
CHANGED = ("LX", "RGBX", "RGBXX", "RGBAX", "La", "RGBa")


def depth(image):
    """dtype of an open picture's numbers, and whether it is colour that Pillow would cut to 8 bits."""
    tile = getattr(image, "tile", ())
    deep = any(";16" in str(part[3]) for part in tile)
    deep |= is_stretched(image) and tile[0][3][1] > 255
    if deep and image.mode not in DEEP:
        return np.dtype(np.uint16), True
    if deep and image.mode == "I" and not any(";16S" in str(part[3]) for part in tile):
        return np.dtype(np.uint16), False
    return np.dtype(DEEP.get(image.mode, np.uint8)), False


def raw_mode(image):
    """Pillow's word for what the file of a picture that is not yet decoded stores, such as "L;4I": grey
    of 4 bits, inverted; empty where there is no file."""
    tile = getattr(image, "tile", None)
    arguments = tile[0][3] if tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def is_changed(image):
    """Whether Pillow gives other colours than the file of a picture that is not yet decoded stores: it
    drops channels, divides by the alpha, or cuts those of a palette to 8 bits."""
    if image.format not in ("TIFF", "IM"):
        return False
    colours = np.array(getattr(image, "tag_v2", {}).get(COLOUR_MAP, ()), np.int64)
    cut = (colours % 257 != 0).any() and (
        colours % 256 != 0
    ).any()  # 8 bits are written in either way
    return bool(cut) or raw_mode(image).split(";")[0] in CHANGED


def as_stored(pixels, raw):
    """Numbers of 1 to 8 bits as the file stores them.

    Args:
        pixels: uint8, as Pillow gives them: 0 and 1, or stretched to 0 .. 255.
        raw: the `raw_mode`.
    """
    kind, _, form = raw.partition(";")
    if kind == "1":
        return 1 - pixels if "I" in form else pixels
    if kind != "L":
        return pixels
    pixels = 255 - pixels if "I" in form else pixels
    bits = int(form[0]) if form[:1] in ("2", "4") else 8
    return pixels // (255 // (2**bits - 1))


def is_inverted(image):
    """Whether an open picture of 16 bits is white where it stores 0, which Pillow passes over."""
    tags = getattr(image, "tag_v2", {})
    deep = depth(image) == (np.dtype(np.uint16), False)
    return deep and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO


def refuse_signed_bytes(image, file):
    """`ValueError` for a TIFF of signed numbers of 8 bits, whose -1 Pillow reads as 255."""
    tags = getattr(image, "tag_v2", {})
    if SIGNED in tags.get(SAMPLE_FORMAT, ()) and max(tags.get(BITS, (8,))) <= 8:
        raise ValueError(
            "TIFF files of signed numbers of 8 bits are not read. Save them with 16 or 32 bits, or pass "
            f"the numbers as an array. Received: {file}"
        )


def refuse_wrapped(pixels, raw, file):
    """`ValueError` where unsigned numbers of 32 bits are beyond what Pillow's signed ones reach."""
    if raw.startswith("I;32") and "S" not in raw and pixels.size and pixels.min() < 0:
        raise ValueError(
            "Unsigned numbers of 32 bits are read up to 2**31 - 1. Pass larger ones as an array. "
            f"Received: {file} with {int(pixels.astype(np.int64).min()) + 2**32}"
        )


def straight(pixels, raw):
    """Deep colour `(h, w, 4)` whose alpha is an alpha that the colours have not been multiplied by.

    Args:
        pixels: uint16, as the file stores them.
        raw: the `raw_mode`: "RGBa..." where they have been, "RGBX..." where the fourth is no alpha.
    """
    most = np.iinfo(pixels.dtype).max
    colour, alpha = pixels[..., :3], pixels[..., 3:]
    if raw.startswith("RGBX"):
        return np.concatenate([colour, np.full_like(alpha, most)], axis=2)
    if raw.startswith("RGBa"):
        share = np.maximum(alpha, 1) / most
        colour = np.rint(np.minimum(colour / share, most)).astype(pixels.dtype)
        return np.concatenate([colour, alpha], axis=2)
    return pixels
