"""One image file or decoded picture, as an array that means what the file meant."""

import functools
import io
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from keras_pixelrnn.data.png import check_sums

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
DEEP = {"I;16": np.uint16, "I;16B": np.uint16, "I;16L": np.uint16, "I": np.int32, "F": np.float32}
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,  # where warnings are errors
)
SERIES = ("TIFF", "PNG", "WEBP", "GIF")  # formats whose files may hold several images

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


class Encoded(NamedTuple):
    """The bytes of an image file that lies in a table instead of a folder."""

    name: str
    data: bytes

    def __str__(self):
        return self.name


class UnreadableError(ValueError):
    """A file that holds no single image; `on_error="skip"` leaves these out."""


@dataclass(frozen=True)
class Reader:
    """Reads images to one size, number of channels and dtype.

    Attributes:
        height, width, channels: of every image.
        dtype: of the stored numbers: uint8, uint16, int32 or float32.
        exact: the numbers are indices or levels, not intensities: nothing is converted or resized.
        background: `(r, g, b)` that transparent pixels are laid upon, or None to refuse them.
    """

    height: int
    width: int
    channels: int
    dtype: np.dtype
    exact: bool = False
    background: tuple | None = None

    def read(self, file):
        """The image `(height, width, channels)` of a path or `Encoded`; errors name the file."""
        with _opened(file) as image:
            pixels = self.pixels(image, file)
        return self.fitted(pixels, file)

    def pixels(self, image, file):
        """Numbers `(h, w, channels)` of an open picture, upright, in its own size."""
        dtype, sixteen_colours = depth(image)
        if dtype != self.dtype:
            raise ValueError(
                f"The files of a folder hold one kind of numbers, here {self.dtype}. Convert this "
                f"one, or keep it elsewhere. Received: {file} with {dtype}"
            )
        if sixteen_colours:
            turn = TURNS.get(image.getexif().get(ORIENTATION), lambda pixels: pixels)
            return self._channels_of(turn(_sixteen_bits(file)), file)
        if not self.exact and image.format == "JPEG" and image.mode == MODES[self.channels]:
            pixels = _jpeg(image)
            if pixels is not None:
                return pixels.reshape(*pixels.shape[:2], -1)
        image = _upright(image, file)
        if dtype != np.uint8:
            return self._channels_of(np.asarray(image).astype(self.dtype)[..., None], file)
        if self.exact:
            pixels = np.asarray(image)  # of a palette, its indices
            pixels = pixels.astype(np.uint8).reshape(*pixels.shape[:2], -1)
            return self._channels_of(pixels, file)
        return np.asarray(self._converted(image, file)).reshape(image.height, image.width, -1)

    def _converted(self, image, file):
        """An 8-bit picture in the wanted mode."""
        if self.channels < 4 and _has_alpha(image):
            image = image.convert("RGBA")
            if image.getextrema()[3][0] < 255:
                if self.background is None:
                    raise ValueError(
                        "An image with transparent pixels needs a colour to lie on, such as "
                        "background='white' or (255, 255, 255), or channels=4. "
                        f"Received: {file}, background=None"
                    )
                below = Image.new("RGBA", image.size, (*self.background, 255))
                image = Image.alpha_composite(below, image)
            image = image.convert("RGB")
        return image if image.mode == MODES[self.channels] else image.convert(MODES[self.channels])

    def _channels_of(self, pixels, file):
        """Deep or exact numbers with the wanted number of channels; only grey becomes colour."""
        if pixels.shape[2] == self.channels:
            return pixels
        if pixels.shape[2] == 1 and not self.exact:
            return np.repeat(pixels, self.channels, axis=2)
        raise ValueError(
            f"Expected {self.channels} channels; those of {'exact values' if self.exact else self.dtype}"
            f" images are not mixed. Pass channels={pixels.shape[2]}, or convert the files. "
            f"Received: {file} with {pixels.shape[2]} channels"
        )

    def fitted(self, pixels, file):
        """The largest centred part of the wanted aspect ratio, resized by averaging areas."""
        height, width = pixels.shape[:2]
        if (height, width) == (self.height, self.width):
            return pixels
        if self.exact:
            raise ValueError(
                "Codes and other exact values cannot be resized: averages of them mean nothing. "
                f"Expected {self.height}x{self.width}. Received: {file} of {height}x{width}"
            )
        scale = min(width / self.width, height / self.height)
        left = (width - self.width * scale) / 2
        top = (height - self.height * scale) / 2
        box = (left, top, left + self.width * scale, top + self.height * scale)
        size, how = (self.width, self.height), Image.Resampling.BOX
        if self.dtype == np.uint8:
            image = Image.fromarray(pixels[..., 0] if self.channels == 1 else pixels)
            return np.asarray(image.resize(size, how, box=box)).reshape(self.height, self.width, -1)
        planes = [
            np.asarray(Image.fromarray(plane.astype(np.float32)).resize(size, how, box=box))
            for plane in np.moveaxis(pixels, 2, 0)
        ]
        resized = np.stack(planes, axis=2)
        return (resized if self.dtype.kind == "f" else np.rint(resized)).astype(self.dtype)


def depth(image):
    """dtype of an open picture's numbers, and whether it is colour that Pillow would cut to 8 bits."""
    if any(";16" in str(tile[3]) for tile in image.tile) and image.mode not in DEEP:
        return np.dtype(np.uint16), True
    return np.dtype(DEEP.get(image.mode, np.uint8)), False


def probe(file):
    """dtype and number of channels of a file, from its header."""
    with _opened(file) as image:
        deep = depth(image)[0]
        return deep, 1 if image.mode in (*DEEP, "1", "L", "P") else len(image.getbands())


class _opened:
    """`with _opened(path) as image`: what is wrong with the file is said with its name."""

    def __init__(self, file):
        self._file = file

    def __enter__(self):
        try:
            # A stream, not the path: Pillow 13 maps a path into memory and garbles turned TIFF files.
            self._stream = _stream(self._file)
        except OSError as error:
            raise _unreadable(self._file, error) from error
        try:
            self._image = Image.open(self._stream)
        except BROKEN as error:
            self._stream.close()
            raise _unreadable(self._file, error) from error
        most = Image.MAX_IMAGE_PIXELS
        pixels, frames = self._image.width * self._image.height, _frames(self._image)
        if (most and pixels > most) or frames != 1:
            self.__exit__()
            what = f"{pixels} pixels, more than PIL.Image.MAX_IMAGE_PIXELS = {most}"
            if frames != 1:
                what = f"{frames} frames; expected a single image"
            raise UnreadableError(f"Refused the image {self._file}. Received: {what}")
        return self._image

    def __exit__(self, *error):
        self._image.close()
        self._stream.close()


def _stream(file):
    return io.BytesIO(file.data) if isinstance(file, Encoded) else open(file, "rb")


def _frames(image):
    """Images in a file. What cameras store beside a JPEG (previews) does not count."""
    return getattr(image, "n_frames", 1) if image.format in SERIES else 1


def _unreadable(file, error):
    return UnreadableError(
        f"Cannot read the image {file}. Repair it, take it out of the folder, or pass "
        f"on_error='skip'. Received: {type(error).__name__}: {error}"
    )


def _upright(image, file):
    """The decoded picture, turned as its EXIF orientation says."""
    try:
        if image.format == "PNG" and image.fp is not None:  # None: its pixels are there already
            check_sums(image.fp)
        image.load()
        return ImageOps.exif_transpose(image)
    except BROKEN as error:
        raise _unreadable(file, error) from error


def _jpeg(image):
    """Pixels of an open JPEG, upright, by imagecodecs: Pillow's numbers in half the time. None where
    it is not installed, or where Pillow should say what is wrong with the file."""
    decode = _jpeg_decoder()
    if decode is None:
        return None
    image.fp.seek(0)
    data = image.fp.read()
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):  # cut off: the decoder would fill it up
        return None
    try:
        pixels = decode(data)
    except Exception:
        return None
    turn = TURNS.get(image.getexif().get(ORIENTATION))
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


@functools.cache
def _jpeg_decoder():
    try:
        from imagecodecs import jpeg8_decode
    except ImportError:
        return None
    return jpeg8_decode


def _has_alpha(image):
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _sixteen_bits(file):
    try:
        import imagecodecs
    except ImportError:
        raise ValueError(
            "Colour images of 16 bits need the package imagecodecs: pip install "
            f"keras-pixelrnn[images]. Received: {file}"
        ) from None
    try:
        pixels = imagecodecs.imread(file.data if isinstance(file, Encoded) else file)
    except Exception as error:
        raise _unreadable(file, error) from error
    return pixels.reshape(*pixels.shape[:2], -1)
