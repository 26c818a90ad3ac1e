"""Entropy of every sub-pixel, and hidden features of every pixel."""

import numpy as np
import pytest

import keras_pixelrnn as kp
from tests.conformance import MODELS, context_of, given_of, random_images, randomised

D = kp.distributions
SMALL = {"units": 3, "num_blocks": 1}
TINY = {
    "grey": ((4, 3, 1), D.Bernoulli(), {}),
    "colour": ((2, 3, 3), D.Categorical(3), {"num_classes": 2}),
    "mixture": ((3, 2, 3), D.DiscretizedLogisticMixture(4, num_mixtures=2), {}),
    "codes": ((2, 3, 2), D.Categorical(4, embedded=True, embedding_size=3), {}),
}
COARSE_AND_FINE = next(c for c in MODELS if c.name == "multi_scale-categorical-3-num_classes")


def tiny(name):
    shape, distribution, own = TINY[name]
    return randomised(kp.models.PixelCNN(shape, distribution, **SMALL, **own), scale=0.6)


def nats_of_all_values(model, image, context):
    """Nats `(levels, height, width, channels)` of every sub-pixel with each of its values, all others
    as they are."""
    levels, size = model.distribution.levels, image.size
    images = np.repeat(image.reshape(1, -1), size * levels, axis=0)
    images = images.reshape(size, levels, size)
    places = np.arange(size)
    images[places, :, places] = np.arange(levels, dtype=image.dtype)
    given = {key: np.repeat(x, size * levels, axis=0) for key, x in context.items()}
    batches = model.nats_batches(
        images.reshape(-1, *image.shape), batch_size=size * levels, **given
    )
    nats = np.concatenate(list(batches)).reshape(size, levels, size)
    return nats[places, :, places].T.reshape(levels, *image.shape).astype(np.float64)


@pytest.mark.parametrize("name", [name for name in TINY if name != "codes"])
def test_entropy_is_the_mean_of_the_nats(name):
    model = tiny(name)
    images, context = random_images(model, 2), context_of(model, 2)
    found = model.entropy_map(images, **context, batch_size=1)
    assert found.shape == images.shape
    assert found.dtype == np.float32
    for index in range(2):
        own = {key: x[index : index + 1] for key, x in context.items()}
        nats = nats_of_all_values(model, images[index], own)
        np.testing.assert_allclose(np.exp(nats).sum(axis=0), 1.0, atol=1e-4)
        expected = -(np.exp(nats) * nats).sum(axis=0)
        np.testing.assert_allclose(found[index], expected, atol=1e-4)
    assert found.std() > 0.01, "nothing to tell"


def test_certain_and_uncertain_pixels():
    """0 log 0 counts as 0; a flat distribution has the logarithm of its levels."""
    model = kp.models.PixelCNN((4, 3, 1), D.Categorical(5), units=2, num_blocks=1)
    images = random_images(model, 2)
    head = model.network.layers[-1]
    head.set_weights([w * 0 for w in head.get_weights()])
    np.testing.assert_allclose(model.entropy_map(images), np.log(5), rtol=1e-5)
    bias = np.array([0, 0, 0, 0, 2000.0])
    head.set_weights([bias if w.ndim == 1 else w * 0 for w in head.get_weights()])
    np.testing.assert_array_equal(model.entropy_map(images), 0.0)


def test_the_last_features_are_the_parameters():
    model = tiny("codes")
    images = random_images(model, 3)
    found = model.features(images, "params", batch_size=2)
    np.testing.assert_allclose(found, model.params(images), atol=1e-4)


def test_features_of_two_scales(model_of):
    model = model_of(COARSE_AND_FINE)
    images, given = random_images(model, 3), given_of(model, 3)
    expected = np.array(model.params_graph(images, *given))

    def features(layer):
        assert layer in model.feature_layers
        return np.asarray(model.features_graph(images, *given, layer=layer))

    np.testing.assert_allclose(features("coarse/params"), expected[:, ::2, ::2], atol=1e-4)
    fine = features("fine/params")
    expected[:, ::2, ::2] = fine[:, ::2, ::2]  # what it says there is not used
    np.testing.assert_allclose(fine, expected, atol=1e-4)


def test_hidden_features():
    """The head makes the parameters of them; they know earlier pixels alone."""
    model = randomised(kp.models.PixelRNN((5, 4, 1), D.Bernoulli(), "row", units=6))
    assert model.feature_layers[:4] == ["first", "blocks", "blocks/block_0", "blocks/block_0/lstm"]
    images = random_images(model, 2)
    h = model.features(images, "block_1")
    assert h.shape == (2, 5, 4, 12)
    assert model.features(images, "block_0/lstm").shape == (2, 5, 4, 6)
    relu = np.maximum(h, 0.0)
    for layer in model.network.layers[-3:]:
        relu = np.asarray(layer(relu))
    np.testing.assert_allclose(relu, model.params(images), atol=1e-4)
    other = images.copy()
    other[:, 2, 1] ^= 1
    moved = (model.features(other, "block_1") != h).any(axis=(0, 3)).ravel()
    assert not moved[: 2 * 4 + 2].any()
    assert moved[2 * 4 + 2 :].sum() > 6


def test_layers_are_named():
    model = kp.models.PixelRNN((4, 3, 1), D.Bernoulli(), units=2)
    images = random_images(model, 1)
    for layer, words in [
        ("block_9", "layer of this model: first, blocks"),
        ("lstm", "several layers of this model: blocks/block_0/lstm"),
        (3, "layer=3"),
        ("", "layer=''"),
    ]:
        with pytest.raises(ValueError, match=words):
            model.features(images, layer)
    gated = kp.models.GatedPixelCNN((4, 3, 1), D.Bernoulli(), units=2, num_blocks=1)
    assert gated.feature_layers == ["stacks", "head_0", "head_1", "params"]
