"""The look-ahead: trained with the model frozen, and every estimate stays unbiased."""

import hashlib

import click
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn.cli import complete
from keras_pixelrnn.completion import Lookahead, fit_lookahead, random_known
from keras_pixelrnn.completion.guided import GuidedDistribution
from keras_pixelrnn.completion.lookahead import check_fits
from keras_pixelrnn.models.functions import Functions
from keras_pixelrnn.serving import check
from tests.conformance import random_images, randomised
from tests.test_smc import CASES, RUNS, posterior, problem, shares, smc

pytestmark = pytest.mark.graphs
SMALL = {"units": 4, "num_blocks": 1, "reader_units": 5, "verbose": 0}


@pytest.fixture(name="trained", scope="module")
def _trained():
    """`trained(name)`: the model of a case, one of its problems, and a look-ahead."""
    made = {}

    def get(name):
        if name not in made:
            make, unknown, _, _ = CASES[name]
            model = make()
            image, known = problem(model, unknown, 3)
            options = {**SMALL, "epochs": 12} if name == "grey" else {**SMALL, "epochs": 1}
            images = model.sample(640 if name == "grey" else 32, seed=0)
            before = [w.copy() for w in model.get_weights()]
            lookahead = fit_lookahead(model, images, learning_rate=1e-2, **options)
            for one, two in zip(before, model.get_weights(), strict=True):
                np.testing.assert_array_equal(one, two)  # the model is frozen
            made[name] = model, image, known, lookahead
        return made[name]

    return get


@pytest.mark.parametrize("name", ["grey", pytest.param("colour", marks=pytest.mark.slow)])
def test_unbiased_whatever_the_look_ahead(name, trained):
    """One of random weights proposes badly; nothing may depend on it but the variance."""
    model, image, known, trained_one = trained(name)
    p, log_z = posterior(model, image, known)
    lookahead = randomised(Lookahead.from_config(trained_one.get_config()), scale=0.3, seed=1)
    found = smc(model, image, known, seed=5, n_particles=16, lookahead=lookahead)
    ratio = np.exp(found.log_z.astype(np.float64) - log_z)
    assert ratio.std() > 0.05, "it changes nothing"
    assert abs(ratio.mean() - 1) < 4.5 * ratio.std() / np.sqrt(RUNS)
    scored = model.log_prob(found.images.reshape(-1, *model.image_shape))
    np.testing.assert_allclose(found.log_prob.reshape(-1), scored, atol=1e-4)
    worse = smc(model, image, known, seed=5, n_particles=1, lookahead=lookahead)
    levels = model.distribution.levels
    distance = [np.abs(shares(x, known, levels) - p).sum() for x in (found, worse)]
    assert distance[0] < distance[1] / 1.3


def test_functions_know_a_look_ahead_as_it_is(trained):
    """What was made for one before it got adapters knows the old."""
    model, _, _, lookahead = trained("grey")
    lookahead = Lookahead.from_config(lookahead.get_config())
    functions = Functions(model)

    def now():
        return functions("complete_smc", xla=False, n_particles=2, lookahead=lookahead)

    first, plain = now(), functions("sample", xla=False)
    functions._drawn.add("traced")
    assert now() is first
    next(x for x in lookahead._flatten_layers() if getattr(x, "enable_lora", None)).enable_lora(1)
    assert now() is not first
    assert not functions._drawn
    assert functions("sample", xla=False) is not plain  # all that was traced is forgotten at once


@pytest.mark.slow
def test_weights_that_are_not_corrected_are_seen(trained, monkeypatch):
    """The planted fault: the proposal is taken for the model."""
    model, image, known, lookahead = trained("grey")
    bad = randomised(Lookahead.from_config(lookahead.get_config()), scale=0.3, seed=1)
    _, log_z = posterior(model, image, known)
    monkeypatch.setattr(GuidedDistribution, "log_proposal", GuidedDistribution.log_prob)
    found = smc(model, image, known, seed=5, n_particles=15, lookahead=bad)
    ratio = np.exp(found.log_z.astype(np.float64) - log_z)
    assert abs(ratio.mean() - 1) > 4.5 * ratio.std() / np.sqrt(RUNS)


def test_training_pays(trained):
    """With as few particles, closer to the posterior and a less noisy estimate than without."""
    model, image, known, lookahead = trained("grey")
    p, log_z = posterior(model, image, known)
    found = smc(model, image, known, seed=5, n_particles=1, lookahead=lookahead)
    plain = smc(model, image, known, seed=5, n_particles=1)
    distance = [np.abs(shares(x, known, 2) - p).sum() for x in (found, plain)]
    assert distance[0] < 0.8 * distance[1]
    noise = [np.exp(x.log_z.astype(np.float64) - log_z).std() for x in (found, plain)]
    assert noise[0] < noise[1]


@pytest.mark.parametrize("guided", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_no_resampling_where_nothing_is_left_to_draw(guided, trained):
    """It would only lose particles: known rows judge them, and the draws in the end do."""
    model, image, _, lookahead = trained("grey")
    known = np.ones(model.image_shape, bool)
    known[0] = False
    never, always = (
        smc(
            model,
            image,
            known,
            seed=1,
            n_particles=16,
            ess_threshold=threshold,
            lookahead=lookahead if guided else None,
        )
        for threshold in (0.0, 1.0)
    )
    assert np.median(never.ess[:, -1]) < 15.9, "no reason to resample"
    for one, two in zip(never, always, strict=True):
        np.testing.assert_array_equal(one, two)


def test_saved_and_loaded_as_any_keras_model(trained, tmp_path):
    model, image, known, lookahead = trained("grey")
    lookahead.save(tmp_path / "lookahead.keras")
    again = keras.saving.load_model(tmp_path / "lookahead.keras")
    assert again.loss.get_config() == lookahead.loss.get_config()
    assert again.optimizer.iterations == lookahead.optimizer.iterations > 0
    options = {"seed": 5, "n_particles": 16}
    one, two = (smc(model, image, known, lookahead=x, **options) for x in (lookahead, again))
    for ours, theirs in zip(one, two, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_training_is_repeatable():
    model = randomised(CASES["grey"][0](), scale=0.6)
    images = model.sample(40, seed=0)
    one, two = (fit_lookahead(model, images, epochs=1, seed=3, **SMALL) for _ in range(2))
    for ours, theirs in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_training_goes_on_from_one(trained):
    model, _, _, lookahead = trained("grey")
    again = Lookahead.from_config(lookahead.get_config())
    again.set_weights(lookahead.get_weights())
    further = fit_lookahead(
        model, model.sample(32, seed=1), lookahead=again, epochs=1, learning_rate=1e-5, verbose=0
    )
    assert further is again
    pairs = list(zip(lookahead.get_weights(), again.get_weights(), strict=True))
    assert any((one != two).any() for one, two in pairs)
    for one, two in pairs:
        np.testing.assert_allclose(one, two, atol=1e-4)


def test_random_known():
    rng = np.random.default_rng(0)
    known = random_known(rng, 4000, 5, 7)
    assert known.shape == (4000, 5, 7)
    share = known.mean(axis=0)
    assert ((share > 0.3) & (share < 0.7)).all(), "every pixel is hidden about as often as seen"
    upper = np.arange(5)[:, None] >= np.full(7, 3)
    for half in (upper, ~upper, upper[::-1]):
        assert (known == half).all(axis=(1, 2)).any()
    np.testing.assert_array_equal(known, random_known(np.random.default_rng(0), 4000, 5, 7))


def test_of_a_preset():
    name = "binarized_mnist_diagonal_7x16"
    lookahead = Lookahead.from_preset(name)
    check_fits(lookahead, kp.models.from_preset(name))
    file = kp.presets.folder(name) / "lookahead.keras"
    assert file.stat().st_size < 1e6, "the wheel stays small"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert digest == kp.presets.facts(name)["lookahead_sha256"], "the card is of another one"
    with pytest.raises(ValueError, match=f"comes with: {name}"):
        Lookahead.from_preset("digits")
    with pytest.raises(ValueError, match="Unknown preset"):
        Lookahead.from_preset("it")


def test_option_takes_a_file_or_a_name(tmp_path):
    file = tmp_path / "picture.png"
    file.write_bytes(b"")

    def parsed(lookahead):
        arguments = ["digits", str(file), "--lookahead", str(lookahead)]
        return complete.command.make_context("complete", arguments).params["lookahead"]

    assert parsed("binarized_mnist_diagonal_7x16") == "binarized_mnist_diagonal_7x16"
    assert parsed(file) == file
    with pytest.raises(click.BadParameter, match="does not exist"):
        parsed(tmp_path / "none.keras")


def test_bad_arguments(trained):
    model, image, known, lookahead = trained("grey")
    other = CASES["colour"][0]()
    with pytest.raises(ValueError, match="made for images"):
        other.complete(
            other.sample(1, seed=0),
            np.ones((2, 3), bool),
            seed=0,
            method="smc",
            lookahead=lookahead,
        )
    with pytest.raises(TypeError, match="fit_lookahead"):
        smc(model, image, known, seed=0, lookahead="it")
    with pytest.raises(ValueError, match="MultiScalePixelRNN"):
        fit_lookahead(CASES["multi-scale"][0](), random_images(model, 3))
    with pytest.raises(ValueError, match="at least one image"):
        fit_lookahead(model, random_images(model, 0))
    with pytest.raises(TypeError, match="blocks"):
        fit_lookahead(model, random_images(model, 3), blocks=3)
    with pytest.raises(TypeError, match="units"):
        fit_lookahead(model, random_images(model, 3), lookahead=lookahead, units=3)
    for options, words in [
        ({"epochs": 0}, "epochs=0"),
        ({"learning_rate": "fast"}, "learning_rate='fast'"),
        ({"learning_rate": -1.0}, "learning_rate=-1.0"),
        ({"seed": -1}, "seed=-1"),
        *[
            ({name: 10**6}, f"`{name}` must be an int.* Received: {name}=1000000")
            for name in ("units", "num_blocks", "reader_units")
        ],
        ({"known": known}, "`known` must be a function"),
        ({"known": lambda rng, n, *size: np.full((n, *size), 255)}, "boolean.*int64"),
        ({"known": lambda rng, n, *size: np.ones((n, *size[::-1]), bool)}, "must have the shape"),
    ]:
        with pytest.raises(ValueError, match=words):
            fit_lookahead(model, random_images(model, 3), **options)
    with pytest.raises(ValueError, match="n_particles"):
        kp.export.save_for_serving(model, "nowhere", lookahead=lookahead)


def test_one_that_is_no_numbers_is_named(trained):
    """Every draw was 0, beside a `log_z` of nan."""
    model, image, known, lookahead = trained("grey")
    kept = lookahead.get_weights()
    lookahead.set_weights([np.full_like(weight, np.nan) for weight in kept])
    try:
        with pytest.raises(ValueError, match="weights of the look-ahead are no numbers"):
            smc(model, image, known, seed=5, n_particles=16, lookahead=lookahead)  # compiled above
        with pytest.raises(ValueError, match="weights of the look-ahead are no numbers"):
            kp.export.save_for_serving(model, "nowhere", n_particles=4, lookahead=lookahead)
    finally:
        lookahead.set_weights(kept)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["grey", "colour"])
def test_exported(name, trained, tmp_path):
    """`complete_smc` runs through the C API with XLA off and draws what Python draws."""
    model, image, known, lookahead = trained(name)
    path = kp.export.save_for_serving(model, tmp_path, n_particles=16, lookahead=lookahead)
    signatures = tf.saved_model.load(path).signatures
    assert check.check(path, signatures) == []
    seeds = np.arange(6)
    ours = model.complete(
        np.repeat(image[None], 6, axis=0),
        known,
        seed=seeds,
        method="smc",
        n_particles=16,
        lookahead=lookahead,
    )
    found = signatures["complete_smc"](
        image=tf.constant(np.repeat(image[None], 6, axis=0)),
        known=tf.constant(np.repeat(known[None], 6, axis=0)),
        seed=tf.constant(seeds, tf.int64),
    )
    for key, value in ours._asdict().items():
        theirs = found["image" if key == "images" else key]
        np.testing.assert_allclose(theirs, value, atol=1e-3, rtol=1e-4)
