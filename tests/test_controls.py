"""Temperature, top_k and top_p against arithmetic on the exact pmf."""

import functools

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.distributions.controls import controlled
from tests.conformance import DISTRIBUTIONS, randomised
from tests.test_raster import SCALE, TINY, all_images, chi_square_z, counts_of

MULTI_SCALE = functools.partial(kp.models.MultiScalePixelRNN, units=3, num_blocks=1)
MADE = {**TINY, "multi_scale": MULTI_SCALE}
SLOW = pytest.mark.slow
pytestmark = pytest.mark.graphs


def by_hand(pmf, temperature, top_k, top_p):
    """The same in plain Python, float64, one pmf."""
    pmf = pmf ** (1 / temperature)
    pmf = pmf / pmf.sum()
    order = sorted(range(len(pmf)), key=lambda value: (-pmf[value], value))[:top_k]
    share, kept, total = pmf[order].sum(), [], 0.0
    for value in order:
        if kept and total >= top_p:
            break
        kept.append(value)
        total += pmf[value] / share
    cut = np.zeros_like(pmf)
    cut[kept] = pmf[kept] / pmf[kept].sum()
    return cut


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"),
    [(1.0, 256, 1.0), (0.5, 256, 1.0), (2.0, 256, 1.0), (1.0, 1, 1.0), (0.7, 3, 1.0)]
    + [(1.0, 256, 0.6), (1.3, 4, 0.5), (1.0, 2, 1e-6)],
)
def test_every_distribution(name, temperature, top_k, top_p, rng):
    distribution = DISTRIBUTIONS[name]
    params = rng.normal(size=(6, distribution.params_size(1))).astype(np.float32) * 2
    log_pmf = np.asarray(distribution.log_pmf(params, np.zeros((6, 1), np.float32), 0))
    values = (np.full(6, value, np.float32) for value in (temperature, top_k, top_p))
    found = np.exp(np.asarray(controlled(log_pmf, *values)).astype(np.float64))
    np.testing.assert_allclose(found.sum(-1), 1.0, atol=1e-5)
    for ours, pmf in zip(found, np.exp(log_pmf.astype(np.float64)), strict=True):
        np.testing.assert_allclose(ours, by_hand(pmf, temperature, top_k, top_p), atol=2e-5)


@pytest.mark.parametrize(
    "architecture",
    ["row", *(pytest.param(x, marks=SLOW) for x in ("diagonal", "pixelcnn", "gated"))],
)
def test_draws_follow_the_controlled_pmf(architecture):
    """Frequencies of all 64 images against the product of controlled conditionals."""
    scale = SCALE.get(architecture, 0.4)
    model = randomised(TINY[architecture]((2, 3, 1), kp.distributions.Bernoulli()), scale=scale)
    images = all_images((2, 3, 1))
    nats = np.asarray(model.nats_graph(images)).astype(np.float64)
    cold = nats / 0.5
    other = np.log1p(-np.exp(np.minimum(nats, -1e-12))) / 0.5
    p = np.exp((cold - np.logaddexp(cold, other)).sum((1, 2, 3)))
    assert p.sum() == pytest.approx(1.0, abs=1e-4)
    drawn = counts_of(model.sample(20_000, seed=1, temperature=0.5, batch_size=20_000))
    assert chi_square_z(drawn, p) < 4.5
    plain = np.exp(nats.sum((1, 2, 3)))
    assert chi_square_z(drawn, plain) > 4.5

    def entropy(counts):
        share = counts[counts > 0] / counts.sum()
        return -(share * np.log(share)).sum()

    assert entropy(drawn) < 0.9 * entropy(
        counts_of(model.sample(20_000, seed=1, batch_size=20_000))
    )


def test_top_k_of_one_is_the_greedy_image():
    model = randomised(TINY["row"]((2, 3, 1), kp.distributions.Categorical(5)))
    drawn = model.sample(3, seed=[1, 2, 3], top_k=1)
    assert (drawn == drawn[:1]).all()
    greedy = np.zeros((1, 2, 3, 1), np.uint8)
    for row in range(2):
        for column in range(3):
            logits = np.asarray(model(greedy))[0, row, column]
            greedy[0, row, column] = logits.argmax()
    np.testing.assert_array_equal(drawn[:1], greedy)


def test_one_control_per_image():
    model = randomised(TINY["diagonal"]((2, 3, 1), kp.distributions.Categorical(5)))
    seeds = [4, 5, 6]
    mixed = model.sample(3, seed=seeds, temperature=[1.0, 0.3, 1.0], top_k=[5, 5, 2])
    np.testing.assert_array_equal(mixed[0], model.sample(1, seed=seeds[:1])[0])
    np.testing.assert_array_equal(mixed[1], model.sample(3, seed=seeds, temperature=0.3)[1])
    np.testing.assert_array_equal(mixed[2], model.sample(3, seed=seeds, top_k=2)[2])


@pytest.mark.parametrize("architecture", ["pixelcnn", pytest.param("multi_scale", marks=SLOW)])
def test_controls_of_a_completion(architecture):
    """With nothing known a completion is a sample; what is known stays as it is."""
    model = randomised(MADE[architecture]((2, 3, 1), kp.distributions.Categorical(5)))
    images, known = np.full((3, 2, 3, 1), 4, np.uint8), np.zeros((2, 3), bool)
    options = {"seed": [4, 5, 6], "temperature": [1.0, 0.3, 2.0], "top_k": 3}
    drawn = model.complete(images, known, **options)
    np.testing.assert_array_equal(drawn, model.sample(3, **options))
    known[0, 1] = True
    cold = model.complete(images, known, seed=1, temperature=0.1)
    assert (cold[:, 0, 1] == 4).all()
    assert (cold != model.complete(images, known, seed=1)).any()
    with pytest.raises(ValueError, match="`top_p` must be"):
        model.complete(images, known, seed=1, top_p=0.0)
    with pytest.raises(TypeError, match="no argument 'n_particles'"):
        model.complete(images, known, seed=1, n_particles=3)


@pytest.mark.parametrize(
    "control",
    [{"temperature": 0.0}, {"temperature": -1}, {"temperature": np.inf}, {"temperature": [1, 2, 3]}]
    + [{"top_k": 0}, {"top_k": 6}, {"top_k": 1.5}, {"top_p": 0}, {"top_p": 1.1}, {"top_p": "x"}],
)
def test_bad_controls(control):
    model = TINY["row"]((2, 3, 1), kp.distributions.Categorical(5))
    with pytest.raises(ValueError, match=rf"`{next(iter(control))}` must be .*Received"):
        model.sample(2, seed=0, **control)


def test_score_is_of_the_model_itself():
    """What `sample_with` reports is the likelihood of the image, not of the controlled draw."""
    model = randomised(TINY["row"]((2, 3, 1), kp.distributions.Categorical(5)))
    uniform = np.random.default_rng(0).random((4, 2, 3, 1)).astype(np.float32)
    ones = np.ones(4, np.float32)
    image, nats = model.sample_with_graph(uniform, 0.3 * ones, 2 * ones, ones)
    expected = model.log_prob(np.asarray(image))
    np.testing.assert_allclose(np.asarray(nats).sum((1, 2, 3)), expected, atol=1e-4)
