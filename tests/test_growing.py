"""Images drawn some rows at a time are those drawn at once, in an export and over gRPC."""

import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn.serving.inputs import MARKS
from keras_pixelrnn.serving.signatures import number_of, signatures
from tests.conformance import randomised
from tests.served import example

SHAPE = (5, 4, 1)


@pytest.fixture(scope="module")
def model():
    """Both kinds of state: of a row's LSTMs, and of pixels to the left."""
    head = kp.distributions.Categorical(5)
    return randomised(kp.models.PixelRNN(SHAPE, head, "diagonal", 4, 1, num_classes=3))


@pytest.fixture(scope="module")
def traced(model):
    """`call(signature, {input: array})` of the graphs that are exported; two rows a call, five in all.

    Not saved, which is what takes long; a saved one is in test_bad_rows.py."""
    made = {}
    for name, (function, inputs) in signatures(model, rows_at_once=2).items():
        if name in ("sample", "sample_rows"):
            made[name] = tf.function(function, inputs, autograph=False), [x.name for x in inputs]

    def call(name, inputs):
        function, names = made[name]
        outputs = function(*(inputs[key] for key in names))
        return {key: value.numpy() for key, value in outputs.items()}

    return call


def grown(call, inputs, rows, size):
    """Images and nats by calls of `sample_rows`."""
    count = len(inputs["seed"])
    state, images, nats = np.zeros((count, size), np.float32), [], 0.0
    for row in range(0, SHAPE[0], rows):
        place = {"row": np.full(count, row, np.int32), "state": state}
        out = call("sample_rows", {**inputs, **place})
        images.append(out["image"])
        nats, state = nats + out["log_prob"], out["state"]
    return np.concatenate(images, axis=1)[:, : SHAPE[0]], nats


THREE = {"seed": np.array([3, 4, 5], np.int64), "label": np.array([0, 1, 2], np.int32)}


def test_the_same_images_and_nats(model, traced):
    whole = traced("sample", THREE)
    image, nats = grown(traced, THREE, 2, MARKS + model.row_state_size)
    np.testing.assert_array_equal(image, whole["image"])
    np.testing.assert_allclose(nats, whole["log_prob"], rtol=1e-5)
    assert np.ptp(image) > 0


def test_requests_at_different_rows_share_a_batch_and_bad_ones_are_marked(model, traced):
    two = {name: value[:2] for name, value in THREE.items()}
    zeros = np.zeros((2, MARKS + model.row_state_size), np.float32)

    def ask(row, state):
        return traced("sample_rows", {**two, "row": np.array(row, np.int32), "state": state})

    first = ask([0, 0], zeros)
    second = ask([2, 2], first["state"])
    mixed = ask([2, 0], np.stack([first["state"][0], zeros[1]]))
    np.testing.assert_array_equal(mixed["image"][0], second["image"][0])
    np.testing.assert_array_equal(mixed["image"][1], first["image"][1])
    lost = first["state"].copy()
    lost[0, MARKS:] = 0.0  # the state matters
    assert (ask([2, 2], lost)["state"][0] != second["state"][0]).any()
    lost[0, MARKS] = np.nan
    other = first["state"].copy()
    other[0, 1] += 1  # of other weights
    third, skipped = second["state"].copy(), first["state"].copy()
    third[1], skipped[0] = first["state"][1], second["state"][0]
    ended = ask([-1, 2], first["state"])["state"]
    assert np.isfinite(ended).all()
    for bad in (
        *(ask([2, 2], lost), ask([2, 2], other), ask([2, 2], np.stack([zeros[0], lost[1]]))),
        *(ask([5, 2], first["state"]), ask([-1, 2], first["state"])),
        *(ask([3, 2], first["state"]), ask([4, 2], first["state"]), ask([2, 2], skipped)),
        ask([4, 2], np.stack([ended[0], first["state"][1]])),  # what a marked row goes on with
    ):
        assert bad["log_prob"][0] == -np.inf
        np.testing.assert_array_equal(bad["image"][1], second["image"][1])
    assert np.isfinite(ask([4, 2], third)["log_prob"]).all()
    assert np.isfinite(ask([0, 2], np.stack([other[0], lost[1]]))["log_prob"]).all()


def test_other_weights_have_another_number(model):
    head = kp.distributions.Categorical(5)
    other = randomised(kp.models.PixelRNN(SHAPE, head, "diagonal", 4, 1, num_classes=3))
    other.set_weights(model.get_weights())
    assert 1 <= number_of(model) == number_of(other) == np.float32(number_of(other))
    weights = model.get_weights()
    weights[0] = weights[0] + 1e-3
    other.set_weights(weights)
    assert number_of(other) != number_of(model)


@pytest.mark.graphs
def test_completions_grow_into_those_drawn_at_once(model, rng):
    images = rng.integers(0, 5, (3, *SHAPE)).astype(np.uint8)
    known = rng.random(SHAPE[:2]) < 0.4
    options = {"seed": 3, "context": THREE["label"]}
    parts = list(model.complete_rows(images, known, rows=2, **options))
    assert [part.shape[1] for part in parts] == [2, 2, 1]
    whole = model.complete(images, known, **options)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    assert (whole != images)[:, ~known].any()


@pytest.mark.xla
@pytest.mark.parametrize("xla", [False, True])
def test_the_state_that_is_taken_is_the_one_that_is_given(model, xla):
    """With XLA a Diagonal BiLSTM sums up finished rows in another way, of another size."""
    function, inputs = signatures(model, rows_at_once=2, xla=xla)["sample_rows" + "_xla" * xla]
    state = next(spec for spec in inputs if spec.name == "state")
    traced = tf.function(function, inputs, autograph=False).get_concrete_function()
    assert traced.structured_outputs["state"].shape[1] == state.shape[1]
    assert (state.shape[1] == MARKS + model.row_state_size) != xla


@pytest.mark.slow
@pytest.mark.xla
def test_completions_grow_under_xla(model, rng):
    images = rng.integers(0, 5, (3, *SHAPE)).astype(np.uint8)
    parts = list(model.complete_rows(images, images < 3, rows=2, seed=3, context=0))
    whole = model.complete(images, images < 3, seed=3, context=0, batch_size=3)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_what_is_not_asked_for_is_not_drawn(model, monkeypatch):
    calls = []

    def draw(images, known, uniform, row, state, *given):
        calls.append(row[0])
        return images, None, state

    monkeypatch.setattr(model, "_functions", lambda name, xla: draw)
    images, known = np.zeros((2, *SHAPE), np.uint8), np.zeros(SHAPE[:2], bool)
    parts = model.complete_rows(images, known, seed=0, context=0)
    assert [next(parts).shape[1] for _ in range(2)] == [1, 1]
    assert calls == [0, 1]
    with pytest.raises(ValueError, match="Received: rows=0"):  # at once, not when asked for
        model.complete_rows(images, known, seed=0, context=0, rows=0)


def test_models_whose_rows_need_more_are_refused(tmp_path):
    bernoulli = kp.distributions.Bernoulli()
    mapped = kp.models.PixelCNN(SHAPE, bernoulli, 4, 1, context_shape=(*SHAPE[:2], 2))
    assert not mapped.has_rows
    with pytest.raises(ValueError, match="not for context maps"):
        kp.export.save_for_serving(mapped, tmp_path, rows_at_once=2)
    assert not any(tmp_path.iterdir())


def test_the_client_grows_images(model, traced, monkeypatch):
    """The loop of `examples/grpc_client.py`, answered by the graph."""
    client = pytest.importorskip("tensorflow_serving.apis.predict_pb2") and example("grpc_client")
    sizes = {"image": [-1, *SHAPE], "state": [-1, MARKS + model.row_state_size]}

    def predict(address, model, signature, inputs):
        return traced(signature, {**inputs, "label": THREE["label"]})

    def shape_of(address, model, signature, kind, name):
        assert kind == "inputs"
        return sizes[name]

    monkeypatch.setattr(client, "predict", predict)
    monkeypatch.setattr(client, "shape_of", shape_of)
    parts = list(client.grow("", "", THREE["seed"]))
    assert [part.shape[1] for part in parts] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), traced("sample", THREE)["image"])
