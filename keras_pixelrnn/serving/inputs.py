"""What the inputs of a signature must be: shapes by assertion, values row by row.

A wrong shape fails the request, in one sentence. A wrong value cannot: a server merges requests, and
a failed assertion would fail them all. So it marks its row, and the model gets a harmless one instead.
"""

import numpy as np
import tensorflow as tf

from keras_pixelrnn.checks.numbers import LOWEST

MARKS = 2  # numbers that a state begins with: the row that it is for, and that of the model
MOST_DIMENSIONS = 8  # compared; of more dimensions the last ones are not looked at


def exactly(inputs):
    """Inputs of a signature, `{name: (tensor, shape of one row)}`, as a list of tensors.

    They have exactly these shapes after one batch dimension of 1 or more, the same in all; else
    running the graph fails before it has begun, saying which input is wrong.
    """
    # A server checks no shapes, and TensorFlow drops a check that the signature seems to make needless:
    # the shapes are forgotten first.
    forgotten = [
        tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(None))
        for tensor, _ in inputs.values()
    ]
    count = tf.concat([tf.shape(forgotten[0]), [0]], axis=0)[0]  # of a scalar, none
    first = next(iter(inputs))
    asserted = []
    for tensor, (name, (_, shape)) in zip(forgotten, inputs.items(), strict=True):
        asserted.append(
            tf.debugging.Assert(
                _has_shape(tensor, count, shape),
                [
                    f"Input `{name}` must have the shape {_written(shape)}, with at least one row and "
                    f"as many rows as `{first}`. Received: rows of `{first}`, shape of `{name}`:",
                    count,
                    tf.shape(tensor),
                ],
                summarize=MOST_DIMENSIONS,
            )
        )
    with tf.control_dependencies(asserted):  # before any loop starts, whose words would come first
        return [
            tf.ensure_shape(tf.identity(tensor), [None, *shape])
            for tensor, (_, shape) in zip(forgotten, inputs.values(), strict=True)
        ]


def _has_shape(tensor, count, shape):
    """Does `tensor` have the shape `(count, *shape)`, and is `count` not 0?"""
    none = [-1] * MOST_DIMENSIONS
    found = tf.concat([tf.shape(tensor), none], axis=0)[:MOST_DIMENSIONS]
    rest = [*shape, *none][: MOST_DIMENSIONS - 1]
    expected = tf.concat([count[None], tf.constant(rest, tf.int32)], axis=0)
    return tf.logical_and(count > 0, tf.reduce_all(found == expected))


def _written(shape):
    return f"({', '.join(['batch', *map(str, shape)])})" if shape else "(batch,)"


class Rows:
    """Which rows of a request are fit, found input by input.

    Args:
        model: a `PixelModel`.
        seed_or_image: `(batch, ...)`, for the number of rows.

    Attributes:
        fit: `(batch,)` booleans.
    """

    def __init__(self, model, seed_or_image):
        self._levels, self._dtype = model.distribution.levels, model.distribution.dtype
        self._context = model.context
        rows = tf.shape(seed_or_image)[:1]
        self.fit = tf.fill(rows, True)

    def _hold(self, fit):
        """`fit (batch, ...)` counts from here on."""
        self.fit = self.fit & tf.reduce_all(tf.reshape(fit, [tf.shape(fit)[0], -1]), axis=1)

    def seed(self, seed):
        """Seeds, which are not negative."""
        self._hold(seed >= 0)
        return tf.maximum(seed, 0)

    def context(self, given):
        """Labels that are classes, numbers that are finite; zero in other rows."""
        kept = []
        for tensor in given:
            fit = self._context.valid(tensor)
            self._hold(fit)
            fit = tf.reshape(fit, [-1, *[1] * (len(tensor.shape) - 1)])
            kept.append(tf.where(fit, tensor, tf.zeros_like(tensor)))
        return kept

    def image(self, image):
        """The image as the model takes it, 0 where it has none of its levels, and where it has one."""
        inside = (tf.cast(image, tf.int32) >= 0) & (tf.cast(image, tf.int32) < self._levels)
        return tf.cast(tf.where(inside, image, 0), self._dtype), inside

    def known(self, image, known):
        """`image`, and `known` but where it has no level of the model."""
        image, inside = self.image(image)
        self._hold(inside | ~known)
        return image, known & inside

    def place(self, row, state, height, number):
        """Rows of the image, and the model's own part of states that `state_for` made for just these
        rows; zero in other rows of the request. At row 0 any finite state will do."""
        fit = (row >= 0) & (row < height) & tf.reduce_all(tf.math.is_finite(state), axis=1)
        belongs = (state[:, 0] == tf.cast(row, tf.float32)) & (state[:, 1] == number)
        fit = fit & ((row == 0) | belongs)
        self._hold(fit)
        return tf.where(fit, row, 0), tf.where(fit[:, None], state[:, MARKS:], 0.0)

    def state_for(self, row, state, number, nats):
        """States that say which row they are for, and of which model; of rows whose `marked` nats are
        not finite, for whatever reason, zeros, which are for no row but the first: so that all that goes
        on from a marked row is marked."""
        marks = tf.stack([tf.cast(row, tf.float32), tf.fill(tf.shape(row), number)], axis=1)
        kept = tf.math.is_finite(nats)[:, None]
        return tf.where(kept, tf.concat([marks, state], axis=1), 0.0)

    def controls(self, temperature, top_k, top_p):
        """Controls in their ranges; 1 in other rows."""
        top_k = tf.cast(top_k, tf.float32)
        fit = (temperature >= LOWEST) & tf.math.is_finite(temperature)
        fit = fit & (top_k >= 1) & (top_k <= self._levels) & (top_p >= LOWEST) & (top_p <= 1)
        self._hold(fit)
        return [tf.where(fit, x, tf.ones_like(x)) for x in (temperature, top_k, top_p)]

    def marked(self, nats):
        """`nats (batch, ...)`, -inf in the rows that are not fit, and where finite numbers of a context
        or state, such as 3e38, overflowed on the way."""
        fit = tf.reshape(self.fit, [-1, *[1] * (len(nats.shape) - 1)])
        return tf.where(fit & ~tf.math.is_nan(nats), nats, -np.inf)
