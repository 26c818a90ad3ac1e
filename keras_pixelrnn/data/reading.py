"""One image file or decoded picture, as an array that means what the file meant."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from keras_pixelrnn.data.decoding import (
    GROUP,
    ORIENTATION,
    TURNS,
    decoded,
    is_stretched,
    plain,
    pnm,
    sixteen_bits,
)
from keras_pixelrnn.data.modes import (
    as_stored,
    depth,
    is_inverted,
    raw_mode,
    refuse_signed_bytes,
    refuse_wrapped,
    straight,
)
from keras_pixelrnn.data.opening import bytes_of, is_lossy, opened, unreadable
from keras_pixelrnn.data.png import check_sums

STRETCHED = {"L;2": 85, "L;4": 17}  # grey of few bits, which Pillow makes 0 .. 255
VIA = {"LAB": "RGB", "La": "LA", "RGBa": "RGBA"}
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
MODES_OF_FILES = (1, 3, 4)  # channels that can be asked for
GREY_AS_COLOUR = {(1, 3): [0, 0, 0], (2, 4): [0, 0, 0, 1]}  # deep grey, with its alpha


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
        ((_, image),) = self.read_many([file])
        return image

    def read_many(self, files):
        """`(number, image)` of each of some files, in any order."""
        waiting = []
        for number, file in enumerate(files):
            data = bytes_of(file)
            found = None
            if not self.exact and self.dtype == np.uint8:
                found = plain(data, self.channels)
            if found is None:
                yield number, self._by_pillow(data, file)
                continue
            waiting.append((number, file, found))
            if found.large or len(waiting) == GROUP:
                yield from self._decoded(waiting)
                waiting = []
        yield from self._decoded(waiting)

    def _decoded(self, waiting):
        pixels = decoded([image for _, _, image in waiting])
        for (number, file, image), found in zip(waiting, pixels, strict=True):
            if found is None:
                yield number, self._by_pillow(image.data, file)
            else:
                yield number, self.fitted(found, file)

    def _by_pillow(self, data, file):
        with opened(data, file) as image:
            pixels = self.pixels(image, file)
        return self.fitted(pixels, file)

    def pixels(self, image, file):
        """Numbers `(h, w, channels)` of an open picture, upright, in its own size.

        Args:
            image: of Pillow.
            file: what to call it in an error.
        """
        if self.exact and is_lossy(image):
            raise ValueError(
                "Exact values do not outlast a lossy format or GIF, whose colours are numbered anew: "
                "what was written is not what is read. Save codes, integers, 0 and 1 as PNG. "
                f"Received: {file}, {'lossy ' * (image.format != 'GIF')}{image.format}"
            )
        refuse_signed_bytes(image, file)
        dtype, in_colour = depth(image)
        if dtype != self.dtype:
            raise ValueError(
                f"The files of a folder hold one kind of numbers, here {self.dtype}. Convert this "
                f"one, or keep it elsewhere. Received: {file} with {dtype}"
            )
        if in_colour or (is_stretched(image) and (self.exact or dtype != np.uint8)):
            raw = raw_mode(image)
            if raw.startswith("CMYK"):
                raise ValueError(
                    "Inks of 16 bits (CMYK) are not read: save the image as RGB. "
                    f"Received: {file}, {raw}"
                )
            pixels = _stored(image, file)  # before Pillow, asked for the EXIF, closes the file
            if pixels.shape[2] == 4 and not self.exact:
                pixels = straight(pixels, raw)
            turn = TURNS.get(image.getexif().get(ORIENTATION), lambda pixels: pixels)
            return self._channels_of(turn(pixels), image, file)
        raw, inverted = raw_mode(image), is_inverted(image) and not self.exact
        image = upright(image, file)
        if dtype != np.uint8:
            pixels = np.asarray(image).astype(self.dtype)[..., None]
            refuse_wrapped(pixels, raw, file)
            pixels = np.iinfo(self.dtype).max - pixels if inverted else pixels
            return self._channels_of(pixels, image, file)
        if self.exact:
            pixels = np.asarray(image)  # of a palette, its indices
            pixels = as_stored(pixels.astype(np.uint8).reshape(*pixels.shape[:2], -1), raw)
            return self._channels_of(pixels, image, file)
        return np.asarray(self._converted(image, file)).reshape(image.height, image.width, -1)

    def _converted(self, image, file):
        """An 8-bit picture in the wanted mode."""
        if image.mode in VIA:  # Pillow converts these to few others
            image = image.convert(VIA[image.mode])
        if self.channels in (1, 3) and _has_alpha(image):
            image = image.convert("RGBA")
            if image.getextrema()[3][0] < 255:
                self._needs_background(file)
                below = Image.new("RGBA", image.size, (*self.background, 255))
                image = Image.alpha_composite(below, image)
            image = image.convert("RGB")
        return image if image.mode == MODES[self.channels] else image.convert(MODES[self.channels])

    def _needs_background(self, file):
        if self.background is None:
            raise ValueError(
                "An image with transparent pixels needs a colour to lie on, such as "
                "background='white' or '#ffffff', or channels=4; or save it without them, or pass "
                "a picture of Pillow as picture.convert('RGBA'). "
                f"Received: {file}, background=None"
            )

    def _channels_of(self, pixels, image, file):
        """Deep or exact numbers with the wanted number of channels; only grey becomes colour."""
        if not self.exact:
            pixels = self._laid(pixels, image.info.get("transparency"), file)
        found = pixels.shape[2]
        if found == self.channels:
            return pixels
        if (found, self.channels) in GREY_AS_COLOUR and not self.exact:
            return pixels[..., GREY_AS_COLOUR[found, self.channels]]
        way_out = f"Pass channels={found}, or convert" if found in MODES_OF_FILES else "Convert"
        raise ValueError(
            f"Expected {self.channels} channels; those of {'exact values' if self.exact else self.dtype}"
            f" images are not mixed, and none are made. {way_out} the files. "
            f"Received: {file} with {found} channels"
        )

    def _laid(self, pixels, transparent, file):
        """Deep numbers, those with alpha, or of the colour that is `transparent`, on the background."""
        channels = pixels.shape[2]
        if channels in (1, 3) and transparent is not None:
            alpha = ~(pixels == np.reshape(transparent, -1)).all(axis=2, keepdims=True)
            alpha = alpha * np.iinfo(self.dtype).max
            if self.channels == 4:
                return np.concatenate([pixels, alpha.astype(self.dtype)], axis=2)
        elif channels in (2, 4) and self.channels in (1, 3):
            pixels, alpha = pixels[..., :-1], pixels[..., -1:].astype(np.int64)
        else:
            return pixels
        most = np.iinfo(self.dtype).max
        if (alpha < most).any():
            self._needs_background(file)
            below = np.array(self.background) * (most // 255)
            if pixels.shape[2] == 1 and len(set(self.background)) > 1:
                raise ValueError(
                    "Grey images of more than 8 bits lie on a grey background. "
                    f"Received: {file}, background={self.background}"
                )
            below = below[: pixels.shape[2]]
            mixed = pixels * (alpha / most) + below * (1 - alpha / most)
            pixels = np.rint(mixed).astype(self.dtype)
        return pixels

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
        weight = None
        if self.channels == 4 and self.dtype == np.uint16:  # as Pillow does with 8 bits
            weight = pixels[..., 3:] / np.iinfo(self.dtype).max
            pixels = np.concatenate([pixels[..., :3] * weight, pixels[..., 3:]], axis=2)
        planes = [
            np.asarray(Image.fromarray(plane.astype(np.float32)).resize(size, how, box=box))
            for plane in np.moveaxis(pixels, 2, 0)
        ]
        resized = np.stack(planes, axis=2)
        if weight is not None:
            shown = np.maximum(resized[..., 3:], 0.5) / np.iinfo(self.dtype).max
            resized[..., :3] = np.minimum(resized[..., :3] / shown, np.iinfo(self.dtype).max)
        return (resized if self.dtype.kind == "f" else np.rint(resized)).astype(self.dtype)


def probe(file):
    """dtype of a file's numbers, from its header."""
    with opened(bytes_of(file), file) as image:
        refuse_signed_bytes(image, file)
        return depth(image)[0]


def _stored(image, file):
    """Numbers of a file that Pillow would cut or stretch."""
    try:
        image.fp.seek(0)
        data = image.fp.read()
        if is_stretched(image):
            return pnm(data, image, file).astype(depth(image)[0])
        return sixteen_bits(data, file)
    except MemoryError:
        raise
    except Exception as error:
        if str(file) in str(error):
            raise
        raise unreadable(file, error) from error


def upright(image, file):
    """The decoded picture, turned as its EXIF orientation says. `file`: what to call it in an error."""
    try:
        if image.format == "PNG" and image.fp is not None:  # None: its pixels are there already
            check_sums(image.fp)
        raw, transparent = raw_mode(image), image.info.get("transparency")
        image.load()
        if raw in STRETCHED and isinstance(transparent, int):  # Pillow leaves it as it is stored
            image.info["transparency"] = transparent * STRETCHED[raw]
        return ImageOps.exif_transpose(image)
    except MemoryError:
        raise
    except Exception as error:
        raise unreadable(file, error) from error


def _has_alpha(image):
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
