"""Sampling controls."""

import numpy as np

from keras_pixelrnn.checks.images import as_array
from keras_pixelrnn.checks.numbers import LOWEST, shown


def controls(n, levels, temperature, top_k, top_p):
    """Sampling controls as three float32 arrays `(n,)`, or None where they change nothing."""
    top_k = levels if top_k is None else top_k
    ranges = {
        "temperature": (
            temperature,
            f"positive and at least {LOWEST:.2g}, the smallest float32",
            lambda x: x >= LOWEST,
        ),
        "top_k": (
            top_k,
            f"whole numbers from 1 to {levels}",
            lambda x: (x >= 1) & (x <= levels) & (x == x // 1),
        ),
        "top_p": (top_p, "in 0 < top_p <= 1", lambda x: (x >= LOWEST) & (x <= 1)),
    }
    checked = []
    for name, (value, expected, fits) in ranges.items():
        array = as_array(name, value)
        numbers = array.dtype.kind in "iuf" and array.shape in ((), (n,))
        # Checked as what the model gets: a number may fit a float64 and be 0 or inf as a float32.
        with np.errstate(over="ignore"):
            array = array.astype(np.float32) if numbers else array
        if not numbers or not np.all(np.isfinite(array) & fits(array)):
            raise ValueError(
                f"`{name}` must be {expected}, one number for all images or an array of {n}. "
                f"Received: {name}={shown(value)}"
            )
        checked.append(np.broadcast_to(array, (n,)))
    temperature, top_k, top_p = checked
    changes = np.any((temperature != 1.0) | (top_k < levels) | (top_p < 1.0))
    return checked if changes else None
