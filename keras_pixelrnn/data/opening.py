"""Image files and what is wrong with one, said with its name."""

import io
import os
import re
import stat
from typing import NamedTuple

from PIL import Image

SKIP = "; `kp.data.load(..., on_error='skip')` leaves it out"
PREVIEWED = ("JPEG", "MPO")  # formats of cameras, whose further images are previews
LOSSLESS = ("PNG", "BMP", "PPM")  # as TIFF and WebP are, too, where they say so
# GIF keeps colours, not their numbers: Pillow for one numbers those of each file anew.


class Encoded(NamedTuple):
    """The bytes of an image file that lies in a table instead of a folder."""

    name: str
    data: bytes

    def __str__(self):
        return self.name


class UnreadableError(ValueError):
    """A file that holds no single image; `on_error="skip"` leaves these out."""


class opened:
    """`with _opened(data, file) as image`: what is wrong with the file is said with its name."""

    def __init__(self, data, file):
        # A stream, not the path: Pillow 13 maps a path into memory and garbles turned TIFF files.
        self._stream, self._file = io.BytesIO(data), file

    def __enter__(self):
        try:
            self._image = Image.open(self._stream)
            pixels, frames = self._image.width * self._image.height, _frames(self._image)
        except MemoryError:  # says nothing of the file
            raise
        except Exception as error:  # Pillow raises a dozen kinds
            raise unreadable(self._file, error) from error
        most = Image.MAX_IMAGE_PIXELS
        if (most and pixels > most) or frames != 1:
            self._image.close()
            way_out = "Expected fewer pixels: make it smaller"
            what = f"{pixels} pixels, more than PIL.Image.MAX_IMAGE_PIXELS = {most}"
            if frames != 1:
                way_out = (
                    "Expected a single image: save the frames that you want as files of their own"
                )
                what = f"{frames} frames"
            raise UnreadableError(f"Refused the image {self._file}. {way_out}. Received: {what}")
        return self._image

    def __exit__(self, *error):
        self._image.close()


def bytes_of(file):
    if isinstance(file, Encoded):
        return file.data
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):  # a pipe would be waited for
            raise OSError("not a file, but a folder, a pipe or a device")
        with open(file, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise unreadable(file, error) from error


def is_lossy(image):
    """Whether an open picture's file keeps other numbers than it was given, if only nearly those."""
    if image.format == "TIFF":
        return image.info.get("compression") in ("jpeg", "tiff_jpeg", "webp")
    if image.format is None:
        return False  # a picture that was made, not read
    if image.format != "WEBP":
        return image.format not in LOSSLESS
    if image.fp is None:  # once its pixels are loaded
        return True
    image.fp.seek(0)  # Pillow has read it, and keeps what it needs
    data, place = image.fp.read(), 12
    while place + 8 <= len(data) and data[place : place + 4] != b"VP8 ":  # VP8L is lossless
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8 + size + size % 2
    return place + 8 <= len(data)


def _frames(image):
    """Images in a file. What cameras store beside a JPEG (previews) does not count."""
    return 1 if image.format in PREVIEWED else getattr(image, "n_frames", 1)


def unreadable(file, error):
    why = re.sub(r" <.* at 0x\w+>", "", str(error))  # Pillow names the buffer it was given
    return UnreadableError(
        f"Cannot read the image {file}. Repair it or take it out of the folder{SKIP}. "
        f"Received: {type(error).__name__}: {why}"
    )
