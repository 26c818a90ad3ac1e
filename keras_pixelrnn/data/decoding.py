"""Decoders beside Pillow's: faster ones for plain PNG and JPEG, to the same numbers, and those of files
whose numbers Pillow would cut or stretch."""

import functools
import struct
import zlib

import keras
import numpy as np
from PIL import Image

ORIENTATION = 0x0112  # the EXIF tag
TURNS = {  # what makes an image upright, by its orientation
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
}
PNG = b"\x89PNG\r\n\x1a\n"
PNG_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type; 3 is a palette
FRAMES = {bytes([0xC0 + kind]) for kind in (0, 1, 2)}  # JPEG: baseline, extended, progressive
BARE = {bytes([0xD0 + number]) for number in range(10)} | {b"\x01"}  # markers without a length


def plain(data, channels):
    """Pixels `(h, w, channels)`, upright, of a plain 8-bit PNG or JPEG: grey or colour as wanted,
    without alpha, palette or frames. None where it is none, or where Pillow should say what is wrong.

    The numbers are Pillow's: those of PNG are stored, JPEG is decoded by libjpeg-turbo with the accurate
    integer transform and smooth chroma, as Pillow does, whoever calls it.
    """
    found = None
    if data.startswith(PNG):
        found = _plain_png(data, channels)
    elif data.startswith(b"\xff\xd8"):
        found = _plain_jpeg(data, channels)
    if found is None:
        return None
    decode, orientation = found
    try:
        pixels = decode(data)
    except Exception:
        return None
    pixels = np.asarray(pixels).reshape(*pixels.shape[:2], -1)
    turn = TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def _plain_png(data, channels):
    """What decodes a PNG, and its orientation, or None."""
    decoders = _tensorflow()
    if decoders is None or len(data) < 33:
        return None
    width, height, bits, kind = struct.unpack(">IIBB", data[16:26])
    if bits != 8 or PNG_CHANNELS.get(kind) != channels or not _reasonable(width, height):
        return None
    place, last = len(PNG), b""
    while last != b"IEND" and place + 12 <= len(data):
        last = data[place + 4 : place + 8]
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        if last in (b"tRNS", b"eXIf", b"acTL", b"iTXt", b"zTXt"):  # transparent, turned, several
            return None
        if last == b"tEXt" and b"Raw profile" in data[place:end]:  # an EXIF as text
            return None
        if zlib.crc32(data[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return None
        place = end
    if last != b"IEND":
        return None
    return functools.partial(decoders.png, channels=channels), 1


def _plain_jpeg(data, channels):
    """What decodes a JPEG, and its orientation, or None."""
    decode = _jpeg_decoder()
    if decode is None or not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        return None  # cut off: a decoder would fill it up
    place, orientation, fits = 2, 1, False
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1 : place + 2]
        if marker == b"\xff" or marker in BARE:
            place += 1 if marker == b"\xff" else 2
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in FRAMES:
            bits, height, width, parts = struct.unpack(">BHHB", data[place + 4 : place + 10])
            fits = bits == 8 and parts == channels and _reasonable(width, height)
        elif marker == b"\xe1":  # EXIF, or a description in XMP, which may say it, too
            segment = data[place + 4 : end]
            if segment.startswith(b"Exif\0\0"):
                exif = Image.Exif()
                exif.load(segment)
                orientation = exif.get(ORIENTATION, 1)
            elif b"Orientation" in segment:
                return None
        elif marker == b"\xda":  # the pixels begin
            return (decode, orientation) if fits else None
        place = end
    return None


def _reasonable(width, height):
    most = Image.MAX_IMAGE_PIXELS
    return width * height > 0 and (not most or width * height <= most)


class _tensorflow_decoders:
    """TensorFlow's own decoders, of bytes."""

    def __init__(self, ops):
        self._ops = ops

    def png(self, data, channels, dtype="uint8"):
        if channels == 2:  # which it does not know: grey becomes colour on the way
            return self.png(data, 4, dtype)[..., [0, 3]]
        return self._ops.DecodePng(contents=data, channels=channels, dtype=dtype).numpy()

    def jpeg(self, data):
        return self._ops.DecodeJpeg(contents=data, dct_method="INTEGER_ACCURATE").numpy()


@functools.cache
def _tensorflow():
    """The decoders of TensorFlow, where Keras runs on it."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return _tensorflow_decoders(tf.raw_ops)


@functools.cache
def _jpeg_decoder():
    try:
        from imagecodecs import jpeg8_decode
    except ImportError:
        decoders = _tensorflow()
        return None if decoders is None else decoders.jpeg
    return jpeg8_decode


def sixteen_bits(data, file):
    """Numbers `(h, w, channels)` of colour of 16 bits, which Pillow would cut to 8."""
    decode = _deep_decoder(data)
    if decode is None:
        raise ValueError(
            "Colour images of 16 bits need the package imagecodecs: pip install "
            f"keras-pixelrnn[images]. Received: {file}"
        )
    try:
        pixels = decode(data)
    except Exception as error:
        raise OSError(str(error)) from error
    return pixels.reshape(*pixels.shape[:2], -1)


def _deep_decoder(data):
    """What decodes an image of 16 bits, or None."""
    decoders = _tensorflow()
    if data.startswith(PNG) and decoders is not None:
        return lambda data: decoders.png(data, PNG_CHANNELS[data[25]], "uint16")
    try:
        from imagecodecs import imread
    except ImportError:
        return None
    return imread


def is_stretched(image):
    """Whether Pillow stretches the numbers of a file to 8 or 16 bits: PNM of another largest value."""
    codec, _, _, arguments = image.tile[0] if getattr(image, "tile", None) else ("", 0, 0, ())
    return codec in ("ppm", "ppm_plain") and arguments[1] not in (1, 255)


def pnm(data, image, file):
    """Numbers `(h, w, channels)` of an open binary PGM or PPM file as they are stored."""
    codec, _, offset, (mode, most) = image.tile[0]
    if codec != "ppm":
        raise ValueError(
            "Text PNM files with a largest value other than 255 are not read; write binary ones, P5 or "
            f"P6. Received: {file}"
        )
    channels = 3 if mode == "RGB" else 1
    dtype = np.dtype(">u2" if most > 255 else np.uint8)
    count = image.height * image.width * channels
    if len(data) < offset + count * dtype.itemsize:
        raise OSError("image file is truncated")
    pixels = np.frombuffer(data, dtype, count, offset)
    return pixels.reshape(image.height, image.width, channels)
