"""Numbers, switches and choices: each comes back as what it was meant to be, or raises `ValueError`.

Upper bounds lie far above what anybody means, and below what would fill a machine or hang it.
"""

import math

import numpy as np

MOST_SIDE = 4096  # rows or columns of an image
MOST_UNITS = 4096  # hidden features of a layer
MOST_FEATURES = 4 * MOST_UNITS
MOST_BLOCKS = 1000
MOST_KERNEL = 255
MOST_MIXTURES = 1000
MOST_CODES = 2**16
MOST_FILTERS = 4 * MOST_CODES  # of the last layer: a logit for each value of each channel
MOST_CLASSES = 100_000  # each has weights of its own in every layer
MOST_DRAWN = 2**31  # sub-pixels of one call: 2 GiB of values, or 4
MOST_WEIGHT = 1e15  # of an image, or a class: nats times both, and their gradient, are float32
MOST_STEPS = 2**40  # or epochs: the place in the data is an int64
# Of a float32; what is below the lowest counts as 0 on most processors.
LOWEST, HIGHEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)


def is_whole(value):
    """Whether `value` is an int, of Python or NumPy, and no bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def whole(name, value, low=1, high=None):
    """`value` as an int from `low` to `high`."""
    if not is_whole(value) or value < low or (high is not None and value > high):
        expected = f"{low} or more" if high is None else f"from {low} to {high}"
        raise ValueError(f"`{name}` must be an int, {expected}. Received: {name}={shown(value)}")
    return int(value)


def positive_int(name, value, high=None):
    """`value` as an int of 1 or more."""
    return whole(name, value, 1, high)


def optional(check, name, value, *args):
    """None, or what `check(name, value, *args)` makes of `value`."""
    return None if value is None else check(name, value, *args)


def channels(name, value):
    """`value`, a number of channels that image files are read with."""
    if not is_whole(value) or value not in (1, 3, 4):
        raise ValueError(f"`{name}` must be 1, 3 or 4. Received: {name}={shown(value)}")
    return value


def rate(name, value):
    """`value` as a float in [0, 1)."""
    if not _is_real(value) or not 0 <= value < 1:
        raise ValueError(
            f"`{name}` must be a number, 0 or more and below 1. Received: {name}={shown(value)}"
        )
    return float(value)


def positive(name, value):
    """`value` as a float above 0 that is neither 0 nor infinite as a float32."""
    if not _is_real(value) or not LOWEST <= value <= HIGHEST:
        raise ValueError(
            f"`{name}` must be a finite number above 0, of those that a float32 holds. "
            f"Received: {name}={shown(value)}"
        )
    return float(value)


def fraction(name, value):
    """`value` as a float in [0, 1]."""
    if not _is_real(value) or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a number from 0 to 1. Received: {name}={shown(value)}")
    return float(value)


def limits(name, value):
    """`value` as a pair `(low, high)` of finite numbers, low < high."""
    pair = as_tuple(value)
    numbers = len(pair) == 2 and all(map(_is_real, pair))
    try:
        width = float(pair[1]) - float(pair[0]) if numbers else 0.0
    except OverflowError:  # ints beyond any float
        width = np.inf
    if not (width > 0 and np.isfinite(width)):
        raise ValueError(
            f"`{name}` must be two numbers (low, high), low < high. Received: {name}={shown(value)}"
        )
    return pair


def _is_real(value):
    real = isinstance(value, (int, float, np.integer, np.floating))
    return real and not isinstance(value, bool) and value is not np.ma.masked


def switch(name, value):
    """`value` as a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"`{name}` must be True or False. Received: {name}={shown(value)}")
    return bool(value)


def choice(name, value, options):
    """`value`, one of some strings."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(
            f"`{name}` must be one of: {', '.join(options)}. Received: {name}={shown(value)}"
        )
    return value


def layer_name(name):
    """`name` as Keras takes it, or None."""
    if name is not None and (not isinstance(name, str) or "/" in name or not name):
        raise ValueError(f"`name` must be a string without a slash. Received: name={shown(name)}")
    return name


def odd(name, value, low=1):
    """`value` as an odd int."""
    if not is_whole(value) or value % 2 == 0 or not low <= value <= MOST_KERNEL:
        raise ValueError(
            f"`{name}` must be an odd int from {low} to {MOST_KERNEL}: a masked convolution is "
            f"centred on a pixel. Received: {name}={shown(value)}"
        )
    return int(value)


def kernel_size(name, value, low=1):
    """`value`, an odd int or a pair of them, as `(rows, columns)`."""
    if len(pair := as_tuple(value)) == 2:
        return tuple(odd(name, side, low) for side in pair)
    return (odd(name, value, low),) * 2


def image_shape(image_shape):
    """`image_shape` as a tuple of `(height, width, channels)`."""
    shape = as_tuple(image_shape)
    sizes_ok = all(is_whole(size) and 0 < size <= MOST_SIDE for size in shape)
    if len(shape) != 3 or not sizes_ok or shape[2] > 4:
        raise ValueError(
            f"`image_shape` must be (height, width, channels), ints from 1 to {MOST_SIDE} with 1 to 4 "
            f"channels. Received: image_shape={shown(image_shape)}"
        )
    return tuple(int(size) for size in shape)


def size(size):
    """`size` of images as a tuple of `(height, width)`."""
    pair = as_tuple(size)
    if len(pair) != 2 or not all(is_whole(side) and 0 < side <= MOST_SIDE for side in pair):
        raise ValueError(
            f"`size` must be (height, width), ints from 1 to {MOST_SIDE}. "
            f"Received: size={shown(size)}"
        )
    return tuple(int(side) for side in pair)


def as_tuple(value):
    """A tuple, list or array of one axis as a tuple; empty of anything else: a set has no order."""
    is_array = isinstance(value, np.ndarray) and value.ndim == 1
    return tuple(value) if is_array or isinstance(value, (tuple, list)) else ()


def drawn(n, image_shape, name="n"):
    """`n`, or what else the argument is called, as the number of images to work on at once."""
    return whole(name, n, 1, MOST_DRAWN // math.prod(image_shape))


def shown(value):
    """`value` as an error shows it: not longer than a line or two."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}... ({type(value).__name__})"
