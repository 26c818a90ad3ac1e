"""Restoring: what is drawn anew, and what pixels cost given what is restored."""

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.scores import restore as restoring
from tests.conformance import random_images, randomised

D = kp.distributions
SHAPE = (4, 3, 1)
SIZES = {"n": 4, "n_particles": 8}  # of all tests, as is the number of images: one compilation


@pytest.fixture(name="model", scope="module")
def _model():
    made = kp.models.PixelCNN(SHAPE, D.Categorical(3), units=3, num_blocks=1)
    return randomised(made, scale=0.6)


def test_a_mask_is_drawn_anew(model):
    images = random_images(model, 5)
    mask = np.zeros(SHAPE[:2], bool)
    mask[1:3, 1:] = True
    found = model.restore(images, mask=mask, seed=3, **SIZES)
    drawn = model.complete(images, ~mask, seed=3, method="smc", **SIZES)
    np.testing.assert_array_equal(found.draws, drawn.images)
    assert (found.draws[:, :, ~mask] == images[:, None, ~mask]).all()
    assert (found.draws[:, :, mask] != images[:, None, mask]).any()
    best = model.log_prob(found.images)
    every = model.log_prob(found.draws.reshape(-1, *SHAPE)).reshape(5, 4)
    np.testing.assert_allclose(best, every.max(axis=1), atol=1e-5)
    far = np.abs(found.draws.astype(float) - images[:, None]).mean(axis=(1, 4)) / 2
    np.testing.assert_allclose(found.anomaly_map, far, atol=1e-6)
    np.testing.assert_array_equal(found.mask, np.broadcast_to(mask, (5, 4, 3)))


def test_pixels_are_judged_given_what_is_restored(model):
    """Each in an image of its own: restored up to it, itself as it was given."""
    images = random_images(model, 5)
    mask = np.random.default_rng(1).random(SHAPE) < 0.6
    found = model.restore(images, mask=mask, seed=0, **SIZES)
    expected = np.zeros((5, 12))
    for image in range(5):
        for draw in found.draws[image]:
            mixed = np.repeat(draw.reshape(1, 12), 12, axis=0)
            mixed[np.arange(12), np.arange(12)] = images[image].ravel()
            nats = np.concatenate(list(model.nats_batches(mixed.reshape(12, *SHAPE))))
            expected[image] -= nats.reshape(12, 12)[np.arange(12), np.arange(12)] / 4
    np.testing.assert_allclose(found.score_map.reshape(5, 12), expected, atol=1e-4)
    plain = -np.concatenate(list(model.nats_batches(images)))[..., 0]
    assert np.abs(plain - found.score_map).max() > 0.1, (
        "the planted fault: given what was not restored"
    )


def test_rounds_find_more_until_nothing_is_strange(model):
    images = random_images(model, 5)
    options = {"seed": 1, "margin": 0, **SIZES}
    one = model.restore(images, nats_threshold=1.5, rounds=1, **options)
    plain = -np.concatenate(list(model.nats_batches(images)))[..., 0]
    np.testing.assert_array_equal(one.mask, plain > 1.5)
    two = model.restore(images, nats_threshold=1.5, rounds=2, **options)
    np.testing.assert_array_equal(two.mask, one.mask | (one.score_map > 1.5))
    assert two.mask.sum() > one.mask.sum() > 0
    many = model.restore(images, nats_threshold=1.5, rounds=50, **options)
    assert not (many.score_map[~many.mask] > 1.5).any()
    none = model.restore(images, nats_threshold=100.0, **options)
    np.testing.assert_array_equal(none.images, images)
    np.testing.assert_allclose(none.score_map, plain, atol=1e-5)
    assert not none.mask.any()
    assert not none.anomaly_map.any()


def test_margins(rng):
    found = rng.random((3, 7, 5)) < 0.05
    for margin in (0, 1, 3):
        wide = restoring._around(found, margin)
        for image, row, column in np.ndindex(found.shape):
            top, left = max(0, row - margin), max(0, column - margin)
            near = found[image, top : row + margin + 1, left : column + margin + 1]
            assert wide[image, row, column] == near.any()


def test_an_image_depends_on_its_own_seed_alone(model):
    images = random_images(model, 5)
    options = {"nats_threshold": 1.5, **SIZES}
    found = model.restore(images, seed=np.arange(5), **options)
    turned = model.restore(images[::-1], seed=np.arange(5)[::-1], **options)
    for one, two in zip(found, turned, strict=True):
        np.testing.assert_allclose(one, two[::-1], atol=1e-5)


def test_bad_arguments_are_named(model):
    images = random_images(model, 2)
    mask = np.ones(SHAPE[:2], bool)
    for options, words in [
        ({}, "nats_threshold=None, mask=None"),
        ({"nats_threshold": 3.0, "mask": mask}, "nats_threshold=3.0, mask="),
        ({"nats_threshold": -1}, "nats_threshold=-1"),
        ({"nats_threshold": 3.0, "margin": -1}, "margin=-1"),
        ({"nats_threshold": 3.0, "rounds": 0}, "rounds=0"),
        ({"mask": mask, "n_particles": 0}, "n_particles=0"),
        ({"mask": mask * 1.0}, "boolean"),
    ]:
        with pytest.raises(ValueError, match=words):
            model.restore(images, seed=0, **options)
    with pytest.raises(TypeError, match="particles"):
        model.restore(images, seed=0, mask=mask, particles=8)
