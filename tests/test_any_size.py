"""The same weights for images of other heights and widths."""

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp
from tests.conformance import ARCHITECTURES, randomised

D = kp.distributions


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_probabilities_add_up(name):
    """Over all binary images of 2x3, under the weights of a model of 4x2."""
    learned = {"learned_initial_state": True} if name in ("diagonal", "row") else {}
    make = ARCHITECTURES[name][0]
    model = make(
        image_shape=(4, 2, 1), distribution=D.Bernoulli(), units=4, num_blocks=1, **learned
    )
    other = randomised(model).resized((2, 3))
    assert other.image_shape == (2, 3, 1)
    bits = np.arange(64)[:, None] >> np.arange(6) & 1
    images = bits.astype(np.uint8).reshape(-1, 2, 3, 1)
    nats = np.asarray(other.log_prob_graph(images), np.float64)
    assert np.exp(nats).sum() == pytest.approx(1, abs=1e-5)
    assert nats.std() > 0.1, "not those of a new model"


def test_what_a_pixel_sees_decides():
    """Nats of a large image are those of its upper left part, but where that one's border is seen."""
    head, sizes = D.Categorical(5), {"units": 6, "num_blocks": 1, "kernel_size": 3}
    model = randomised(kp.models.PixelCNN((4, 6, 3), head, context_shape=(4, 6, 2), **sizes))
    large = model.resized((7, 9))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 5, (2, 7, 9, 3)).astype(np.uint8)
    told = rng.normal(size=(2, 7, 9, 2))
    nats = np.asarray(large.nats_graph(images, told))
    part = np.asarray(model.nats_graph(images[:, :4, :6], told[:, :4, :6]))
    np.testing.assert_allclose(nats[:, :4, :4], part[:, :, :4], atol=1e-5)
    assert np.abs(nats[:, :4, 5] - part[:, :, 5]).max() > 1e-3
    with pytest.raises(ValueError, match=r"\(7, 9, 2\)"):
        large.log_prob(images, context=told[:, :4, :6])
    with pytest.raises(ValueError, match=r"model.resized\(\(7, 9\)\)"):
        model.log_prob(images, context=told)


def test_draw_and_complete_at_a_size():
    model = randomised(kp.models.PixelCNN((4, 3, 1), D.Categorical(9), units=3, num_blocks=1))
    drawn = model.sample(3, seed=0, size=(2, 5), batch_size=4)
    assert drawn.shape == (3, 2, 5, 1)
    large = model.resized((2, 5))
    np.testing.assert_array_equal(large.sample(3, seed=0, batch_size=4), drawn)
    known = np.zeros((2, 5), bool)
    known[0] = True
    completed = large.complete(drawn, known, seed=1)
    np.testing.assert_array_equal(completed[:, 0], drawn[:, 0])
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    (uniform,) = model.sample_batches(3, seed=0, size=np.array([2, 5]), batch_size=4)
    assert (uniform != drawn).any(), "the weights are those of now"
    assert not (np.asarray(large.get_weights()[0]) == 0).all(), "a copy stays as it is"
    assert model.at_size((4, 3)) is model


def test_a_size_follows_a_network_that_gets_adapters():
    model = randomised(kp.models.PixelCNN((4, 3, 1), D.Categorical(4), units=4, num_blocks=1))
    before = model.at_size((3, 5))
    layer = next(x for x in model._flatten_layers() if type(x).__name__ == "MaskedConv2D")
    layer.enable_lora(2)
    rng = np.random.default_rng(0)
    layer.lora_kernel_b.assign(rng.normal(size=layer.lora_kernel_b.shape))
    after = model.at_size((3, 5))
    images = rng.integers(0, 4, (2, 3, 5, 1))
    wanted = model.resized((3, 5)).log_prob(images)
    np.testing.assert_array_equal(after.log_prob(images), wanted)
    assert (before.log_prob(images) != wanted).all()


@pytest.mark.parametrize("size", [5, (5,), (0, 3), (2.0, 3), (2, 3, 1), "23"])
def test_no_size(size):
    model = kp.models.PixelCNN((4, 3, 1), D.Bernoulli(), units=2, num_blocks=1)
    for call in (model.resized, lambda size: model.sample(1, seed=0, size=size)):
        with pytest.raises(ValueError, match="`size` must be"):
            call(size)


def test_sizes_that_cannot_be():
    model = kp.models.MultiScalePixelRNN((6, 6, 1), D.Bernoulli(), factor=3, units=2, num_blocks=1)
    with pytest.raises(ValueError, match="`factor` must be"):
        model.resized((2, 6))
    inner = kp.models.PixelCNN((4, 3, 1), D.Bernoulli(), units=2, num_blocks=1)
    bare = kp.models.PixelModel((4, 3, 1), D.Bernoulli(), inner.network)
    with pytest.raises(ValueError, match="make it with the other `image_shape`"):
        bare.resized((5, 5))


def texture(count, height, width, seed):
    """A stationary field of -1 and 1: each pixel follows its left and its upper neighbour."""
    rng = np.random.default_rng(seed)
    margin = 20
    field = rng.choice([-1, 1], (count, height + margin, width + 2 * margin))
    for row in range(1, field.shape[1]):
        for column in range(1, field.shape[2]):
            pull = 0.9 * field[:, row, column - 1] + 0.7 * field[:, row - 1, column]
            up = rng.random(count) < 1 / (1 + np.exp(-pull))
            field[:, row, column] = np.where(up, 1, -1)
    return (field[:, margin:, margin : margin + width, None] > 0).astype(np.uint8)


def correlations(images):
    """Of pairs of pixels at some distances, down and to the right."""
    x = 2.0 * images[..., 0] - 1
    x = x[:, 3:, 3:]  # the border knows less
    height, width = x.shape[1:]
    return np.array(
        [
            np.mean(x[:, : height - down, : width - right] * x[:, down:, right:])
            for down, right in [(0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (0, 4), (3, 0)]
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pixelcnn", "diagonal", "row"])
def test_larger_texture_has_the_same_pair_correlations(name):
    make = ARCHITECTURES[name][0]
    model = make(
        image_shape=(10, 10, 1), distribution=D.Bernoulli(), units=8, num_blocks=2, kernel_size=3
    )
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(texture(2000, 10, 10, seed=0), batch_size=32, epochs=4, verbose=0)
    drawn = model.sample(64, seed=0, size=(30, 40))
    expected = correlations(texture(64, 30, 40, seed=1))
    assert expected[:5].min() > 0.1
    # The standard error of a mean of 64 such fields is about 0.01, here of both of them.
    np.testing.assert_allclose(correlations(drawn), expected, atol=0.06)
    order = np.random.default_rng(0).permuted(drawn.reshape(64, -1), axis=1).reshape(drawn.shape)
    assert np.abs(correlations(order) - expected).max() > 0.2, "the test can fail"
