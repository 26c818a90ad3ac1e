"""The gradient of the log-probability by the image is that of finite differences."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.distributions.between import between
from tests import conformance
from tests.conformance import DISTRIBUTIONS, given_of, random_images

D = kp.distributions
COLOR = {"image_shape": (3, 4, 3), "units": 6, "num_blocks": 1}
MONO = {**COLOR, "image_shape": (3, 4, 1)}
MODELS = {  # each architecture, each kind of head, each kind of context
    "diagonal": lambda: kp.models.PixelRNN(distribution=D.Categorical(5), num_classes=3, **COLOR),
    "row": lambda: kp.models.PixelRNN(
        distribution=D.DiscretizedLogisticMixture(9, 2), recurrence="row", **COLOR
    ),
    "pixelcnn": lambda: kp.models.PixelCNN(
        distribution=D.Bernoulli(), context_shape=(3, 4, 2), **MONO
    ),
    "gated": lambda: kp.models.GatedPixelCNN(
        distribution=D.DiscretizedNormalMixture(5, 2), context_shape=(2,), **COLOR
    ),
    "multi_scale": lambda: kp.models.MultiScalePixelRNN(distribution=D.Categorical(5), **MONO),
}
SLOW = {"multi_scale"}


def gradient(function, x):
    """Of the sum of `function`, on either backend."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: function(x).sum())(jax.numpy.asarray(x)))
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = function(x)
    return tape.gradient(found, x).numpy()


def check(name):
    """Finite differences of every sub-pixel of an image between the levels and of one at levels."""
    model = conformance.randomised(MODELS[name](), scale=0.15)  # gentle: few kinks within a step
    images, given = random_images(model, 2), given_of(model, 1)
    levels = model.distribution.levels
    fractions = np.random.default_rng(0).uniform(0.2, levels - 1.2, images[:1].shape)
    inner = np.clip(images[1:], 1, levels - 2) if levels > 2 else fractions
    for x in (fractions, inner):
        x = x.astype(np.float32)
        found = gradient(lambda x: model.log_prob_graph(x, *given), x).ravel()
        step = 2.0**-8
        moves = np.eye(x.size, dtype=np.float32).reshape(-1, *x.shape[1:]) * step
        both = np.concatenate([x + moves, x - moves])
        repeated = [np.repeat(part, len(both), axis=0) for part in given]
        nats = np.asarray(model.log_prob_graph(both, *repeated), np.float64)
        expected = (nats[: x.size] - nats[x.size :]) / (2 * step)
        size = np.abs(expected).max()
        assert size > 0.1
        np.testing.assert_allclose(found, expected, atol=0.02 * size)
    np.testing.assert_allclose(
        model.log_prob_graph(images[:1].astype(np.float32), *given),
        model.log_prob_graph(images[:1], *given),
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in MODELS]
)
def test_it_is_that_of_finite_differences(name):
    check(name)


def test_dropout_is_off_inside_a_training_step():
    model = conformance.QUICK.make(dropout=0.5)
    images = random_images(model, 2).astype(np.float32)

    class Inside(keras.layers.Layer):
        def call(self, x, training=None):
            return model.log_prob_graph(x)

    inside = Inside()(images, training=True)
    np.testing.assert_array_equal(inside, model.log_prob_graph(images))


def test_codes_have_none():
    distribution = kp.distributions.Categorical(6, embedded=True)
    with pytest.raises(ValueError, match="Codes have no order"):
        distribution.log_prob_between(np.zeros((1, 1, 1, 6)), np.zeros((1, 1, 1, 1)))
    model = kp.models.PixelCNN((4, 5, 1), distribution, units=4, num_blocks=1)
    with pytest.raises(ValueError, match="`images` as integers"):
        model.log_prob_graph(np.zeros((1, 4, 5, 1), np.float32))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_between_values(name):
    """The interpolation meets `log_prob` at whole values, with half the difference of the neighbours for
    its derivative, and is -inf outside."""
    distribution = DISTRIBUTIONS[name]
    levels, rng = distribution.levels, np.random.default_rng(0)
    whole = np.arange(levels, dtype=np.float32).reshape(1, 1, -1, 1)
    params = rng.normal(size=(1, 1, 1, distribution.params_size(1))).astype(np.float32)
    params = np.repeat(params, levels, axis=2)
    expected = np.asarray(distribution.log_prob(params, whole))
    found = np.asarray(distribution.log_prob_between(params, whole))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    slope = gradient(lambda x: distribution.log_prob_between(params, x), whole).ravel()
    if distribution.masks_channels:  # a mixture interpolates its components
        centred = np.gradient(expected.ravel())
        np.testing.assert_allclose(slope, centred, atol=1e-4 * np.abs(centred).max())
    for x in (-0.1, levels - 0.9):
        assert np.isneginf(distribution.log_prob_between(params, np.full_like(whole, x))).all()
    if name.startswith("Categorical"):
        assert np.isneginf(distribution.log_prob(params, whole + 0.25)).all()


def test_the_interpolation_is_exact_for_parabolas_but_at_the_ends():
    value = np.linspace(1, 6, 41, dtype=np.float32)
    found = between(lambda x: x * x - 3 * x, keras.ops.convert_to_tensor(value), levels=8)
    np.testing.assert_allclose(found, value * value - 3 * value, atol=1e-4)


JAX = """
from tests import test_gradients
for name in ("diagonal", "row"):
    test_gradients.check(name)
print("the same")
"""


@pytest.mark.slow
def test_on_jax():
    out = subprocess.run(
        [sys.executable, "-c", JAX],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert out.stdout.endswith("the same\n"), out.stderr[-3000:]
