"""Arguments that people pass: each comes back as what it was meant to be, or raises `ValueError`."""

import numpy as np


def positive_int(name, value):
    """`value` as an int, or `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"`{name}` must be a positive int. Received: {name}={value!r}")
    return int(value)


def fraction(name, value):
    """`value` as a float in 0 .. 1, or `ValueError`."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, bool
    )
    if not number or not 0.0 <= value <= 1.0:
        raise ValueError(f"`{name}` must be a number from 0 to 1. Received: {name}={value!r}")
    return float(value)


def image_shape(image_shape):
    """`image_shape` as a tuple, or `ValueError`."""
    shape = tuple(image_shape) if isinstance(image_shape, (tuple, list)) else ()
    sizes_ok = all(isinstance(size, (int, np.integer)) and size > 0 for size in shape)
    if len(shape) != 3 or not sizes_ok or shape[2] > 4:
        raise ValueError(
            "`image_shape` must be (height, width, channels), positive ints with 1 to 4 channels. "
            f"Received: image_shape={image_shape!r}"
        )
    return tuple(int(size) for size in shape)


def images(images, image_shape, distribution):
    """`images` as a uint8 array of the distribution's levels, or `ValueError` saying what is wrong."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != image_shape:
        raise ValueError(
            f"This model takes images of shape (batch, {', '.join(map(str, image_shape))})"
            f": batch, height, width, channels. Received: shape {images.shape}"
        )
    if images.dtype.kind not in "iu":
        raise ValueError(
            f"Images must be integers in 0 .. {distribution.levels - 1}; scaling happens "
            "inside the model. Quantise them and cast to uint8. "
            f"Received: dtype {images.dtype}"
        )
    low, high = (int(images.min()), int(images.max())) if images.size else (0, 0)
    if low < 0 or high >= distribution.levels:
        raise ValueError(
            f"Image values must lie in 0 .. {distribution.levels - 1} for "
            f"{distribution!r}. Quantise the images to its levels. "
            f"Received: values from {low} to {high}"
        )
    return images.astype(np.uint8)


def known(known, shape):
    """`known` as booleans of the `shape` of the images, or `ValueError`."""
    known = np.asarray(known)
    if known.dtype != bool:
        raise ValueError(
            "`known` must be boolean: True where a sub-pixel is given. "
            f"Received: dtype {known.dtype}"
        )
    count, height, width, channels = shape
    forms = {
        (height, width): (1, height, width, 1),
        (height, width, channels): (1, height, width, channels),
        (count, height, width): (count, height, width, 1),
        (count, height, width, channels): shape,
    }
    if known.shape not in forms:
        raise ValueError(
            "`known` must have the shape of `images`, or that shape without its batch axis, its "
            f"channel axis, or both. Received: images {shape}, known {known.shape}"
        )
    return np.ascontiguousarray(np.broadcast_to(known.reshape(forms[known.shape]), shape))


def controls(n, levels, temperature, top_k, top_p):
    """Sampling controls as three float32 arrays `(n,)`, or None where they change nothing."""
    top_k = levels if top_k is None else top_k
    ranges = {
        "temperature": (temperature, "positive", lambda x: x > 0),
        "top_k": (
            top_k,
            f"whole numbers from 1 to {levels}",
            lambda x: (x >= 1) & (x <= levels) & (x == x // 1),
        ),
        "top_p": (top_p, "in 0 < top_p <= 1", lambda x: (x > 0) & (x <= 1)),
    }
    checked = []
    for name, (value, expected, fits) in ranges.items():
        array = np.asarray(value)
        numbers = array.dtype.kind in "iuf" and array.shape in ((), (n,))
        if not numbers or not np.all(np.isfinite(array) & fits(array)):
            raise ValueError(
                f"`{name}` must be {expected}, one number for all images or an array of {n}. "
                f"Received: {name}={value!r}"
            )
        checked.append(np.broadcast_to(array.astype(np.float32), (n,)))
    temperature, top_k, top_p = checked
    changes = np.any((temperature != 1.0) | (top_k < levels) | (top_p < 1.0))
    return checked if changes else None
