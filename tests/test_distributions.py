"""Each distribution is one pmf: normalised, scored as drawn, and in the right units."""

import math

import keras
import numpy as np
import pytest
from keras import ops

import keras_pixelrnn as kp
from tests.conformance import DISTRIBUTIONS


@pytest.fixture(params=DISTRIBUTIONS, name="distribution")
def _distribution(request):
    return DISTRIBUTIONS[request.param]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0, 1e4])
def test_pmf_sums_to_one(distribution, channels, spread, rng):
    params = rng.normal(size=(6, distribution.params_size(channels))) * spread
    params = params.astype(np.float32)
    pixel = rng.integers(0, distribution.levels, (6, channels)).astype(np.float32)
    for channel in range(channels):
        log_pmf = np.asarray(distribution.log_pmf(params, pixel, channel))
        assert log_pmf.shape == (6, distribution.levels)
        np.testing.assert_allclose(np.exp(log_pmf.astype(np.float64)).sum(-1), 1.0, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_log_prob_is_the_log_pmf_of_the_value(distribution, channels, rng):
    shape = (2, 3, 4, channels)
    size = distribution.params_size(channels)
    params = rng.normal(size=(2, 3, 4, size)).astype(np.float32) * 2
    image = rng.integers(0, distribution.levels, shape).astype(np.uint8)
    log_prob = np.asarray(distribution.log_prob(params, image)).reshape(-1, channels)
    pixel = image.reshape(-1, channels)
    for channel in range(channels):
        log_pmf = np.asarray(
            distribution.log_pmf(params.reshape(-1, size), pixel.astype(np.float32), channel)
        )
        expected = np.take_along_axis(log_pmf, pixel[:, channel : channel + 1].astype(int), 1)[:, 0]
        np.testing.assert_allclose(log_prob[:, channel], expected, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_log_pmf_ignores_the_channel_itself_and_later_ones(distribution, channels, rng):
    params = rng.normal(size=(5, distribution.params_size(channels))).astype(np.float32)
    pixel = rng.integers(0, distribution.levels, (5, channels)).astype(np.float32)
    for channel in range(channels):
        other = pixel.copy()
        other[:, channel:] = (other[:, channel:] + 1) % distribution.levels
        np.testing.assert_array_equal(
            distribution.log_pmf(params, pixel, channel),
            distribution.log_pmf(params, other, channel),
        )


def test_outside_the_support(distribution):
    if distribution.levels == 256:
        pytest.skip("a uint8 image holds no value outside 256 levels")
    image = np.zeros((1, 1, 2, 1), np.uint8)
    image[0, 0, 1] = distribution.levels
    log_prob = np.asarray(
        distribution.log_prob(np.zeros((1, 1, 2, distribution.params_size(1)), np.float32), image)
    )
    assert np.isfinite(log_prob[0, 0, 0, 0])
    assert log_prob[0, 0, 1, 0] == -np.inf


def test_zero_logits_in_bits(distribution):
    """Units: 1 bit/dim for binary, 8 for 256 levels."""
    if not distribution.masks_channels:
        pytest.skip("zero parameters of a mixture are no uniform distribution")
    image = np.zeros((2, 4, 5, 3), np.uint8)
    params = ops.zeros((2, 4, 5, distribution.params_size(3)))
    metric = kp.metrics.BitsPerDimension(distribution)
    metric.update_state(image, params)
    assert float(metric.result()) == pytest.approx(np.log2(distribution.levels), abs=1e-6)
    nats = kp.metrics.NatsPerImage(distribution)
    nats.update_state(image, params)
    loss = kp.losses.NegativeLogLikelihood(distribution)(image, params)
    assert float(nats.result()) == pytest.approx(60 * np.log(distribution.levels), rel=1e-6)
    assert float(loss) == pytest.approx(float(nats.result()), rel=1e-6)


def test_gradient_is_finite(distribution, rng):
    import tensorflow as tf

    image = rng.integers(0, distribution.levels, (4, 2, 2, 1)).astype(np.uint8)
    for spread in (0.0, 1e4):
        params = tf.constant(rng.normal(size=(4, 2, 2, distribution.params_size(1))) * spread)
        params = tf.cast(params, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(params)
            loss = tf.reduce_sum(distribution.log_prob(params, image))
        assert np.isfinite(tape.gradient(loss, params)).all()


def test_quantile_by_hand():
    log_pmf = np.log(np.array([[0.25, 0.5, 0.25]] * 6, np.float32))
    u = np.array([0.0, 0.2499, 0.2501, 0.7499, 0.7501, 0.99999994], np.float32)
    drawn = kp.distributions.Categorical(3).quantile(log_pmf, u)
    np.testing.assert_array_equal(drawn, [0, 0, 1, 1, 2, 2])


QUANTILE_OF_MANY = pytest.mark.parametrize("xla", [False, True])


def quantile(distribution, logits, u, xla):
    """As drawing uses it: compiled, where XLA has a way of its own with many levels."""
    function = kp.backend.compiled(
        lambda logits, u: distribution.quantile(distribution.log_pmf(logits, None, 0), u), [], xla
    )
    return np.asarray(function(logits, u))


@QUANTILE_OF_MANY
@pytest.mark.parametrize("levels", [63, 64, 97, 256, 300])
def test_quantile_of_many_levels(levels, xla, rng):
    """The textbook search in float64; only a `u` within rounding of a step of the CDF may differ."""
    distribution = kp.distributions.Categorical(levels)
    logits = (rng.normal(size=(4096, levels)) * 3).astype(np.float32)
    u = rng.integers(0, 2**24, 4096).astype(np.float32) * np.float32(2**-24)
    drawn = quantile(distribution, logits, u, xla)
    pmf = np.exp(logits.astype(np.float64))
    cdf = np.cumsum(pmf, axis=-1) / pmf.sum(axis=-1, keepdims=True)
    expected = (cdf <= u[:, None]).sum(axis=-1)
    near = np.abs(cdf - u[:, None]).min(axis=-1) < 2e-6
    assert near.mean() < 0.05
    np.testing.assert_array_equal(drawn[~near], expected[~near])
    assert np.abs(drawn - expected).max() <= 20  # near a step: values of next to no weight between


@QUANTILE_OF_MANY
@pytest.mark.parametrize("channels", [1, 3])
def test_drawn_is_the_quantile_of_the_pmf(distribution, channels, xla, rng):
    """Whatever way a distribution draws; only a `u` within rounding of a step may differ."""
    n, levels = 2048, distribution.levels
    params = rng.normal(size=(n, distribution.params_size(channels))).astype(np.float32) * 2
    pixel = rng.integers(0, levels, (n, channels)).astype(np.float32)
    u = rng.integers(0, 2**24, n).astype(np.float32) * np.float32(2**-24)
    for channel in range(channels):
        drawn = kp.backend.compiled(
            lambda params, pixel, u, c=channel: distribution.draw(params, pixel, c, u), [], xla
        )(params, pixel, u)
        log_pmf = np.asarray(distribution.log_pmf(params, pixel, channel), np.float64)
        cdf = np.cumsum(np.exp(log_pmf), axis=-1)
        expected = (cdf <= u[:, None] * cdf[:, -1:]).sum(axis=-1)
        near = np.abs(cdf - u[:, None]).min(axis=-1) < 5e-6
        assert near.mean() < 0.3  # mixtures have levels of no weight, whose steps all lie at 0 or 1
        np.testing.assert_array_equal(np.asarray(drawn)[~near], expected[~near])
        chosen = np.take_along_axis(log_pmf, np.asarray(drawn)[:, None].astype(int), 1)
        assert chosen.min() > np.log(1e-12)


@QUANTILE_OF_MANY
def test_quantile_never_draws_the_impossible(xla, rng):
    """Values of probability 0 are not drawn, at either end or between, though the float32 CDF ends
    below 1 and `u` falls on its steps."""
    distribution = kp.distributions.Categorical(256)
    logits = rng.normal(size=(4096, 256)).astype(np.float32)
    possible = np.ones(256, bool)
    possible[:3] = possible[-3:] = possible[30:49] = possible[111::7] = False
    logits[:, ~possible] = -1e5
    logits[2048:, possible] = 0.0
    u = np.where(np.arange(4096) % 2, np.float32(1 - 2**-24), np.float32(0)).astype(np.float32)
    u[2048:] = np.arange(2048) % possible.sum() / possible.sum()  # steps of equal weights
    drawn = quantile(distribution, logits, u, xla)
    assert possible[drawn.astype(int)].all()


def test_config_round_trip(distribution):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(distribution))
    assert type(again) is type(distribution)
    assert again.get_config() == distribution.get_config()
    assert again.levels == distribution.levels


@pytest.mark.parametrize("levels", [1, 65537, 2.0, True, None])
def test_bad_levels(levels):
    with pytest.raises(ValueError, match=r"between 2 and 65536.*Received: levels="):
        kp.distributions.Categorical(levels)


@pytest.mark.parametrize("name", ["Logistic-17", "Normal-5"])
def test_mixture_against_its_definition(name, rng):
    """Two channels in float64 with scipy-free textbook formulas."""
    distribution = DISTRIBUTIONS[name]
    levels, count = distribution.levels, distribution.num_mixtures
    if name.startswith("Logistic"):
        cdf = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    else:
        cdf = lambda x: 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))  # noqa: E731
    params = rng.normal(size=(4, distribution.params_size(2)))
    weights, l0, l1, s0, s1, a = params.reshape(4, 6, count).transpose(1, 0, 2)
    centres = (2 * np.arange(count) + 1) / count - 1  # parameters of zero spread them evenly
    l0, l1, s0, s1 = l0 + centres, l1 + centres, s0 - np.log(count), s1 - np.log(count)
    pi = np.exp(weights) / np.exp(weights).sum(-1, keepdims=True)

    def masses(location, log_scale):  # (4, levels, count)
        edges = (np.arange(levels + 1) - 0.5) * 2 / (levels - 1) - 1
        edges[0], edges[-1] = -1e9, 1e9
        at = cdf((edges[None, :, None] - location[:, None]) / np.exp(log_scale)[:, None])
        return np.diff(at, axis=1)

    with np.errstate(over="ignore"):
        first = masses(l0, s0)
        red = rng.integers(0, levels, 4)
        scaled = red[:, None] * 2 / (levels - 1) - 1
        second = masses(l1 + np.tanh(a) * scaled, s1)
    joint = pi * first[np.arange(4), red]
    expected = ((joint / joint.sum(-1, keepdims=True))[:, None] * second).sum(-1)
    pixel = np.stack([red, np.zeros(4, int)], axis=-1).astype(np.float32)
    found = np.exp(np.asarray(distribution.log_pmf(params.astype(np.float32), pixel, 1)))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    found = np.exp(np.asarray(distribution.log_pmf(params.astype(np.float32), pixel, 0)))
    np.testing.assert_allclose(found, (pi[:, None] * first).sum(-1), atol=1e-6)


@pytest.mark.parametrize("count", [0, 1.5, True])
def test_bad_mixtures(count):
    with pytest.raises(ValueError, match="Received: num_mixtures="):
        kp.distributions.DiscretizedLogisticMixture(256, count)


@pytest.mark.parametrize(("levels", "channels"), [(256, 3), (300, 2), (5, 1)])
def test_a_drawer_draws_the_same_in_fewer_operations(levels, channels, rng):
    """Values at both ends, which have a half line for a step, among the earlier ones."""
    mixture = kp.distributions.DiscretizedLogisticMixture(levels, num_mixtures=4)
    n = 1024
    params = (rng.normal(size=(n, mixture.params_size(channels))) * 4).astype(np.float32)
    pixel = rng.integers(0, levels, (n, channels)).astype(np.float32)
    pixel[:100], pixel[100:200] = 0, levels - 1
    u = (rng.integers(0, 2**24, n) * 2.0**-24).astype(np.float32)
    draw = mixture.drawer(channels)(keras.ops.convert_to_tensor(params))
    other = kp.distributions.PixelDistribution.drawer(mixture, channels)(params)
    columns = [keras.ops.convert_to_tensor(pixel[:, c, None]) for c in range(channels)]
    for channel in range(channels):
        drawn = np.asarray(draw(columns[:channel], keras.ops.convert_to_tensor(u[:, None])))
        expected = np.asarray(mixture.draw(params, pixel, channel, u))[:, None]
        assert drawn.dtype == np.float32
        assert (drawn != expected).mean() < 0.01  # a `u` within rounding of a step
        np.testing.assert_array_equal(np.asarray(other(columns[:channel], u[:, None])), expected)
