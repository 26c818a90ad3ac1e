"""The recurrence, gate by gate and gradient by gradient, against references that share no code."""

import numpy as np
import pytest
import tensorflow as tf

from keras_pixelrnn import geometry
from keras_pixelrnn.layers import DiagonalBiLSTM
from keras_pixelrnn.sweep import sweep

TAPS = [(0, -1), (-1, 0, 1), (0,), (2,)]
SPANS = {
    "whole": None,
    "skewed": [(np.s_[0:1], np.s_[0:2]), (np.s_[1:4], np.s_[0:4]), (np.s_[4:5], np.s_[2:4])],
    "any": [(np.s_[0:2], np.s_[1:3]), (np.s_[2:3], np.s_[0:1]), (np.s_[3:5], np.s_[0:3])],
}
SPANS = [pytest.param(spans, id=name) for name, spans in SPANS.items()]


def reference(z, kernel, taps, spans=None):
    """The textbook loop in NumPy; gates o, f, i, g."""
    length, directions, features, positions, batch = z.shape
    units = features // 4
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    h = np.zeros((directions, units, positions, batch))
    c = np.zeros_like(h)
    out = np.zeros((length, *h.shape))
    for t in range(length):
        live = np.ones(positions, bool) if spans is None else np.zeros(positions, bool)
        for steps, here in spans or ():
            live[here] |= steps.start <= t < steps.stop
        h, c = (np.where(live[:, None], state, 0) for state in (h, c))
        new_h, new_c = np.zeros_like(h), np.zeros_like(c)
        for d, p, b in np.ndindex(directions, positions, batch):
            read = [h[d, :, p + k, b] if 0 <= p + k < positions else np.zeros(units) for k in taps]
            a = z[t, d, :, p, b] + np.concatenate(read) @ kernel[d]
            o, f, i, g = np.split(a, 4)
            new_c[d, :, p, b] = sigmoid(f) * c[d, :, p, b] + sigmoid(i) * np.tanh(g)
            new_h[d, :, p, b] = sigmoid(o) * np.tanh(new_c[d, :, p, b])
        h, c = (np.where(live[:, None], state, 0) for state in (new_h, new_c))
        out[t] = h
    return out


def case(taps, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(5, 2, 12, 4, 2))
    kernel = rng.normal(size=(2, len(taps) * 3, 12))
    return z, kernel


@pytest.mark.parametrize("spans", SPANS)
@pytest.mark.parametrize("taps", TAPS, ids=str)
def test_forward(taps, spans):
    z, kernel = case(taps)
    h = sweep(tf.constant(z, tf.float32), tf.constant(kernel, tf.float32), taps, spans)
    np.testing.assert_allclose(h, reference(z, kernel, taps, spans), atol=1e-5)


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("spans", SPANS)
@pytest.mark.parametrize("taps", TAPS[:2], ids=str)
def test_gradient_against_differences(taps, spans, jit):
    z, kernel = case(taps)
    weight = np.random.default_rng(1).normal(size=(5, 2, 3, 4, 2))

    @tf.function(jit_compile=jit)
    def gradients(z, kernel):
        with tf.GradientTape() as tape:
            tape.watch([z, kernel])
            loss = tf.reduce_sum(sweep(z, kernel, taps, spans) * tf.constant(weight, tf.float32))
        return tape.gradient(loss, [z, kernel])

    dz, dkernel = gradients(tf.constant(z, tf.float32), tf.constant(kernel, tf.float32))
    rng = np.random.default_rng(2)
    for _ in range(8):  # directional derivatives, in float64
        vz, vk = rng.normal(size=z.shape), rng.normal(size=kernel.shape)
        step = 1e-5
        plus = (reference(z + step * vz, kernel + step * vk, taps, spans) * weight).sum()
        minus = (reference(z - step * vz, kernel - step * vk, taps, spans) * weight).sum()
        expected = (plus - minus) / (2 * step)
        found = (dz.numpy() * vz).sum() + (dkernel.numpy() * vk).sum()
        assert abs(found - expected) < 1e-4 * (1 + abs(expected))


@pytest.mark.parametrize("spans", SPANS)
def test_batch_may_be_unknown(spans):
    z, kernel = case((0, -1))
    traced = tf.function(lambda z: sweep(z, tf.constant(kernel, tf.float32), (0, -1), spans))
    concrete = traced.get_concrete_function(tf.TensorSpec([5, 2, 12, 4, None]))
    np.testing.assert_allclose(
        concrete(tf.constant(z, tf.float32)), reference(z, kernel, (0, -1), spans), atol=1e-5
    )


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (5, 1), (4, 7)], ids=str)
def test_what_a_skewed_map_leaves_out_is_not_missed(shape, monkeypatch):
    """A Diagonal BiLSTM and its gradient, with the empty corners and without."""
    x = tf.random.stateless_normal((2, *shape, 4), seed=(1, 2))
    layer = DiagonalBiLSTM(3)
    layer.build(x.shape)
    lengths = []

    def run(rows_worth_cutting):
        monkeypatch.setattr(geometry, "ROWS_WORTH_CUTTING", rows_worth_cutting)
        lengths.append(len(geometry.skewed_spans(*shape)))
        with tf.GradientTape() as tape:
            tape.watch(x)
            h = layer(x)
            loss = tf.reduce_sum(h * tf.random.stateless_normal(h.shape, seed=(3, 4)))
        return [h, *tape.gradient(loss, [x, *layer.trainable_variables])]

    for whole, cut in zip(run(99), run(3), strict=True):
        assert np.abs(whole).max() > 0.01
        np.testing.assert_allclose(cut, whole, atol=1e-5)
    assert lengths[0] == 1 < lengths[1]


def test_swapped_gates_are_seen():
    """The planted fault of many implementations: the forget gate where the input gate belongs."""
    z, kernel = case((0, -1))
    swapped = z[:, :, [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]]
    h = sweep(tf.constant(swapped, tf.float32), tf.constant(kernel, tf.float32), (0, -1))
    assert np.abs(h - reference(z, kernel, (0, -1))).max() > 1e-2
