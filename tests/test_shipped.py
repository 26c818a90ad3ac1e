"""The invariants hold for the weights that come along, and what is said of them is true.

All but the digits are slow: `make test-all`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from benchmarks.anomaly import auroc
from keras_pixelrnn import presets
from keras_pixelrnn.presets.card import PICTURES, card
from keras_pixelrnn.serving import check
from keras_pixelrnn.training.run import load_data
from keras_pixelrnn.training.settings import as_given
from tests.conformance import context_of, given_of, random_images

SAVED = Path(__file__).parents[1] / "saved_models"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[] if name == "digits" else pytest.mark.slow)
        for name in presets.names()
    ],
)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    return kp.models.from_preset(name)


def test_there_are_some():
    assert "digits" in presets.names()
    assert {path.parent.name for path in SAVED.glob("*/metrics.json")} >= set(presets.names())


def test_no_pixel_sees_itself_or_later_ones(model):
    """A changed sub-pixel moves the nats of itself and of later ones alone, and does move those."""
    height, width, channels = model.image_shape
    image = random_images(model, 1)
    given = given_of(model, 1)
    nats = np.asarray(model.nats_graph(image, *given)).reshape(-1)
    order = np.arange(nats.size).reshape(model.image_shape)
    if isinstance(model, kp.models.MultiScalePixelRNN):  # the small image comes first
        step = model.factor
        small = order[::step, ::step].reshape(-1)
        order = np.concatenate([small, np.setdiff1d(order, small)])
    order = order.reshape(-1)
    for place in (0, nats.size // 3, nats.size // 2 + channels, nats.size - 1):
        changed = image.reshape(-1).copy()
        levels = model.distribution.levels
        changed[order[place]] = (int(changed[order[place]]) + levels // 2) % levels
        now = np.asarray(model.nats_graph(changed.reshape(image.shape), *given)).reshape(-1)
        np.testing.assert_array_equal(now[order[:place]], nats[order[:place]])
        assert (now[order[place:]] != nats[order[place:]]).any()


@pytest.mark.slow
def test_export(name, model, tmp_path):
    """The one in the repository, of the digits; that of any other as `pixelrnn export` writes it."""
    path = SAVED / name / "1"
    if name != "digits":
        path = kp.export.save_for_serving(model, tmp_path)
    signatures = tf.saved_model.load(path).signatures
    assert not check.check(path, signatures)
    assert sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) < 16e6
    given = context_of(model, 2)
    inputs = {"label": tf.constant(given["context"])} if given else {}
    drawn = signatures["sample"](seed=tf.constant([3, 4], tf.int64), **inputs)
    images = drawn["image"].numpy()
    np.testing.assert_array_equal(images, model.sample(2, seed=[3, 4], **given))
    # Streaming and the forward pass agree on what was drawn.
    np.testing.assert_allclose(drawn["log_prob"], model.log_prob(images, **given), rtol=1e-5)
    # One written long ago would not mark what today's does.
    levels = min(model.distribution.levels, 256)
    outside = np.stack([images[0], np.full_like(images[0], min(levels, 255))])
    known, seeds = (
        tf.ones(images.shape, tf.bool),
        {"seed": tf.constant([3, -4], tf.int64), **inputs},
    )
    for found, bad in [
        (signatures["sample"](**seeds), True),
        (signatures["complete"](image=tf.constant(images), known=known, **seeds), True),
        (signatures["log_prob"](image=tf.constant(outside), **inputs), levels < 256),
    ]:
        np.testing.assert_array_equal(np.isfinite(found["log_prob"]), [True, not bad])
    if levels < 256:
        seeds = {"seed": tf.constant([3, 4], tf.int64), **inputs}
        found = signatures["complete"](image=tf.constant(outside), known=known, **seeds)
        np.testing.assert_array_equal(np.isfinite(found["log_prob"]), [True, False])


def test_metrics(name, model):
    folder, facts = SAVED / name, presets.facts(name)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert model.count_params() == metrics["parameters"]
    for key in ("test", "protocol", "parameters", "sampling"):
        assert metrics.get(key) == facts.get(key)
    assert all((folder / picture).is_file() for picture in PICTURES)
    assert (folder / "README.md").read_text() == card(facts, tuple(PICTURES))


@pytest.mark.slow
@pytest.mark.skipif("TFDS_DATA_DIR" not in os.environ, reason="set TFDS_DATA_DIR to prepared data")
def test_the_card_is_reproduced(name, model):
    """On the whole test split; of the digits tests/test_presets.py does it always."""
    facts = presets.facts(name)
    images = load_data(kp.training.Settings(**as_given(facts["training"]["settings"])))
    test = images.evaluation("test", 250, labels=model.context.given)
    found = kp.evaluation.evaluate(model, test)
    assert images.protocol == facts["protocol"]
    assert found.images == facts["test"]["images"]
    assert found.nats == pytest.approx(facts["test"]["nats"], abs=0.01)


def test_likelihood_finds_strange_images_but_not_simple_ones():
    """The caveat: what is simple is likely, digit or not (Nalisnick et al. 2019)."""
    model = kp.models.from_preset("digits")
    digits = np.asarray(next(iter(kp.data.load("digits").evaluation("test", 200))))
    usual = -model.log_prob(digits)
    rng = np.random.default_rng(0)
    shuffled = rng.permuted(digits.reshape(200, -1), axis=1).reshape(digits.shape)
    assert auroc(usual, -model.log_prob(shuffled)) > 0.999
    assert auroc(usual, -model.log_prob(16 - digits)) > 0.999
    assert auroc(usual, -model.log_prob(np.zeros_like(digits))) < 0.5


def test_auroc():
    assert auroc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1
    assert auroc(np.array([1.0, 4.0]), np.array([2.0, 3.0])) == 0.5
    assert auroc(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.5
