"""Completion by sequential Monte Carlo as it is called: every model, arguments, no images."""

import numpy as np
import pytest

import keras_pixelrnn as kp
from tests.conformance import MODELS, context_of, random_images

SLOW = pytest.mark.slow
pytestmark = pytest.mark.graphs


@pytest.fixture(scope="module")
def model():
    distribution = kp.distributions.Bernoulli()
    return kp.models.PixelRNN((4, 3, 1), distribution, units=3, num_blocks=2)


@pytest.mark.parametrize(
    "case",
    [
        case
        if case.name == "gated-categorical-3-num_classes"
        else pytest.param(case, marks=pytest.mark.slow)
        for case in MODELS
    ],
    ids=str,
)
def test_every_model(case, model_of):
    model = model_of(case)
    images, context = random_images(model, 3), context_of(model, 3)
    known = np.random.default_rng(1).random(images.shape) < 0.5
    found = model.complete(images, known, seed=1, method="smc", n_particles=5, **context)
    assert (found.images[known] == images[known]).all()
    expected = model.log_prob(found.images, **context)
    np.testing.assert_allclose(found.log_prob, expected, atol=1e-4, rtol=1e-5)
    assert np.isfinite(found.log_z).all()


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"method": "best"}, ValueError, "method='best'"),
        ({"n_particles": 3}, TypeError, "n_particles"),
        ({"method": "smc", "n_particles": 0}, ValueError, "n_particles=0"),
        ({"method": "smc", "batch_size": 0}, ValueError, "batch_size=0"),
        ({"method": "smc", "progress": 3}, ValueError, "progress=3"),
        ({"method": "smc", "n": 1.5}, ValueError, "n=1.5"),
        ({"method": "smc", "ess_threshold": 1.5}, ValueError, "ess_threshold=1.5"),
        ({"method": "smc", "particles": 3}, TypeError, "particles"),
    ],
)
def test_bad_arguments(options, error, match, model):
    images = np.zeros((1, 4, 3, 1), np.uint8)
    with pytest.raises(error, match=match):
        model.complete(images, np.ones((4, 3), bool), seed=0, **options)


@pytest.mark.xla  # graphs want at least one
def test_no_images(model):
    none = np.zeros((0, 4, 3, 1), np.uint8)
    found = model.complete(none, np.ones((4, 3), bool), seed=0, method="smc", n_particles=16)
    assert found.images.shape == (0, 4, 3, 1)
    assert found.log_z.shape == (0,)
