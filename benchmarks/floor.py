"""The least that a training step can take: its operations at the rates that this machine reaches."""

import time

import numpy as np
import tensorflow as tf

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
    """Floating point operations and tangents per second, each at its best, under XLA."""
    x = tf.random.normal((1024, 1024))
    y = tf.random.normal((1 << 20,))
    product = tf.function(lambda x: tf.reduce_sum(x @ x), jit_compile=True)
    tangent = tf.function(lambda y: tf.reduce_sum(tf.tanh(y)), jit_compile=True)
    best = {}
    for name, function, argument in (("product", product, x), ("tangent", tangent, y)):
        function(argument)
        seconds = []
        for _ in range(runs):
            start = time.perf_counter()
            function(argument).numpy()
            seconds.append(time.perf_counter() - start)
        best[name] = float(np.median(seconds))
    return 2 * 1024**3 / best["product"], (1 << 20) / best["tangent"]


def train_step(model, batch):
    """Seconds: a backward pass has twice the products of the forward one, and the tangent of every
    cell state once more."""
    flops, tanhs = operations(model, batch)
    flop_rate, tanh_rate = rates()
    return 3 * flops / flop_rate + 1.2 * tanhs / tanh_rate
