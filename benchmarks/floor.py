"""The least that hot loops can take: their operations at the rates that this machine reaches."""

import numpy as np
import tensorflow as tf

from benchmarks import timing
from keras_pixelrnn import backend
from keras_pixelrnn.layers.lstm import CausalLSTM
from keras_pixelrnn.layers.masked_conv import MaskedConv2D


def operations(model, batch):
    """Floating point operations and hyperbolic tangents of one forward pass.

    Counted is what has to be computed: convolutions without the rows that their masks hide, states
    at the pixels of the image (a skewed map has about twice as many positions). Biases, additions
    and copies count as nothing.
    """
    height, width, _ = model.image_shape
    pixels = height * width * batch
    flops = tanhs = 0
    for layer in model._flatten_layers():
        if isinstance(layer, MaskedConv2D):
            rows, columns, into, out = layer.kernel.shape
            flops += 2 * pixels * (rows // 2 + 1) * columns * into * out
        elif isinstance(layer, CausalLSTM):
            flops += 2 * pixels * int(np.prod(layer.state_to_state.shape))
            tanhs += 5 * pixels * layer.units * layer.directions  # four gates and the cell state
    return flops, tanhs


def rates(runs=15):
    """Floating point operations and tangents per second, under XLA: a large product, and tangents of
    data that stays in the cache, again and again (a sum of them would be bound by its additions)."""
    x = tf.random.normal((1024, 1024))
    y = tf.random.normal((1 << 16,))
    turns = 100

    @tf.function(jit_compile=True, autograph=False)
    def tangents(y):
        return tf.while_loop(
            lambda turn, _: turn < turns, lambda turn, y: (turn + 1, tf.tanh(y)), (0, y)
        )[1]

    product = tf.function(lambda x: tf.reduce_sum(x @ x), jit_compile=True)
    seconds, _ = timing.interleaved(
        {"product": lambda: product(x).numpy(), "tangents": lambda: tangents(y).numpy()}, runs
    )
    return 2 * 1024**3 / seconds["product"], turns * (1 << 16) / seconds["tangents"]


def train_step(model, batch):
    """Seconds: a backward pass has twice the products of the forward one, and the tangent of every
    cell state once more."""
    flops, tanhs = operations(model, batch)
    flop_rate, tanh_rate = rates()
    return 3 * flops / flop_rate + 1.2 * tanhs / tanh_rate


def drawing_without_xla(units, blocks, height, width, batch):
    """Seconds of drawing with Diagonal BiLSTMs if their LSTM operations were all there is.

    At each pixel there is one for the left-to-right state of each block, and at the end of each row one
    more for the other direction.
    """
    kernels = {
        into: tf.random.normal((into + units, 4 * units)) * 0.1 for into in (3 * units, units)
    }

    def cells(c):
        step, _ = backend.fused_lstm(kernels[3 * units], tf.zeros(4 * units))
        h, x = c, tf.zeros((batch, 3 * units))
        for _ in range(width * blocks):
            h, c = step(x, h, c)
        return h

    def rows(c):
        _, run = backend.fused_lstm(kernels[units], tf.zeros(4 * units))
        x = tf.zeros((width, batch, units))
        for _ in range(blocks):
            x = run(x, c, c)
        return x

    zero = tf.zeros((batch, units))
    compiled = [backend.compiled(function, [], xla=False) for function in (cells, rows)]
    functions = {"cells": lambda: compiled[0](zero), "rows": lambda: compiled[1](zero)}
    seconds, _ = timing.interleaved(functions, runs=25)
    return height * (seconds["cells"] + seconds["rows"])
