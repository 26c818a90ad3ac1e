"""One image, or labels, of a list or stream as an array, or `ValueError`."""

import numpy as np
from PIL import Image

from keras_pixelrnn import checks
from keras_pixelrnn.data import labels as labels_
from keras_pixelrnn.data.modes import depth
from keras_pixelrnn.data.reading import Reader, upright

AS_THEY_ARE = ("1", "L", "LA", "RGB", "RGBA", "I", "I;16", "I;16B", "I;16L", "F")  # modes of Pillow

FEW_BITS = ("PNG", "TIFF", "PPM", "BMP")  # formats whose numbers Pillow may stretch or invert


def image(value, where, exact=False):
    """`value` as an array. `exact`: its numbers are indices or levels, as of a `Reader`."""
    checks.unmasked(where, value)
    if isinstance(value, Image.Image):
        return _picture(value, where, exact)
    if hasattr(value, "shape") and not isinstance(value, np.ndarray):
        value = checks.tensor("images", value, where)
    try:
        return np.asarray(value)
    except MemoryError:
        raise
    except ValueError as error:
        raise ValueError(
            "Images must be one array, all of one size. A folder of images of many sizes is cut to "
            f"`image_size`. Received: {where}: {error}"
        ) from error
    except Exception as error:  # of another kind from each library
        raise ValueError(
            "Images must be arrays, or what NumPy makes arrays of. "
            f"Received: {where}, a {type(value).__name__}: {error}"
        ) from error


def check_layout(shape, channels, where):
    """`ValueError` where narrow images fit several layouts, and `channels` do not say which is meant.

    Args:
        shape: of an image, which may be a batch of grey ones, or of a batch.
        channels: of each image, or None.
        where: words for errors.
    """
    narrow = 1 < shape[-1] <= 4
    if len(shape) == 3:  # colour images come one at a time, too; grey ones are seldom as narrow
        several = narrow and shape[-1] == shape[-2]
    else:
        several = narrow and (1 <= shape[1] <= 4 or shape[-1] == shape[-2])
    if channels is None and several:
        raise ValueError(
            "The last axis may hold channels, as it should, or columns. If it holds channels pass "
            f"channels={shape[-1]}; grey images without a channel axis pass as images[..., None], "
            "PyTorch's (n, channels, height, width) as np.moveaxis(images, 1, -1). "
            f"Received: {where} of shape {tuple(shape)}"
        )


def need_reading(images):
    """Whether a list holds what `numpy.asarray` would not take for what it means."""
    return any(isinstance(each, (Image.Image, np.ma.MaskedArray)) for each in images)


def labels(value, count, where):
    """Labels of `count` images, or the one of an image alone where `count` is None, as `(n, ...)`."""
    array = np.array(labels_.array_of(value, f"labels of {where}"))  # as of images: see `streams`
    array = array[None] if count is None else array
    if count is not None and array.shape[:1] != (count,):
        raise ValueError(
            "A batch holds one label for each of its images, in their order. "
            f"Received: {where} with a batch of {count} images and labels of shape {array.shape}"
        )
    return array


def joined(parts, where):
    """Labels of several batches as one array."""
    kinds = {
        ("names" if part.dtype.kind in "USTO" else "numbers", part.shape[1:]) for part in parts
    }
    if len(kinds) > 1:
        told = " and ".join(
            sorted(
                f"{kind} of shape ({', '.join(['n', *map(str, shape)])})" for kind, shape in kinds
            )
        )
        raise ValueError(
            f"All labels must be of one kind: ints, names or one-hot rows. Received: {where} with {told}"
        )
    return np.concatenate(parts)


def _picture(picture, where, exact):
    """Numbers `(height, width, channels)` of a picture of Pillow, upright."""
    if picture.mode not in AS_THEY_ARE:
        raise ValueError(
            "The numbers of a palette or of such a colour space are no colours. Convert the pictures: "
            "picture.convert('RGB'); of palettes that are codes pass np.asarray(picture)[..., None]. "
            f"Received: {where} with a picture of the mode {picture.mode!r}"
        )
    if exact and _may_be_stretched(picture):
        raise ValueError(
            "Pillow stretches the numbers of a picture of few bits once its pixels are loaded. Open "
            "the files anew, or pass their folder; of 8 bits pass np.asarray(picture)[..., None]. "
            f"Received: {where} with a picture whose pixels are loaded"
        )
    if picture.mode == "1" and not exact:
        return np.array(upright(picture, where))[..., None]
    channels, dtype = len(picture.getbands()), depth(picture)[0]
    return Reader(picture.height, picture.width, channels, dtype, exact).pixels(picture, where)


def _may_be_stretched(picture):
    """Whether the pixels of a picture are loaded and may be other numbers than those of its file."""
    if picture.format not in FEW_BITS or picture.tile:
        return False
    if picture.format != "PNG":
        return True
    pixels = np.asarray(picture)
    return picture.mode == "L" and pixels.any() and not (pixels % 17).any()  # of 4 bits at most
