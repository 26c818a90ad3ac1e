"""Arguments that cannot be meant, and how to tell them from those that can."""

import math

import numpy as np


def random_value(rng):
    """Anything a caller may pass by mistake."""
    kind = rng.integers(16)
    number = float(rng.normal()) * 10.0 ** int(rng.integers(-3, 6))
    return [
        lambda: None,
        lambda: bool(rng.integers(2)),
        lambda: "".join(map(chr, rng.integers(32, 127, int(rng.integers(0, 8))))),
        lambda: [],
        lambda: [int(x) for x in rng.integers(-3, 9, int(rng.integers(1, 5)))],
        lambda: {},
        lambda: {"class_name": "Nothing", "config": {}},
        lambda: -int(rng.integers(0, 1000)),
        lambda: number,
        lambda: [math.nan, math.inf, -math.inf][rng.integers(3)],
        lambda: 2 ** int(rng.integers(40, 80)),
        lambda: object(),
        lambda: (int(rng.integers(9)),) * int(rng.integers(0, 5)),
        lambda: b"bytes",
        lambda: np.zeros((2,) * int(rng.integers(0, 4))),
        lambda: {1, 2},
    ][kind]()


def whole(low, high):
    """Whether a value may be meant where an int from `low` to `high` is expected."""
    return lambda x: isinstance(x, int) and not isinstance(x, bool) and low <= x <= high


def number(low, high):
    """The same of a number, `low <= x < high`; a 0-dimensional array is one, too."""

    def fits(x):
        if isinstance(x, bool) or not isinstance(x, (int, float)):
            return False
        return low <= x < high

    return fits


def either(*values):
    """Whether a value is one of these."""
    return lambda x: any(type(x) is type(value) and x == value for value in values)


def optional(fits):
    """None, or what `fits`."""
    return lambda x: x is None or fits(x)


def sizes(lengths, low, high):
    """Whether a value is a tuple or list of so many ints."""
    one = whole(low, high)
    return lambda x: isinstance(x, (tuple, list)) and len(x) in lengths and all(map(one, x))


def odd(low=1):
    """Whether a value is an odd int, or a pair of them."""

    def one(x):
        return whole(low, 255)(x) and x % 2 == 1

    return lambda x: one(x) or (isinstance(x, (tuple, list)) and len(x) == 2 and all(map(one, x)))


def never(x):
    """Nothing random can be meant."""
    return False
