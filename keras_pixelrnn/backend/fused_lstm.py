"""TensorFlow's LSTM of single operations, for graphs without XLA."""

from collections.abc import Callable
from typing import NamedTuple

from keras_pixelrnn.backend.compiling import under_xla

# Features of all gates: so few may also come as inputs, by a unit matrix, in the same operation.
FEW = 128


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
    anew and takes as long for that as for the arithmetic of a small one; else None, and where each
    image has a bias of its own and the layer is large.

    Args:
        kernel: `(k + h, 4 h)` float32 by which `[x, h]` is multiplied, gates in the order o, f, i, g.
        bias: `(4 h,)` float32, or `(batch, 4 h)`.
    """
    if under_xla():
        return None
    import tensorflow as tf

    features = bias.shape[-1]
    units = features // 4
    own = bias if len(bias.shape) == 2 else None
    if own is not None:
        if features > FEW:
            return None
        seen = kernel.shape[0] - units
        kernel = tf.concat([kernel[:seen], tf.eye(features), kernel[seen:]], axis=0)
        bias = tf.zeros((features,))

    o, f, i, g = range(4)
    order = [gate * units + unit for gate in (i, g, f, o) for unit in range(units)]
    unused = tf.zeros((units,))
    weights = {"w": tf.gather(kernel, order, axis=1), "b": tf.gather(bias, order)}
    weights |= {"wci": unused, "wcf": unused, "wco": unused, "use_peephole": False}
    weights |= {"forget_bias": 0.0, "cell_clip": -1.0}

    def step(x, h, c):
        if own is not None:
            x = tf.concat([x, own], axis=-1)
        state = tf.raw_ops.LSTMBlockCell(x=x, h_prev=h, cs_prev=c, **weights)
        return state.h, state.cs

    def run(x, h, c):
        length = tf.shape(x, tf.int64)[0]
        if own is not None:
            every = tf.broadcast_to(own, [length, *tf.unstack(tf.shape(own, tf.int64))])
            x = tf.concat([x, every], axis=-1)
        return tf.raw_ops.BlockLSTM(seq_len_max=length, x=x, h_prev=h, cs_prev=c, **weights).h

    return FusedLSTM(step, run)
