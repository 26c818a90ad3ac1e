"""The multi-scale model and the presets."""

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.models import blocks
from tests.conformance import randomised
from tests.test_raster import all_images, chi_square_z

BERNOULLI = kp.distributions.Bernoulli()
pytestmark = pytest.mark.graphs


def make(shape, **options):
    options = {"units": 3, "num_blocks": 1, "context_units": 4, **options}
    return kp.models.MultiScalePixelRNN(shape, BERNOULLI, **options)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        pytest.param((2, 4, 1), {}, marks=pytest.mark.slow),
        ((3, 3, 1), {}),
        ((3, 4, 1), {"factor": 3}),
        pytest.param((2, 2, 2), {"recurrence": "row"}, marks=pytest.mark.slow),
    ]
    + [((2, 4, 1), {"num_classes": 3})],
)
def test_all_images_sum_to_one_and_come_as_often_as_scored(shape, options):
    model = randomised(make(shape, **options), scale=0.4)
    images = all_images(shape)
    context = {"context": 1} if options.get("num_classes") else {}
    p = np.exp(model.log_prob(images, **context).astype(np.float64))
    assert abs(p.sum() - 1.0) < 1e-5
    places = 1 << np.arange(np.prod(shape))[::-1]
    draws = model.sample(20_000, seed=2, batch_size=20_000, **context).reshape(20_000, -1) @ places
    assert chi_square_z(np.bincount(draws, minlength=len(p)), p) < 4.5


def test_without_the_small_image_known_the_sum_is_wrong():
    """The planted fault: a fine level that scores the small image's pixels again."""
    model = randomised(make((2, 4, 1)), scale=0.4)
    images = all_images((2, 4, 1))
    small = images[:, ::2, ::2]
    scaled = kp.models.multi_scale.raster.scale(small, 2)
    coarse, fine = model.network.coarse, model.network.fine
    first = BERNOULLI.log_prob(coarse(scaled), small)
    again = BERNOULLI.log_prob(
        fine(
            kp.models.multi_scale.raster.scale(images, 2),
            model.network.fine_context(scaled, None),
        ),
        images,
    )
    total = np.asarray(first).sum((1, 2, 3)) + np.asarray(again).sum((1, 2, 3))
    assert abs(np.exp(total.astype(np.float64)).sum() - 1.0) > 0.1


def test_upscale_is_exact_given_the_small_image(monkeypatch):
    monkeypatch.setattr(blocks, "MOST_ON_A_CORE", 2**15)
    model = randomised(make((2, 4, 1)), scale=0.6)
    images = all_images((2, 4, 1))
    small = images[:, ::2, ::2]
    p = np.exp(model.log_prob(images).astype(np.float64))
    given = (small == np.array([1, 0]).reshape(1, 1, 2, 1)).all((1, 2, 3))
    drawn = model.upscale(np.repeat(small[given][:1], 20_000, axis=0), seed=4)
    assert (drawn[:, ::2, ::2] == small[given][:1]).all()
    places = 1 << np.arange(8)[::-1]
    counts = np.bincount(drawn.reshape(20_000, 8) @ places, minlength=256)
    assert chi_square_z(counts[given], p[given]) < 4.5


def test_bad_input():
    with pytest.raises(ValueError, match="Received: small of shape"):
        make((2, 4, 1)).upscale(np.zeros((1, 2, 2, 1), np.uint8), seed=0)
    for factor in (1, 3, 2.0, True):
        with pytest.raises(ValueError, match="Received: factor="):
            make((2, 4, 1), factor=factor)
