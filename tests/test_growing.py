"""Images drawn some rows at a time are those drawn at once, in an export and over gRPC."""

import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn.serving.signatures import size_of_state
from tests.conformance import randomised
from tests.served import example

SHAPE = (5, 4, 1)


def grown(signature, seeds, rows, labels):
    """Images, nats and states by calls of an exported `sample_rows`."""
    state = np.zeros((len(seeds), signature.structured_input_signature[1]["state"].shape[1]))
    state, images, nats = tf.constant(state, tf.float32), [], 0.0
    for row in range(0, SHAPE[0], rows):
        out = signature(
            seed=tf.constant(seeds),
            row=tf.fill([len(seeds)], row),
            state=state,
            label=tf.constant(labels),
        )
        images.append(out["image"].numpy())
        nats, state = nats + out["log_prob"].numpy(), out["state"]
    return np.concatenate(images, axis=1)[:, : SHAPE[0]], nats


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Both kinds of state: of a row's LSTMs, and of pixels to the left; two rows a call, five in all."""
    mixture = kp.distributions.DiscretizedLogisticMixture(5, num_mixtures=2)
    model = kp.models.PixelRNN(SHAPE, mixture, "diagonal", 4, 1, num_classes=3)
    folder = tmp_path_factory.mktemp("growing")
    path = kp.export.save_for_serving(randomised(model), folder, rows_at_once=2)
    return tf.saved_model.load(path).signatures


def test_the_same_images_and_nats(exported):
    seeds, labels = np.array([3, 4, 5], np.int64), np.array([0, 1, 2], np.int32)
    whole = exported["sample"](seed=tf.constant(seeds), label=tf.constant(labels))
    image, nats = grown(exported["sample_rows"], seeds, 2, labels)
    np.testing.assert_array_equal(image, whole["image"])
    np.testing.assert_allclose(nats, whole["log_prob"], rtol=1e-5)
    assert np.ptp(image) > 0


def test_requests_at_different_rows_share_a_batch_and_bad_ones_are_marked(exported):
    call = exported["sample_rows"]
    seeds, labels = np.array([3, 4], np.int64), np.array([0, 1], np.int32)
    size = call.structured_input_signature[1]["state"].shape[1]
    zeros = np.zeros((2, size), np.float32)

    def ask(row, state, seeds=seeds, labels=labels):
        out = call(
            seed=tf.constant(seeds),
            row=tf.constant(np.array(row, np.int32)),
            state=tf.constant(state),
            label=tf.constant(labels),
        )
        return {name: value.numpy() for name, value in out.items()}

    first = ask([0, 0], zeros)
    second = ask([2, 2], first["state"])
    mixed = ask([2, 0], np.stack([first["state"][0], zeros[1]]))
    np.testing.assert_array_equal(mixed["image"][0], second["image"][0])
    np.testing.assert_array_equal(mixed["image"][1], first["image"][1])
    lost = first["state"].copy()
    lost[0] = 0.0  # the state matters
    assert (ask([2, 2], lost)["state"][0] != second["state"][0]).any()
    lost[0, 0] = np.nan
    for bad in (ask([2, 2], lost), ask([5, 2], first["state"]), ask([-1, 2], first["state"])):
        assert bad["log_prob"][0] == -np.inf
        np.testing.assert_array_equal(bad["image"][1], second["image"][1])


def test_models_whose_rows_need_more_are_refused(tmp_path):
    bernoulli = kp.distributions.Bernoulli()
    mapped = kp.models.PixelCNN(SHAPE, bernoulli, 4, 1, context_shape=(*SHAPE[:2], 2))
    assert size_of_state(mapped) is None
    with pytest.raises(ValueError, match="not for context maps"):
        kp.export.save_for_serving(mapped, tmp_path, rows_at_once=2)
    assert not any(tmp_path.iterdir())


def test_the_client_grows_images(exported, monkeypatch):
    """The loop of `examples/grpc_client.py`, answered by the graph."""
    client = pytest.importorskip("tensorflow_serving.apis.predict_pb2") and example("grpc_client")
    labels = np.array([0, 1], np.int32)

    def predict(address, model, signature, inputs):
        inputs = {name: tf.constant(value) for name, value in {**inputs, "label": labels}.items()}
        return {name: value.numpy() for name, value in exported[signature](**inputs).items()}

    def shape_of(address, model, signature, kind, name):
        assert kind == "inputs"
        return exported[signature].structured_input_signature[1][name].shape.as_list()

    monkeypatch.setattr(client, "predict", predict)
    monkeypatch.setattr(client, "shape_of", shape_of)
    seeds = np.array([3, 4], np.int64)
    whole = exported["sample"](seed=tf.constant(seeds), label=tf.constant(labels))["image"]
    parts = list(client.grow("", "", seeds))
    assert [part.shape[1] for part in parts] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
