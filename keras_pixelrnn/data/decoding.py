"""Decoders beside Pillow's: faster ones for plain PNG and JPEG, to the same numbers, and those of files
whose numbers Pillow would cut or stretch."""

import contextlib
import functools
import io
import struct
from typing import NamedTuple

import keras
import numpy as np
from PIL import Image

from keras_pixelrnn.data import png

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
GROUP = 16  # images that TensorFlow decodes in one call
LARGE = 2**18  # pixels of an image that is decoded alone, for the memory's sake
PNG = b"\x89PNG\r\n\x1a\n"
PNG_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type; 3 is a palette
SPECIAL = {b"tRNS", b"eXIf", b"acTL", b"iTXt", b"zTXt"}  # transparent, turned, several images
FRAMES = {bytes([0xC0 + kind]) for kind in (0, 1, 2)}  # JPEG: baseline, extended, progressive
BARE = {bytes([0xD0 + number]) for number in range(10)} | {b"\x01"}  # markers without a length


class Plain(NamedTuple):
    """A plain 8-bit PNG or JPEG: grey or colour, without alpha, palette or frames.

    Attributes:
        data: its bytes.
        kind: "png" or "jpeg".
        channels: 1 or 3.
        orientation: as EXIF has it.
        large: too large to be decoded beside others.
    """

    data: bytes
    kind: str
    channels: int
    orientation: int
    large: bool


def plain(data, channels):
    """The `Plain` of a file with that many channels, by its header and check sums. None where it is
    none, where Pillow should say what is wrong with it, or where only Pillow is there to decode it."""
    if data.startswith(PNG) and _decoder("png") is not None:
        return _plain_png(data, channels)
    if data.startswith(b"\xff\xd8") and _decoder("jpeg") is not None:
        return _plain_jpeg(data, channels)
    return None


def decoded(images):
    """Pixels `(h, w, channels)`, upright, of each `Plain`; None where Pillow should say what is wrong.

    The numbers are Pillow's: those of PNG are stored, JPEG is decoded by libjpeg-turbo with the accurate
    integer transform and smooth chroma, as Pillow does, whoever calls it. `GROUP` alike go fastest.
    """
    kinds = {(image.kind, image.channels) for image in images}
    found = None
    if len(images) == GROUP and len(kinds) == 1:
        found = _decoder(images[0].kind).together(images)
    if found is None:
        found = [_decoder(image.kind).alone(image) for image in images]
    return [_turned(pixels, image) for pixels, image in zip(found, images, strict=True)]


def _turned(pixels, image):
    if pixels is None:
        return None
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    turn = TURNS.get(image.orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def _plain_png(data, channels):
    if len(data) < 33:
        return None
    width, height, bits, kind = struct.unpack(">IIBB", data[16:26])
    if bits != 8 or PNG_CHANNELS.get(kind) != channels or not _reasonable(width, height):
        return None
    try:
        for name, inside in png.chunks(io.BytesIO(data)):
            if name in SPECIAL:
                return None
            if name == b"tEXt" and b"Raw profile" in inside:  # an EXIF as text
                return None
    except OSError:  # cut off, or a wrong check sum
        return None
    return Plain(data, "png", channels, 1, width * height > LARGE)


def _plain_jpeg(data, channels):
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        return None  # cut off: a decoder would fill it up
    place, orientation, pixels = 2, 1, None
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1 : place + 2]
        if marker == b"\xff" or marker in BARE:
            place += 1 if marker == b"\xff" else 2
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in FRAMES:
            bits, height, width, parts = struct.unpack(">BHHB", data[place + 4 : place + 10])
            if bits != 8 or parts != channels or parts == 4 or not _reasonable(width, height):
                return None  # four are inks (CMYK), which Pillow turns to colours
            pixels = width * height
        elif marker == b"\xe1":  # EXIF, or a description in XMP, which may say it, too
            segment = data[place + 4 : end]
            if segment.startswith(b"Exif\0\0"):
                exif = Image.Exif()
                exif.load(segment)
                orientation = exif.get(ORIENTATION, 1)
            elif b"Orientation" in segment:
                return None
        elif marker == b"\xda":  # the pixels begin
            return pixels and Plain(data, "jpeg", channels, orientation, pixels > LARGE)
        place = end
    return None


def _reasonable(width, height):
    most = Image.MAX_IMAGE_PIXELS
    return width * height > 0 and (not most or width * height <= most)


class _ByTensorFlow:
    """Decodes by TensorFlow: some images alike in one call, which is worth it, or one."""

    def alone(self, image):
        try:
            return self._operation(image.data, image.kind, image.channels).numpy()
        except Exception:
            return None

    def together(self, images):
        import tensorflow as tf
        from tensorflow.python.eager import context

        function = self._function(images[0].kind, images[0].channels)
        try:
            # In this thread: those of TensorFlow may all be waiting for what is read here.
            with context.function_executor_type("SINGLE_THREADED_EXECUTOR"):
                found = function(tf.constant([image.data for image in images]))
            return [pixels.numpy() for pixels in found]
        except Exception:
            return None

    @functools.cache  # noqa: B019  (there is one for the whole process)
    def _function(self, kind, channels):
        import tensorflow as tf

        def decode(datas):
            return [self._operation(data, kind, channels) for data in tf.unstack(datas)]

        spec = tf.TensorSpec([GROUP], tf.string)
        return tf.function(decode, autograph=False).get_concrete_function(spec)

    def _operation(self, data, kind, channels, dtype="uint8"):
        import tensorflow as tf

        if kind == "png":
            return tf.raw_ops.DecodePng(contents=data, channels=channels, dtype=dtype)
        return tf.raw_ops.DecodeJpeg(
            contents=data, channels=channels, dct_method="INTEGER_ACCURATE"
        )

    def deep_png(self, data):
        """Numbers of a PNG of 16 bits; grey with alpha, which it does not know, by way of colour."""
        channels = PNG_CHANNELS[data[25]]
        if channels == 2:
            return self._operation(data, "png", 4, "uint16").numpy()[..., [0, 3]]
        return self._operation(data, "png", channels, "uint16").numpy()


class _ByImagecodecs:
    """Decodes JPEG by imagecodecs."""

    def __init__(self, decode):
        self._decode = decode

    def alone(self, image):
        try:
            return self._decode(image.data)
        except Exception:
            return None

    def together(self, images):
        return [self.alone(image) for image in images]


@functools.cache
def _decoder(kind):
    """What decodes images of a kind, "png" or "jpeg", or None."""
    if kind == "jpeg":
        with contextlib.suppress(ImportError):
            from imagecodecs import jpeg8_decode

            return _ByImagecodecs(jpeg8_decode)
    return _ByTensorFlow() if keras.backend.backend() == "tensorflow" else None


def sixteen_bits(data, file):
    """Numbers `(h, w, channels)` of colour of 16 bits, which Pillow would cut to 8."""
    decode = _deep_decoder(data)
    if decode is None:
        raise ValueError(
            "Colour images of 16 bits need the package imagecodecs: pip install "
            f"'keras-pixelrnn[images]'. Received: {file}"
        )
    try:
        pixels = decode(data)
    except MemoryError:
        raise
    except Exception as error:
        raise OSError(str(error)) from error
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    # Some make an alpha of the colour that is transparent.
    return pixels[..., : PNG_CHANNELS[data[25]]] if data.startswith(PNG) else pixels


def _deep_decoder(data):
    """What decodes an image of 16 bits, or None."""
    decoder = _decoder("png")
    if data.startswith(PNG) and decoder is not None:
        return decoder.deep_png
    try:
        from imagecodecs import imread
    except ImportError:
        return None
    return imread


def is_stretched(image):
    """Whether Pillow stretches the numbers of a file to 8 or 16 bits: PNM of another largest value."""
    codec, _, _, arguments = image.tile[0] if getattr(image, "tile", None) else ("", 0, 0, "")
    has_most = codec in ("ppm", "ppm_plain") and not isinstance(arguments, str)
    return has_most and arguments[1] not in (1, 255)


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
