"""What is drawn follows exactly the distribution that is scored."""

import itertools

import numpy as np
import pytest
from keras import ops

import keras_pixelrnn as kp
from keras_pixelrnn import masks, noise, raster
from tests.conformance import MODELS, context_of, given_of, random_images, randomised

TINY = {
    "diagonal": lambda shape, d: kp.models.PixelRNN(shape, d, "diagonal", units=3, num_blocks=2),
    "row": lambda shape, d: kp.models.PixelRNN(shape, d, "row", units=3, num_blocks=2),
    "pixelcnn": lambda shape, d: kp.models.PixelCNN(shape, d, units=3, num_blocks=2),
    "gated": lambda shape, d: kp.models.GatedPixelCNN(shape, d, units=3, num_blocks=2),
}


SCALE = {"gated": 0.75}  # of the weights: neither nearly uniform nor nearly certain; others 0.4


def all_images(shape, levels=2):
    values = itertools.product(range(levels), repeat=int(np.prod(shape)))
    return np.array(list(values), np.uint8).reshape(-1, *shape)


def chi_square_z(counts, p):
    """Normal deviate of Pearson's statistic of counts against probabilities (Wilson and Hilferty)."""
    expected = counts.sum() * p / p.sum()
    common = expected >= 5  # the others count as one
    counts = np.append(counts[common], counts[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    keep = expected > 0
    statistic = ((counts - expected)[keep] ** 2 / expected[keep]).sum()
    freedom = keep.sum() - 1
    mean, deviation = 1 - 2 / (9 * freedom), np.sqrt(2 / (9 * freedom))
    return ((statistic / freedom) ** (1 / 3) - mean) / deviation


def counts_of(draws):
    """How often each of the 64 images was drawn."""
    return np.bincount(draws.reshape(len(draws), 6) @ (1 << np.arange(5, -1, -1)), minlength=64)


SMALL = {
    "grey": ((2, 3, 1), kp.distributions.Bernoulli()),
    "colour": ((1, 2, 3), kp.distributions.Bernoulli()),
    "categorical": ((2, 1, 3), kp.distributions.Categorical(2)),
    "logistic": ((1, 2, 3), kp.distributions.DiscretizedLogisticMixture(2, num_mixtures=3)),
}
# Each architecture and each kind; the rest are slow.
USUAL = [("diagonal", "grey"), ("gated", "grey"), ("diagonal", "colour"), ("row", "categorical")]
USUAL += [("pixelcnn", "logistic")]


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        pair if pair in USUAL else pytest.param(*pair, marks=pytest.mark.slow)
        for pair in itertools.product(TINY, SMALL)
    ],
)
def test_all_64_images_sum_to_one_and_come_as_often_as_scored(architecture, kind):
    shape, distribution = SMALL[kind]
    scale = SCALE.get(architecture, 0.4)
    model = randomised(TINY[architecture](shape, distribution), scale=scale)
    p = np.exp(model.log_prob(all_images(shape)).astype(np.float64))
    assert abs(p.sum() - 1.0) < 1e-5
    assert 1.5 / 64 < p.max() < 0.5  # neither uniform nor all on one image
    # Beyond 4.5 by chance once in 300,000.
    assert chi_square_z(counts_of(model.sample(20_000, seed=5, batch_size=20_000)), p) < 4.5


def test_a_leak_breaks_the_sum_and_a_biased_draw_the_frequencies(monkeypatch):
    """The planted faults."""
    shape = (2, 3, 1)
    honest = randomised(TINY["row"](shape, kp.distributions.Bernoulli()), scale=0.4)
    p = np.exp(honest.log_prob(all_images(shape)).astype(np.float64))
    uniform = np.asarray(noise.uniform(noise.image_seeds(5, 20_000), shape)) * np.float32(0.9)
    drawn = np.asarray(honest.sample_graph(ops.convert_to_tensor(uniform))[0])
    assert chi_square_z(counts_of(drawn), p) > 4.5

    mask = masks.causal_mask
    monkeypatch.setattr(masks, "causal_mask", lambda *args: mask(*args[:-1], "B"))
    leaky = randomised(TINY["row"](shape, kp.distributions.Bernoulli()), scale=0.4)
    total = np.exp(leaky.log_prob(all_images(shape)).astype(np.float64)).sum()
    assert abs(total - 1.0) > 1e-2


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_nats_of_drawn_images(case, model_of):
    model = model_of(case)
    uniform = noise.uniform(noise.image_seeds(3, 4), model.image_shape)
    image, nats = model._functions("sample")(uniform, *given_of(model, 4))
    assert np.asarray(image).max() < model.distribution.levels
    expected = model.log_prob(np.asarray(image), **context_of(model, 4))
    np.testing.assert_allclose(np.asarray(nats).sum((1, 2, 3)), expected, atol=1e-4, rtol=1e-6)


@pytest.mark.xla
def test_with_xla_as_without():
    """Another way through a mixture, and an LSTM in fewer operations."""
    shape, mixture = SMALL["logistic"]
    model = randomised(kp.models.PixelRNN(shape, mixture, units=3, num_blocks=1), scale=0.4)
    uniform = noise.uniform(noise.image_seeds(3, 50), model.image_shape)
    (drawn, nats), (same, plain) = (
        model._functions("sample", xla)(uniform) for xla in (True, False)
    )
    np.testing.assert_array_equal(drawn, same)
    assert len({image.tobytes() for image in np.asarray(drawn)}) > 9
    np.testing.assert_allclose(nats, plain, atol=1e-5)
    expected = model.log_prob(np.asarray(drawn))
    np.testing.assert_allclose(np.asarray(nats).sum((1, 2, 3)), expected, atol=1e-5)


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_complete(case, model_of):
    model = model_of(case)
    images = random_images(model, 3, seed=8)
    height = model.image_shape[0]
    known = np.zeros(images.shape, bool)
    known[:, : height // 2] = True
    context = context_of(model, 3)
    drawn = model.complete(images, known, seed=[4, 5, 6], **context)
    np.testing.assert_array_equal(drawn[known], images[known])
    # What is not known does not matter, nor how much of the batch there is.
    other = np.where(known, images, 1).astype(np.uint8)
    np.testing.assert_array_equal(model.complete(other, known, seed=[4, 5, 6], **context), drawn)
    # Nothing known is sampling; everything known is the image.
    np.testing.assert_array_equal(
        model.complete(images, np.zeros_like(known), seed=[4, 5, 6], **context),
        model.sample(3, seed=[4, 5, 6], **context),
    )
    np.testing.assert_array_equal(
        model.complete(images, np.ones_like(known), seed=1, **context), images
    )


def test_completion_counts_the_nats_of_what_it_draws(model_of):
    model = model_of(MODELS[1])
    images = random_images(model, 2)
    known = np.zeros(images.shape, bool)
    known[:, 1:3] = True  # known after unknown, too
    uniform = noise.uniform(noise.image_seeds(3, 2), model.image_shape)
    drawn, nats = raster.complete(
        model.network, model.distribution, ops.convert_to_tensor(images), known, uniform
    )
    expected = np.where(known, 0.0, np.asarray(model.nats_graph(np.asarray(drawn))))
    np.testing.assert_allclose(np.asarray(nats), expected, atol=1e-5)


def test_completion_given_an_upper_half_is_exact():
    """Frequencies of the lower row against p(lower | upper) by enumeration."""
    model = randomised(TINY["diagonal"]((2, 2, 1), kp.distributions.Bernoulli()), scale=1.0)
    images = all_images((2, 2, 1))
    p = np.exp(model.log_prob(images).astype(np.float64))
    upper = np.array([1, 0])
    fits = (images[:, 0, :, 0] == upper).all(1)
    conditional = p[fits] / p[fits].sum()
    given = np.repeat(images[fits][:1], 20_000, axis=0)
    known = np.array([[True, True], [False, False]])
    drawn = model.complete(given, known, seed=1, batch_size=20_000)[:, 1, :, 0]
    frequencies = np.bincount(drawn @ [2, 1], minlength=4) / 20_000
    np.testing.assert_allclose(frequencies, conditional, atol=0.015)


@pytest.mark.parametrize("case", MODELS[:2], ids=str)
def test_an_image_depends_on_its_own_seed_alone(case, model_of):
    model = model_of(case)
    together = model.sample(4, seed=[9, 8, 7, 6])
    np.testing.assert_array_equal(model.sample(4, seed=[9, 1, 7, 2])[::2], together[::2])
    assert (model.sample(4, seed=0) != model.sample(4, seed=1)).any()
    np.testing.assert_array_equal(model.sample(4, seed=0), model.sample(4, seed=0))


def test_mixtures_draw_the_same_images_in_fewer_operations(monkeypatch):
    """Without XLA, in colour: against draws of `DiscretizedMixture.draw` itself, unknown and known."""
    mixture = kp.distributions.DiscretizedLogisticMixture(256, num_mixtures=3)
    model = randomised(kp.models.GatedPixelCNN((3, 4, 3), mixture, units=4, num_blocks=1))
    rng = np.random.default_rng(0)
    uniform = rng.random((4, 3, 4, 3), np.float32)
    image, known = rng.integers(0, 256, uniform.shape), rng.random(uniform.shape) < 0.3

    def drawn():
        sample = kp.backend.compiled(model.sample_graph, model.variables, xla=False)
        complete = kp.backend.compiled(model.complete_graph, model.variables, xla=False)
        return [np.asarray(sample(uniform)[0]), np.asarray(complete(image, known, uniform)[0])]

    few = drawn()
    assert (few[1] == image)[known].all()
    monkeypatch.setattr(type(mixture), "drawer", kp.distributions.PixelDistribution.drawer)
    for ours, theirs in zip(few, drawn(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
