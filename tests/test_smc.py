"""Completion by sequential Monte Carlo against enumeration."""

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.completion import Completion, complete, particles, resampling
from tests.conformance import randomised
from tests.test_raster import all_images

RUNS = 800  # independent ones of every case
DRAWS = 16
D = kp.distributions
CASES = {  # model, unknown sub-pixels, models x masks, numbers of particles
    "grey": (
        lambda: kp.models.PixelRNN((4, 3, 1), D.Bernoulli(), units=3, num_blocks=2),
        5,
        8,
        (1, 4, 16),
    ),
    "colour": (
        lambda: kp.models.PixelRNN((2, 3, 3), D.Categorical(3), "row", units=3, num_blocks=1),
        2,
        5,
        (1, 16),
    ),
    "multi-scale": (
        lambda: kp.models.MultiScalePixelRNN(
            (4, 3, 1), D.Bernoulli(), context_units=3, units=3, num_blocks=1
        ),
        5,
        5,
        (1, 16),
    ),
    "tall": (
        lambda: kp.models.GatedPixelCNN((6, 2, 1), D.Bernoulli(), units=3, num_blocks=2),
        5,
        5,
        (1, 4, 16),
    ),
    "mixture": (
        lambda: kp.models.PixelCNN(
            (3, 2, 3), D.DiscretizedLogisticMixture(3, num_mixtures=2), units=3, num_blocks=1
        ),
        2,
        5,
        (1, 4, 16),
    ),
}
SLOW = pytest.mark.slow
pytestmark = pytest.mark.graphs
QUICK = ("grey", "colour")


@pytest.fixture(name="tiny", scope="module")
def _tiny():
    """`tiny(name)`: the model of a case, made and compiled once, and whatever its weights."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = CASES[name][0]()
        return made[name]

    return get


def posterior(model, image, known):
    """All completions of an image, their probabilities, and log p(known), by enumeration."""
    unknown = int((~known).sum())
    levels = model.distribution.levels
    values = all_images((unknown,), levels)
    images = np.repeat(image[None], len(values), axis=0)
    images[:, ~known] = values
    log_prob = model.log_prob(images).astype(np.float64)
    log_z = np.logaddexp.reduce(log_prob)
    return np.exp(log_prob - log_z), log_z


def shares(completion, known, levels):
    """How often each completion was drawn, in the order of `posterior`."""
    values = completion.images.reshape(-1, *known.shape)[:, ~known].astype(int)
    places = levels ** np.arange(values.shape[1])[::-1]
    return np.bincount(values @ places, minlength=levels ** values.shape[1]) / len(values)


def smc(model, image, known, runs=RUNS, n=DRAWS, **options):
    """`runs` independent completions of one image."""
    images = np.repeat(image[None], runs, axis=0)
    return model.complete(images, known, method="smc", n=n, **options)


def problem(model, unknown, index):
    """Random weights, an image, and which of it are known: most unknown ones early, so that there is
    something later to heed."""
    randomised(model, scale=0.6, seed=index)
    known = np.ones(model.image_shape, bool)
    early = np.random.default_rng(index).permutation(int(known.size * 0.8))
    known.reshape(-1)[early[:unknown]] = False
    return model.sample(1, seed=index)[0], known


@pytest.mark.parametrize(
    "name", ["grey", *(pytest.param(c, marks=SLOW) for c in CASES if c != "grey")]
)
def test_against_enumeration(name, tiny):
    """Total variation falls about as 1 / n_particles, and exp(log_z) is unbiased."""
    _, unknown, count, sizes = CASES[name]
    model, distances, deviates = tiny(name), [], []
    for index in range(count):
        image, known = problem(model, unknown, index)
        p, log_z = posterior(model, image, known)
        row = []
        for size in sizes:
            found = smc(model, image, known, seed=1000 * index + size, n_particles=size)
            shown = shares(found, known, model.distribution.levels)
            row.append(np.abs(shown - p).sum() / 2)
            ratio = np.exp(found.log_z.astype(np.float64) - log_z)
            deviates.append((ratio.mean() - 1) / max(ratio.std() / np.sqrt(RUNS), 1e-6))
        distances.append(row)
    distances = np.mean(distances, axis=0)
    print(name, distances, np.abs(deviates).max(), np.square(deviates).mean())
    assert distances[0] > 0.05, "nothing to heed"
    assert (distances[1:-1] < distances[0] / 2).all()
    assert distances[-1] < distances[0] / 4  # a tenth of it is the noise of that many draws
    assert np.abs(deviates).max() < 4.5
    assert np.square(deviates).mean() < 2


@pytest.mark.parametrize("name", ["grey", pytest.param("colour", marks=SLOW)])
def test_what_is_returned(name, tiny):
    _, unknown, _, sizes = CASES[name]
    model = tiny(name)
    image, known = problem(model, unknown, 3)
    found = smc(model, image, known, seed=1, n_particles=sizes[-1])
    assert isinstance(found, Completion)
    height = model.image_shape[0]
    assert found.images.shape == (RUNS, DRAWS, *model.image_shape)
    assert found.images.dtype == np.uint8
    assert (found.images[:, :, known] == image[known]).all()
    scored = model.log_prob(found.images.reshape(-1, *model.image_shape))
    np.testing.assert_allclose(found.log_prob.reshape(-1), scored, atol=1e-4)
    assert found.ess.shape == (RUNS, height)
    assert (found.ess >= 0.999).all()
    assert (found.ess <= sizes[-1] * 1.001).all()
    # Over many runs the mean over particles is that over draws.
    expected = found.images.astype(float).mean(axis=(0, 1))
    np.testing.assert_allclose(found.mean.mean(axis=0), expected, atol=0.05)
    assert_mean_of_values(found, image, known, model)


def assert_mean_of_values(found, image, known, model):
    """What is known is its own mean, to the last bit, and no mean lies outside the values."""
    assert (found.mean[:, known] == image[known]).all()
    assert found.mean.min() >= 0
    assert found.mean.max() <= model.distribution.levels - 1


def test_an_image_depends_on_its_own_seed_alone(tiny):
    model = tiny("grey")
    image, known = problem(model, 5, 2)
    seeds = np.arange(RUNS)
    found = smc(model, image, known, seed=seeds, n_particles=16)
    again = smc(model, image, known, seed=seeds, n_particles=16)
    turned = smc(model, image, known, seed=seeds[::-1], n_particles=16)
    for one, two, three in zip(found, again, turned, strict=True):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_allclose(one, three[::-1], atol=1e-5)
    assert (found.images[0] != found.images[1]).any()


def test_images_are_completed_in_blocks(tiny):
    model = tiny("grey")
    image, known = problem(model, 5, 2)
    seeds, done = np.arange(5), []
    options = {"seed": seeds, "n_particles": 16, "batch_size": 2}
    found = smc(model, image, known, 5, progress=lambda *count: done.append(count), **options)
    assert done == [(2, 5), (4, 5), (5, 5)]
    alone = smc(model, image, known, 1, **{**options, "seed": seeds[4:]})
    for many, one in zip(found, alone, strict=True):
        np.testing.assert_array_equal(many[4:], one)
    default = smc(model, image, known, 5, seed=seeds, n_particles=16)
    np.testing.assert_allclose(default.log_z, found.log_z, atol=1e-5)


def test_everything_known_and_nothing(tiny):
    model = tiny("grey")
    image, known = problem(model, 5, 4)
    found = smc(model, image, np.ones_like(known), seed=1, n_particles=16)
    assert (found.images == image).all()
    np.testing.assert_allclose(found.log_z, np.full(RUNS, model.log_prob(image[None])), atol=1e-4)
    nothing = smc(model, image, np.zeros_like(known), seed=1, n_particles=16)
    np.testing.assert_allclose(nothing.log_z, 0.0, atol=1e-5)
    np.testing.assert_allclose(nothing.ess, 16.0, atol=1e-3)


def test_groups_of_particles(tiny, monkeypatch):
    """More particles than run together: still unbiased, and better than each group alone."""
    model = tiny("grey")
    image, known = problem(model, 5, 1)
    p, log_z = posterior(model, image, known)
    alone = smc(model, image, known, 200, seed=1, n_particles=4)
    monkeypatch.setattr(complete, "MOST_PARTICLES", 4)
    found = smc(model, image, known, 200, seed=1, n_particles=16)
    ratio = np.exp(found.log_z.astype(np.float64) - log_z)
    assert abs(ratio.mean() - 1) < 4.5 * ratio.std() / np.sqrt(200)
    assert ratio.std() < 0.7 * np.exp(alone.log_z.astype(np.float64) - log_z).std()
    assert found.ess.max() > 4.001
    distance = [np.abs(shares(x, known, 2) - p).sum() for x in (found, alone)]
    assert distance[0] < distance[1]
    assert_mean_of_values(found, image, known, model)


def test_groups_count_by_their_estimates():
    """Of two images: one group finds what is known three times as likely; both find it impossible."""
    n, values = 4000, np.arange(4, dtype=np.float32)
    with np.errstate(divide="ignore"):
        log_z = np.log(np.array([1, 3, 0, 0], np.float32))
    found = {
        "image": np.repeat(values.astype(np.uint8), n).reshape(4, n, 1, 1, 1),
        "log_prob": np.repeat(values, n).reshape(4, n),
        "log_z": log_z,
        "ess": np.array([[2], [5], [3], [3]], np.float32),
        "mean": values.reshape(4, 1, 1, 1),
    }
    both = complete._together(found, np.arange(4), 2, n)
    np.testing.assert_allclose(both["log_z"], [np.log(2), -np.inf], rtol=1e-6)
    np.testing.assert_allclose(both["mean"].ravel(), [0.75, 2.5], rtol=1e-6)
    np.testing.assert_allclose(both["ess"].ravel(), [1 / (1 / 32 + 9 / 80), 6], rtol=1e-6)
    np.testing.assert_array_equal(both["log_prob"], both["image"].reshape(2, n))
    drawn = both["log_prob"].mean(axis=1)
    np.testing.assert_allclose(drawn, [0.75, 2.5], atol=4.5 * 0.5 / np.sqrt(n))


def test_the_threshold_says_when_to_resample(tiny):
    """Until the first resampling both run alike; importance sampling has copies of none."""
    model = tiny("grey")
    image, known = problem(model, 5, 3)
    never = smc(model, image, known, seed=1, n_particles=16, ess_threshold=0.0)
    always = smc(model, image, known, seed=1, n_particles=16, ess_threshold=1.0)
    first = (never.ess < 15.999).argmax(axis=1)
    rows = np.arange(RUNS)
    np.testing.assert_allclose(never.ess[rows, first], always.ess[rows, first], rtol=1e-6)
    assert (first < 3).any(), "nothing left to resample for"
    assert (np.abs(never.ess[:, -1] - always.ess[:, -1]) > 1e-2).mean() > 0.5


def test_weights_after_resampling(tiny):
    """Between rows to be drawn one that judges much: small problems seldom resample by themselves."""
    model, deviates, known = tiny("grey"), [], np.ones((4, 3, 1), bool)
    known[[0, 2]] = False
    for index in range(3):
        image = randomised(model, scale=1.0, seed=index).sample(1, seed=index)[0]
        _, log_z = posterior(model, image, known)
        found = smc(model, image, known, seed=index, n_particles=16, ess_threshold=1.0)
        ratio = np.exp(found.log_z.astype(np.float64) - log_z)
        deviates.append((ratio.mean() - 1) / max(ratio.std() / np.sqrt(RUNS), 1e-4))
    assert np.abs(deviates).max() < 4.5


@pytest.mark.slow
def test_a_state_that_is_not_resampled_is_seen(monkeypatch):
    """The planted fault: particles take each other's values, not what the network carries of them."""
    model = CASES["grey"][0]()
    image, known = problem(model, 5, 3)
    monkeypatch.setattr(particles, "take", lambda leaf, parents: leaf)
    found = smc(model, image, known, seed=1, n_particles=4, ess_threshold=1.0)
    scored = model.log_prob(found.images.reshape(-1, *model.image_shape))
    assert np.abs(found.log_prob.reshape(-1) - scored).max() > 1e-2


@pytest.mark.parametrize(
    ("weight", "threshold", "expected"),
    [
        ([1, 0], 0.5, True),  # a pair of which one is left
        ([1, 1], 0.5, False),
        ([3, 3, 0], 2 / 3, True),
        ([3, 3, 0, 0, 0, 0, 0], 2 / 7, True),
        ([3, 3, 3, 0, 0, 0, 0], 2 / 7, False),
        ([1, 0, 0], 0.0, False),
        ([1, 0.5, 0.9], 1.0, True),
    ],
)
def test_ties_of_the_threshold_are_not_decided_by_rounding(weight, threshold, expected, rng):
    with np.errstate(divide="ignore"):
        log_weight = np.log(np.array(weight, np.float32)) - rng.uniform(0, 300, (200, 1))
    noise = rng.normal(scale=1e-6, size=log_weight.shape)
    ess = resampling.effective_sample_size((log_weight + noise).astype(np.float32))
    limit = np.full(200, threshold, np.float32) * len(weight)
    assert (np.asarray(resampling.uneven(ess, limit)) == expected).all()


def test_systematic_resampling():
    rng = np.random.default_rng(0)
    weight = rng.random((50, 9)).astype(np.float32) ** 4
    weight[:, [0, 4, 8]] = 0
    uniform = rng.random(50).astype(np.float32)
    uniform[:2] = 0, np.float32(1 - 2**-24)
    with np.errstate(divide="ignore"):
        log_weight = np.log(weight)
    parents = np.asarray(resampling.systematic(log_weight, uniform))
    expected = 9 * weight / weight.sum(axis=1, keepdims=True)
    for index, row in enumerate(parents):
        counts = np.bincount(row, minlength=9)
        assert (np.abs(counts - expected[index]) < 1.001).all()
        assert (counts[[0, 4, 8]] == 0).all()
    picked = np.asarray(resampling.draws(log_weight, uniform, 4))
    assert (np.take_along_axis(weight, picked, axis=1) > 0).all()
    found = resampling.effective_sample_size(np.log(np.array([[1, 1, 2], [3, 3, 3]], np.float32)))
    np.testing.assert_allclose(found, [16 / 6, 3], rtol=1e-6)
    impossible = np.full((1, 3), -np.inf, np.float32)
    np.testing.assert_allclose(resampling.normalised(impossible), 1 / 3)
