"""A bad row never hurts its neighbours, in any signature; a bad shape fails in one sentence."""

import concurrent.futures

import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn.serving.inputs import MARKS
from keras_pixelrnn.serving.signatures import number_of
from tests.conformance import randomised
from tests.served import Running, example

SHAPE, LEVELS, ROWS, BAD = (3, 4, 1), 5, 8, 2
STATE = MARKS + 49  # what rows above mean to this model, as `model.row_state_size` says
NUMBERS = {}  # of the models that were exported, which their states name
CONTEXTS = {"label": {"num_classes": 3}, "context": {"context_shape": (2,)}}
SIGNATURES = [
    *("sample", "sample_with", "sample_rows", "complete", "complete_smc"),
    *("log_prob", "nats_map"),
]
FAULTS = {  # what a row may have wrong
    "seed": [-1, np.iinfo(np.int64).min],
    "temperature": [np.nan, np.inf, 0.0, -1.0, 1e-39],
    "top_k": [0, -1, LEVELS + 1],
    "top_p": [np.nan, 0.0, -1.0, 1.5],
    "label": [3, -1, 2**31 - 1],
    "context": [np.nan, np.inf, 3e38],  # the last is finite, and overflows on the way
    "image": [LEVELS, 255],
    "row": [-1, SHAPE[0], 2**31 - 1],
    "state": [np.nan, np.inf, -np.inf],
}


def exported(context, folder, **options):
    """Version folder of a tiny conditional model."""
    model = randomised(
        kp.models.PixelCNN(
            SHAPE,
            kp.distributions.Categorical(LEVELS),
            units=2,
            num_blocks=1,
            head_units=4,
            **CONTEXTS[context],
        )
    )
    NUMBERS[context] = number_of(model)
    return kp.export.save_for_serving(model, folder / context, **options)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return exported("label", tmp_path_factory.mktemp("bad"), n_particles=3, rows_at_once=2)


@pytest.fixture(scope="module")
def signatures(labelled):
    return {"label": tf.saved_model.load(labelled).signatures}


def good_inputs(name, context):
    """Inputs of `ROWS` good rows; of `sample_rows` at different rows of the image."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, LEVELS, (ROWS, *SHAPE)).astype(np.uint8)
    known = np.zeros(image.shape, bool)
    known[:, [0, 2]] = True
    full = {
        "seed": np.arange(ROWS, dtype=np.int64),
        "image": image,
        "known": known,
        "temperature": np.full(ROWS, 0.8, np.float32),
        "top_k": np.full(ROWS, 4, np.int32),
        "top_p": np.full(ROWS, 0.9, np.float32),
        "label": (np.arange(ROWS) % 3).astype(np.int32),
        "context": rng.normal(size=(ROWS, 2)).astype(np.float32),
        "row": (np.arange(ROWS) % SHAPE[0]).astype(np.int32),
        "state": rng.normal(size=(ROWS, STATE)).astype(np.float32),
    }
    full["state"][:, 0], full["state"][:, 1] = full["row"], NUMBERS[context]
    own = {
        "sample": ["seed"],
        "sample_with": ["seed", "temperature", "top_k", "top_p"],
        "sample_rows": ["seed", "row", "state"],
        "complete": ["image", "known", "seed"],
        "complete_smc": ["image", "known", "seed"],
        "log_prob": ["image"],
        "nats_map": ["image"],
    }[name]
    return {key: full[key] for key in [*own, context]}


def spoiled(inputs, key, value):
    """The inputs with one row spoiled."""
    changed = inputs[key].copy()
    changed.reshape(ROWS, -1)[BAD, 0] = value
    return {**inputs, key: changed}


def faults(name, context, one_of_each=False):
    inputs = good_inputs(name, context)
    overflowing = []
    if "state" in inputs:  # finite, of the right row and model, and no number in the end
        state = inputs["state"].copy()
        state[BAD, MARKS:] = 3e38
        overflowing = [{**inputs, "state": state}]
    return overflowing + [
        spoiled(inputs, key, value)
        for key in inputs.keys() & FAULTS.keys()
        for value in FAULTS[key][: 1 if one_of_each else None]
    ]


def run(signature, inputs):
    found = signature(**{key: tf.constant(value) for key, value in inputs.items()})
    return {key: value.numpy() for key, value in found.items()}


def assert_marked(found, name):
    """The bad row, and no other, is marked as the documentation says."""
    marks = {"log_prob": -np.inf, "log_z": -np.inf, "bits_per_dim": np.inf}
    for key in found.keys() & marks.keys():
        assert found[key][BAD] == marks[key], (name, key)
        assert np.isfinite(np.delete(found[key], BAD)).all()
    if "nats" in found:
        assert (found["nats"][BAD] == -np.inf).any()
    assert found.keys() & {"log_prob", "nats"}
    if "image" in found:
        assert found["image"].max() < LEVELS
    if "state" in found:  # for no row but the first, so what goes on from here is marked as well
        assert (found["state"][BAD] == 0).all()
        assert (np.delete(found["state"], BAD, axis=0)[:, 1] != 0).all()


@pytest.mark.parametrize("context", CONTEXTS)
def test_only_the_bad_row_is_marked(context, signatures, tmp_path):
    if context not in signatures:
        loaded = tf.saved_model.load(exported(context, tmp_path)).signatures
    else:
        loaded = signatures[context]
    for name in set(SIGNATURES) & set(loaded):
        good = run(loaded[name], good_inputs(name, context))
        assert all(np.isfinite(x).all() for x in good.values() if x.dtype != object)
        for inputs in faults(name, context):
            found = run(loaded[name], inputs)
            assert_marked(found, name)
            for key, value in found.items():
                np.testing.assert_array_equal(
                    np.delete(value, BAD, axis=0), np.delete(good[key], BAD, axis=0)
                )


@pytest.mark.parametrize("name", ["complete", "complete_smc"])
def test_a_value_that_is_not_known_may_be_anything(signatures, name):
    inputs = good_inputs(name, "label")
    good = run(signatures["label"][name], inputs)
    inputs["image"][~inputs["known"]] = 255
    found = run(signatures["label"][name], inputs)
    np.testing.assert_array_equal(found["image"], good["image"])
    np.testing.assert_array_equal(found["log_prob"], good["log_prob"])


def test_a_bad_shape_is_one_sentence(labelled):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:  # as a server runs it
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(labelled))

        def message(name, changed):
            signature = loaded.signature_def[name]
            fetch = [tensor.name for tensor in signature.outputs.values()]
            feeds = {signature.inputs[key].name: value for key, value in changed.items()}
            with pytest.raises(tf.errors.InvalidArgumentError) as error:
                session.run(fetch, feeds)
            return error.value.message

        for name in SIGNATURES:
            inputs = good_inputs(name, "label")
            for key, value in inputs.items():
                assert "as many rows as" in message(name, {**inputs, key: value[:5]})
            assert "at least one row" in message(name, {k: v[:0] for k, v in inputs.items()})


@pytest.mark.slow  # a short one is in test_server.py
def test_through_the_batching_of_a_server(labelled):
    """Requests of one row each, merged on the way: one bad among good ones."""
    pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    client, server = example("grpc_client"), Running(labelled, "bad")

    def ask(name, inputs, row):
        alone = {key: value[row : row + 1] for key, value in inputs.items()}
        return client.predict(server.address, "bad", name, alone)

    def outcome(*request):
        try:
            return ask(*request)
        except client.MarkedRows as marked:
            return marked

    try:
        with concurrent.futures.ThreadPoolExecutor(ROWS) as threads:
            for name in SIGNATURES:
                good = [ask(name, good_inputs(name, "label"), row) for row in range(ROWS)]
                for key, value in good_inputs(name, "label").items():
                    wrong = {**good_inputs(name, "label"), key: np.stack([value, value], axis=1)}
                    with pytest.raises(Exception, match=f"Input `{key}` must have the shape"):
                        ask(name, wrong, 0)
                for inputs in faults(name, "label", one_of_each=True):
                    found = list(threads.map(outcome, [name] * ROWS, [inputs] * ROWS, range(ROWS)))
                    assert found.pop(BAD).rows == [0]
                    for answer, expected in zip(found, np.delete(good, BAD), strict=True):
                        for key, value in expected.items():
                            if value.dtype.kind == "f":
                                np.testing.assert_allclose(answer[key], value, atol=1e-4)
                            else:
                                np.testing.assert_array_equal(answer[key], value)
    finally:
        server.interrupt()
