"""The invariants hold for the weights in saved_models/, and its files say what is true of them.

All but the digits are slow: `make test-all`."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from benchmarks.anomaly import auroc
from keras_pixelrnn.serving import check
from tests.conformance import context_of, given_of, random_images

SAVED = Path(__file__).parents[1] / "saved_models"
FOLDERS = [
    path.parent for path in sorted(SAVED.glob("*/metrics.json")) if path.parts[-2][:3] != "my-"
]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(path, id=path.name, marks=[] if path.name == "digits" else pytest.mark.slow)
        for path in FOLDERS
    ],
)
def folder(request):
    return request.param


@pytest.fixture(scope="module")
def model(folder):
    return keras.models.load_model(folder / "model.keras")


def test_there_are_some():
    assert SAVED / "digits" in FOLDERS


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


def test_export(folder, model):
    version = json.loads((folder / "metrics.json").read_text())["version"]
    path = folder / str(version)
    signatures = tf.saved_model.load(path).signatures
    assert not check.check(path, signatures)
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 8e6
    given = context_of(model, 2)
    inputs = {"label": tf.constant(given["context"])} if given else {}
    drawn = signatures["sample"](seed=tf.constant([3, 4], tf.int64), **inputs)
    images = drawn["image"].numpy()
    np.testing.assert_array_equal(images, model.sample(2, seed=[3, 4], **given))
    # Streaming and the forward pass agree on what was drawn.
    np.testing.assert_allclose(drawn["log_prob"], model.log_prob(images, **given), rtol=1e-5)


def test_metrics(folder, model):
    metrics = json.loads((folder / "metrics.json").read_text())
    assert model.count_params() == metrics["parameters"]
    card = (folder / "README.md").read_text()
    assert f"{metrics['parameters']:,} parameters" in card
    for picture in ("samples.png", "completions.png", "learning_curve.png"):
        assert picture in card
        assert (folder / picture).is_file()


def test_the_digits_score_as_filed():
    metrics = json.loads((SAVED / "digits" / "metrics.json").read_text())
    model = keras.models.load_model(SAVED / "digits" / "model.keras")
    test = kp.data.load("digits").evaluation("test", 60)
    assert kp.evaluation.evaluate(model, test).nats == pytest.approx(
        metrics["test"]["nats"], abs=1e-3
    )


def test_likelihood_finds_strange_images_but_not_simple_ones():
    """The caveat: what is simple is likely, digit or not (Nalisnick et al. 2019)."""
    model = keras.models.load_model(SAVED / "digits" / "model.keras")
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
