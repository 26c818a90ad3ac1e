"""The recurrence, gate by gate and gradient by gradient, against references that share no code."""

import numpy as np
import pytest
import tensorflow as tf

from keras_pixelrnn.sweep import sweep

TAPS = [(0, -1), (-1, 0, 1), (0,), (2,)]


def reference(z, kernel, taps):
    """The textbook loop in NumPy; gates o, f, i, g."""
    length, directions, features, positions, batch = z.shape
    units = features // 4
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    h = np.zeros((directions, units, positions, batch))
    c = np.zeros_like(h)
    out = np.zeros((length, *h.shape))
    for t in range(length):
        new_h, new_c = np.zeros_like(h), np.zeros_like(c)
        for d, p, b in np.ndindex(directions, positions, batch):
            read = [h[d, :, p + k, b] if 0 <= p + k < positions else np.zeros(units) for k in taps]
            a = z[t, d, :, p, b] + np.concatenate(read) @ kernel[d]
            o, f, i, g = np.split(a, 4)
            new_c[d, :, p, b] = sigmoid(f) * c[d, :, p, b] + sigmoid(i) * np.tanh(g)
            new_h[d, :, p, b] = sigmoid(o) * np.tanh(new_c[d, :, p, b])
        h, c = new_h, new_c
        out[t] = h
    return out


def case(taps, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(5, 2, 12, 4, 2))
    kernel = rng.normal(size=(2, len(taps) * 3, 12))
    return z, kernel


@pytest.mark.parametrize("taps", TAPS, ids=str)
def test_forward(taps):
    z, kernel = case(taps)
    h = sweep(tf.constant(z, tf.float32), tf.constant(kernel, tf.float32), taps)
    np.testing.assert_allclose(h, reference(z, kernel, taps), atol=1e-5)


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("taps", TAPS[:2], ids=str)
def test_gradient_against_differences(taps, jit):
    z, kernel = case(taps)
    weight = np.random.default_rng(1).normal(size=(5, 2, 3, 4, 2))

    @tf.function(jit_compile=jit)
    def gradients(z, kernel):
        with tf.GradientTape() as tape:
            tape.watch([z, kernel])
            loss = tf.reduce_sum(sweep(z, kernel, taps) * tf.constant(weight, tf.float32))
        return tape.gradient(loss, [z, kernel])

    dz, dkernel = gradients(tf.constant(z, tf.float32), tf.constant(kernel, tf.float32))
    rng = np.random.default_rng(2)
    for _ in range(8):  # directional derivatives, in float64
        vz, vk = rng.normal(size=z.shape), rng.normal(size=kernel.shape)
        step = 1e-5
        plus = (reference(z + step * vz, kernel + step * vk, taps) * weight).sum()
        minus = (reference(z - step * vz, kernel - step * vk, taps) * weight).sum()
        expected = (plus - minus) / (2 * step)
        found = (dz.numpy() * vz).sum() + (dkernel.numpy() * vk).sum()
        assert abs(found - expected) < 1e-4 * (1 + abs(expected))


def test_batch_may_be_unknown():
    z, kernel = case((0, -1))
    traced = tf.function(lambda z: sweep(z, tf.constant(kernel, tf.float32), (0, -1)))
    concrete = traced.get_concrete_function(tf.TensorSpec([5, 2, 12, 4, None]))
    np.testing.assert_allclose(
        concrete(tf.constant(z, tf.float32)), reference(z, kernel, (0, -1)), atol=1e-5
    )


def test_swapped_gates_are_seen():
    """The planted fault of many implementations: the forget gate where the input gate belongs."""
    z, kernel = case((0, -1))
    swapped = z[:, :, [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]]
    h = sweep(tf.constant(swapped, tf.float32), tf.constant(kernel, tf.float32), (0, -1))
    assert np.abs(h - reference(z, kernel, (0, -1))).max() > 1e-2
