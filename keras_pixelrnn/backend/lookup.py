"""Searching, reading and cutting small tables, as single operations where TensorFlow has them."""

import numpy as np
from keras import ops

from keras_pixelrnn.backend.compiling import name


def count_up_to(rising, u):
    """How many of `rising (batch, n)` are at most `u (batch, 1)`: `(batch, 1)` int32."""
    if name() == "tensorflow":
        import tensorflow as tf

        return tf.raw_ops.UpperBound(sorted_inputs=rising, values=u)
    return ops.sum(ops.cast(rising <= u, "int32"), axis=-1, keepdims=True)


def rows_of(table, places):
    """`table[places]`: rows `(n, ...)` at `(batch, 1)` int32, none of them negative."""
    if name() == "tensorflow":
        import tensorflow as tf

        return tf.gather(table, places)  # `ops.take` would look for negative ones
    return ops.take(table, places, axis=0)


def cut(x, sizes, axis):
    """`x` in parts of some sizes along an axis, a list."""
    if name() == "tensorflow":
        import tensorflow as tf

        return tf.split(x, sizes, axis=axis)  # `ops.split` takes eight operations for it
    return ops.split(x, np.cumsum(sizes)[:-1].tolist(), axis=axis)
