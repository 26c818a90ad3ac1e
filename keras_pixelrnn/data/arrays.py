"""Images in arrays: what shapes people bring, and which are which."""

import numpy as np
from PIL import Image

from keras_pixelrnn import checks, mapped
from keras_pixelrnn.data import elements, streams
from keras_pixelrnn.data import labels as labels_
from keras_pixelrnn.data.split import SPLITS, Arrays, Source, Subset, check_splits, hold_out, tenths

WHOLE = 2**30  # bytes of an array that are read through to see its values
STORED = 2**28  # of one that lies in a file
WAYS_OUT = {  # by the kind of a dtype that holds no numbers to NumPy
    "U": " Of image files pass the folder that they lie in.",
    "S": " Of image files pass the folder that they lie in.",
    "O": " An array of objects holds none: make one of numbers, np.stack(list(images)).",
    "V": " Cast bfloat16 and smaller floats to float32.",
}
ALIASES = {"training": "train", "val": "validation", "valid": "validation", "testing": "test"}


def split_called(name):
    """The name of the split that one of another spelling means: "Valid" is validation."""
    name = str(name).lower()
    return ALIASES.get(name, name)


def split_names(parts):
    """Keys of a dict as names of splits; `ValueError` for others."""
    named = {}
    for key, part in parts.items():
        name = split_called(key)
        if name not in SPLITS or name in named:
            raise ValueError(
                f"A dict of images needs the keys {', '.join(SPLITS)}, of which those after train "
                f"may be missing. Received: {sorted(map(str, parts))}"
            )
        named[name] = part
    if "train" not in named:
        raise ValueError(
            f"A dict of images needs the keys {', '.join(SPLITS)}, of which those after train may "
            f"be missing. Received: {sorted(map(str, parts))}"
        )
    return named


def from_splits(parts, class_names=None, protocol="given arrays", exact=False, hidden=False):
    """Source of one array, of `(images, labels)`, or of a dict of either.

    Args:
        parts: array `(n, height, width, channels)`, split 80/10/10 in its order; a tuple
            `(images, labels)` likewise, or a dict with "image" and "label"; or a dict of any of these
            by split, of which "validation" and "test" are taken from the end of train where missing.
        class_names: names of the labels.
        protocol: words.
        exact: see `elements.image`.
        hidden: see `labels.as_ints`.
    """
    by_split = isinstance(parts, dict) and not streams.is_named(parts)
    if by_split:
        pairs = {name: _pair(part) for name, part in split_names(parts).items()}
    else:
        pairs = {"train": _pair(parts)}
    stored = {
        name: as_images(images, f"{name} images" if by_split else "images", exact)
        for name, (images, _) in pairs.items()
    }
    labels, names = labels_.numbered(
        {name: (part, len(stored[name])) for name, (_, part) in pairs.items()}, class_names, hidden
    )
    splits = {name: Arrays(images, labels[name]) for name, images in stored.items()}
    if by_split:
        splits, words = hold_out(splits)
    else:
        whole, ends = splits["train"], tenths(splits["train"].shape[0])
        numbers = np.split(np.arange(whole.shape[0]), ends)
        splits = {name: Subset(whole, part) for name, part in zip(SPLITS, numbers, strict=True)}
        words = ", split 80/10/10 in their order"
    check_splits(splits)
    stored = list(stored.values())
    small = all(_size(images) <= WHOLE and not mapped.is_stored(images) for images in stored)
    quick = all(_size(images) <= STORED for images in stored)
    return Source(
        splits,
        None,
        names,
        protocol + words,
        (lambda: _extent(stored)) if small else None,
        small or quick,
    )


def as_images(images, where="images", exact=False):
    """`images` as numbers `(n, height, width, channels)`, or `ValueError` with the way out."""
    if not (
        hasattr(images, "shape") and hasattr(images, "dtype") and hasattr(images, "__getitem__")
    ):
        images = _stacked(images, where, exact)
    elif not isinstance(images, np.ndarray) and not mapped.is_stored(images):
        images = elements.image(images, where)  # tensors of TensorFlow, JAX, PyTorch
    check_dtype(images.dtype, where)
    checks.unmasked(where, images)
    check_shape(tuple(images.shape), where)
    return images


def check_dtype(dtype, where):
    """`ValueError` for a dtype that holds no numbers."""
    if dtype.kind not in "biuf":
        way_out = "" if dtype.names else WAYS_OUT.get(dtype.kind, "")
        raise ValueError(f"Images must be numbers.{way_out} Received: {where} of dtype {dtype}")


def check_shape(shape, where):
    """`ValueError` for a shape that is not `(n, height, width, channels)`, with the way out."""
    if 0 in shape[1:]:
        raise ValueError(f"Images must have pixels. Received: {where} of shape {shape}")
    if len(shape) == 3:
        raise ValueError(
            f"Images have shape (n, height, width, channels); these lack one axis. For {shape[0]} "
            f"grey images pass images[..., None], for one image images[None]. "
            f"Received: {where} of shape {shape}"
        )
    if len(shape) != 4:
        way_out = " Rows of pixels become images by images.reshape(-1, height, width, channels)."
        raise ValueError(
            f"Images have shape (n, height, width, channels).{way_out if len(shape) == 2 else ''} "
            f"Received: {where} of shape {shape}"
        )
    if not 1 <= shape[3] <= 4:
        if 1 <= shape[1] <= 4:
            raise ValueError(
                "Images have shape (n, height, width, channels); these look like PyTorch's (n, "
                "channels, height, width). Pass np.moveaxis(images, 1, -1). "
                f"Received: {where} of shape {shape}"
            )
        raise ValueError(
            "Images have shape (n, height, width, channels), 1 to 4 channels. "
            f"Received: {where} of shape {shape}"
        )


def _pair(part):
    if streams.is_named(part):
        return streams.parts(part, "a dict of arrays")
    if not isinstance(part, tuple):
        return part, None
    if len(part) != 2:
        raise ValueError(f"Expected a pair (images, labels). Received: a tuple of {len(part)}")
    return part


def _stacked(images, where, exact):
    parts = images if isinstance(images, (list, tuple)) else ()
    if parts and _is_pair_of_arrays(parts[0]):
        raise ValueError(
            "Splits go by name: kp.data.load({'train': (images, labels), 'test': (images, labels)}). "
            f"Received: {where}, a {type(images).__name__} of {len(parts)} pairs of arrays"
        )
    if len(parts) == 2 and np.ndim(parts[0]) == 4 and np.ndim(parts[1]) in (1, 2):
        raise ValueError(
            "Images and their labels go as a tuple, (images, labels). "
            f"Received: {where}, a {type(images).__name__} of both"
        )
    if parts and _is_labelled(parts[0]):
        raise ValueError(
            "A list holds images alone. Of pairs (image, label), or dicts of these, pass iter(pairs). "
            f"Received: {where}, a {type(images).__name__} of {type(parts[0]).__name__}s"
        )
    if elements.need_reading(parts):
        images = [elements.image(part, where, exact) for part in parts]
    return elements.image(images, where)


def _is_pair_of_arrays(part):
    """Whether this is `(images, labels)`, and not `(image, label)`."""
    return isinstance(part, (tuple, list)) and len(part) == 2 and np.ndim(part[0]) == 4


def _is_labelled(part):
    """Whether this is `(image, label)`, or a dict of them, and not the rows of an image."""
    if isinstance(part, dict) or not isinstance(part, (tuple, list)) or len(part) != 2:
        return isinstance(part, dict)
    if isinstance(part[0], Image.Image):
        return True
    shape, other = (tuple(getattr(value, "shape", ())) for value in part)
    return len(shape) > 1 and shape != other


def _size(images):
    return int(np.prod(images.shape)) * np.dtype(images.dtype).itemsize


def _extent(arrays):
    filled = [array for array in arrays if array.size]
    return min(array.min() for array in filled), max(array.max() for array in filled)
