"""Between the values that a sub-pixel takes: what a gradient by the image needs."""

from collections.abc import Callable
from typing import Any

from keras import ops

Tensor = Any


def between(function: Callable, value: Tensor, levels: int) -> Tensor:
    """`function` of whole values, interpolated: cubic convolution (Keys 1981, "Cubic convolution
    interpolation for digital image processing", with a = -1/2).

    It has the values of `function` at whole values and a continuous derivative everywhere: half the
    difference of the two neighbours there; at the first and last value, the difference from the one
    neighbour there is. Of two levels it is the straight line.

    Args:
        function: takes whole float32 values `0 .. levels-1` of the shape of `value`.
        value: float32; what is outside counts as the first value.
        levels: number of values.

    Returns:
        What `function` returns.

    Example:

    >>> float(between(lambda x: x * x, ops.convert_to_tensor(2.5), levels=8))
    6.25
    """
    value = ops.where(inside(value, levels), value, 0.0)
    first = ops.clip(ops.floor(value), 0.0, levels - 2.0)
    place = value - first  # at most 1, at the last value
    low, high = function(first), function(first + 1.0)
    before = function(ops.maximum(first - 1.0, 0.0))
    after = function(ops.minimum(first + 2.0, levels - 1.0))
    before = ops.where(first == 0.0, 2.0 * low - high, before)
    after = ops.where(first == levels - 2.0, 2.0 * high - low, after)
    cubic = 3.0 * (low - high) + after - before
    square = 2.0 * before - 5.0 * low + 4.0 * high - after
    return low + 0.5 * place * (high - before + place * (square + place * cubic))


def inside(value: Tensor, levels: int) -> Tensor:
    """Whether a value, whole or not, lies between the first and the last."""
    return ops.logical_and(value >= 0.0, value <= levels - 1.0)
