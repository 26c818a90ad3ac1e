"""TensorFlow's LSTM of single operations, for graphs without XLA."""

from collections.abc import Callable
from typing import NamedTuple

from keras_pixelrnn.backend.compiling import under_xla


class FusedLSTM(NamedTuple):
    """An LSTM of single operations, float32.

    Attributes:
        step: `(x, h, c) -> (h, c)`, one step: `(batch, k)`, `(batch, h)` and `(batch, h)`.
        run: `(x, h, c) -> h`, all steps of `(length, batch, k)`: `(length, batch, h)`.
    """

    step: Callable
    run: Callable


def fused_lstm(kernel, bias):
    """A `FusedLSTM` where there is one: TensorFlow without XLA, which has to start every operation
    anew and takes as long for that as for the arithmetic of a small one; else None.

    Args:
        kernel: `(k + h, 4 h)` float32 by which `[x, h]` is multiplied, gates in the order o, f, i, g.
        bias: `(4 h,)` float32.
    """
    if under_xla():
        return None
    import tensorflow as tf

    o, f, i, g = range(4)
    units = bias.shape[0] // 4
    order = [gate * units + unit for gate in (i, g, f, o) for unit in range(units)]
    unused = tf.zeros((units,))
    weights = {"w": tf.gather(kernel, order, axis=1), "b": tf.gather(bias, order)}
    weights |= {"wci": unused, "wcf": unused, "wco": unused, "use_peephole": False}
    weights |= {"forget_bias": 0.0, "cell_clip": -1.0}

    def step(x, h, c):
        state = tf.raw_ops.LSTMBlockCell(x=x, h_prev=h, cs_prev=c, **weights)
        return state.h, state.cs

    def run(x, h, c):
        length = tf.shape(x, tf.int64)[0]
        return tf.raw_ops.BlockLSTM(seq_len_max=length, x=x, h_prev=h, cs_prev=c, **weights).h

    return FusedLSTM(step, run)
