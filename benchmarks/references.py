"""What the package is measured against. Correct, plain, and kept slow on purpose."""

import contextlib

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_pixelrnn import noise
from keras_pixelrnn.layers import lstm
from keras_pixelrnn.sweep import activate, update


def naive_sampler(model, batch, pixels):
    """The loop of every other implementation: a full forward pass for each pixel.

    Args:
        model: a `PixelModel` of one channel.
        batch: number of images.
        pixels: how many of the first pixels to draw; time is proportional to it.

    Returns:
        A function of one argument, a seed, to uint8 images whose other pixels are 0.
    """
    height, width, channels = model.image_shape
    assert channels == 1

    @tf.function(jit_compile=True, autograph=False)
    def draw(uniform):
        def pixel(index, image):
            params = model(image, training=False)
            flat = tf.reshape(params, (batch, height * width, -1))
            log_pmf = model.distribution.log_pmf(flat[:, index], None, 0)
            value = model.distribution.quantile(log_pmf, uniform[:, index])
            hit = tf.one_hot(index, height * width, dtype=tf.float32)
            added = tf.cast(hit[None] * value[:, None], tf.uint8)
            return index + 1, image + tf.reshape(added, image.shape)

        start = (0, tf.zeros((batch, height, width, 1), tf.uint8))
        return tf.while_loop(
            lambda index, _: index < pixels, pixel, start, maximum_iterations=pixels
        )[1]

    def sample(seed):
        uniform = noise.uniform(noise.image_seeds(seed, batch), (height * width,))
        return draw(uniform).numpy()

    return sample


class _Cell(keras.layers.Layer):
    """One step of the sweep as a Keras RNN cell; states `(batch, h, positions)`, flattened."""

    def __init__(self, kernel, taps, positions, units):
        super().__init__()
        self.kernel, self.taps, self.positions, self.units = kernel, taps, positions, units
        self.state_size = [units * positions] * 2
        self.output_size = units * positions

    def call(self, z, states):
        h, c = (ops.reshape(s, (-1, self.units, self.positions)) for s in states)
        read = []
        for tap in self.taps:
            moved = ops.roll(h, -tap, axis=2)
            inside = np.zeros(self.positions, np.float32)
            inside[max(0, -tap) : self.positions - max(0, tap)] = 1.0
            read.append(moved * inside)
        z = ops.reshape(z, (-1, 4 * self.units, self.positions))
        z = z + ops.matmul(ops.transpose(self.kernel), ops.concatenate(read, axis=1))
        h, c = update(activate(z, axis=1), c, axis=1)
        flat = [ops.reshape(x, (-1, self.units * self.positions)) for x in (h, c)]
        return flat[0], flat


def autodiff_sweep(z, kernel, taps, spans=None):
    """The same function as `keras_pixelrnn.sweep.sweep` by plain `RNN` and autodiff, everywhere."""
    length, directions, features, positions = z.shape[:4]
    outputs = []
    for direction in range(directions):
        cell = _Cell(kernel[direction], taps, positions, features // 4)
        steps = ops.reshape(
            ops.transpose(z[:, direction], (3, 0, 1, 2)), (-1, length, features * positions)
        )
        h = keras.layers.RNN(cell, return_sequences=True)(steps)
        h = ops.reshape(h, (-1, length, features // 4, positions))
        outputs.append(ops.transpose(h, (1, 2, 3, 0)))
    return ops.stack(outputs, axis=1)


@contextlib.contextmanager
def with_autodiff():
    """Inside, the recurrent layers run on `autodiff_sweep`."""
    ours = lstm.sweep
    lstm.sweep = autodiff_sweep
    try:
        yield
    finally:
        lstm.sweep = ours


def bare_forward(model, batch):
    """The products and cells of a Diagonal BiLSTM's forward pass, in one XLA loop per block.

    No skewing, no masks, no shifts, no residual path: what the arithmetic alone takes.
    """
    height, width, _ = model.image_shape
    units, blocks = model.get_config()["units"], model.get_config()["num_blocks"]
    positions, length = height * batch, width + height - 1
    rng = np.random.default_rng(0)

    def constant(*shape):
        return tf.constant(rng.normal(size=shape).astype(np.float32) * 0.1)

    image = constant(49, height * width * batch)
    first, head = constant(2 * units, 49), constant(2 * units, 2 * units)
    into, up = constant(8 * units, 2 * units), constant(2 * units, units)
    kernel = constant(2, 4 * units, 2 * units)

    @tf.function(jit_compile=True, autograph=False)
    def forward(image):
        x = tf.matmul(first, image)
        total = 0.0
        for _ in range(blocks):
            z = tf.matmul(into, x)
            z = tf.reshape(z[:, : (height * width * batch) // 2 * 2], (2, 4 * units, -1))

            def step(index, h, c, total, z=z):
                here = tf.slice(z, (0, 0, (index * 7) % 11), (2, 4 * units, positions))
                a = here + tf.matmul(kernel, tf.concat([h, h], axis=1))
                h, c = update(activate(a, axis=1), c, axis=1)
                return index + 1, h, c, total + h

            zero = tf.zeros((2, units, positions))
            _, _, _, seen = tf.while_loop(
                lambda index, *_: index < length,
                step,
                (0, zero, zero, zero),
                maximum_iterations=length,
            )
            x = x + tf.tile(tf.matmul(up, seen[0]), (1, width))
            total += tf.reduce_sum(seen)
        for _ in range(2):
            x = tf.nn.relu(tf.matmul(head, tf.nn.relu(x)))
        return tf.reduce_sum(x) + total

    return lambda: forward(image).numpy()
