"""The SavedModel: without the package, without XLA, with the same images."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import keras_pixelrnn as kp
from keras_pixelrnn import noise, raster
from keras_pixelrnn.serving import check, export
from tests.conformance import LABELLED, MODELS, QUICK, context_of, given_of, random_images

pytestmark = pytest.mark.every_model  # of which all but two are slow
SLOW = [pytest.param(case, marks=pytest.mark.slow) for case in MODELS if case is not QUICK]


@pytest.fixture(scope="module", params=[QUICK, LABELLED, *SLOW], ids=str)
def exported(request, model_of, export_of):
    path = export_of(request.param)
    loaded = tf.saved_model.load(path)
    yield model_of(request.param), path, loaded.signatures
    del loaded  # what calls a signature within a graph needs its variables


def assert_same_images(model, seeds, ours, theirs):
    """The same images as DESIGN of the engine defines it: up to the first sub-pixel whose draw lies
    within 1e-5 of a step of the CDF, where rounding may decide."""
    uniform = noise.uniform(seeds, model.image_shape)
    if "MultiScale" in type(model).__name__:  # the order is another one
        np.testing.assert_array_equal(theirs, ours)
        return
    given = [tf.constant(value) for value in (ours, *given_of(model, len(ours)))]
    params = np.asarray(model(given if model.context.given else given[0], training=False))
    size = model.distribution.params_size(model.image_shape[2])
    for n in range(len(ours)):
        moved = np.flatnonzero(ours[n].ravel() != theirs[n].ravel())
        if not moved.size:
            continue
        row, column, channel = np.unravel_index(moved[0], model.image_shape)
        log_pmf = model.distribution.log_pmf(
            params[n, row, column].reshape(1, size),
            ours[n, row, column][None].astype(np.float32),
            int(channel),
        )
        cdf = np.cumsum(np.exp(np.asarray(log_pmf, np.float64)))
        assert np.abs(cdf - float(uniform[n, row, column, channel])).min() < 1e-5


def inputs_of(model, count):
    """The context as inputs of a signature."""
    values = given_of(model, count)
    return {model.context.name: tf.constant(values[0])} if values else {}


def controls(count, temperature=1.0, top_k=2, top_p=1.0):
    return {
        "temperature": tf.fill([count], temperature),
        "top_k": tf.fill([count], top_k),
        "top_p": tf.fill([count], top_p),
    }


def test_signatures(exported):
    model, _, signatures = exported
    names = {"sample", "sample_with", "complete", "log_prob", "nats_map", "serving_default"}
    assert set(signatures) == names
    context, inputs = context_of(model, 4), inputs_of(model, 4)
    seeds = np.array([3, 1 << 40, 0, 12], np.int64)
    drawn = signatures["sample"](seed=tf.constant(seeds), **inputs)
    ours = model.sample(4, seed=seeds, **context)
    assert_same_images(model, seeds, ours, drawn["image"].numpy())
    scored = signatures["log_prob"](image=drawn["image"], **inputs)
    np.testing.assert_allclose(drawn["log_prob"], scored["log_prob"], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(
        scored["log_prob"], model.log_prob(ours, **context), rtol=1e-5, atol=1e-4
    )
    nats = signatures["nats_map"](image=drawn["image"], **inputs)["nats"]
    np.testing.assert_allclose(
        nats.numpy().sum((1, 2, 3)), scored["log_prob"], rtol=1e-5, atol=1e-4
    )
    dimensions = np.prod(model.image_shape) * np.log(2)
    np.testing.assert_allclose(scored["bits_per_dim"], -scored["log_prob"] / dimensions, rtol=1e-6)
    again = signatures["serving_default"](seed=tf.constant(seeds), **inputs)
    np.testing.assert_array_equal(again["image"], drawn["image"])
    neutral = controls(4, top_k=model.distribution.levels)
    again = signatures["sample_with"](seed=tf.constant(seeds), **neutral, **inputs)
    assert_same_images(model, seeds, ours, again["image"].numpy())


def test_xla_compiles_likelihoods_and_says_what_it_does_not(exported, request):
    model, _, signatures = exported
    loops_both_ways = "diagonal" in request.node.callspec.id
    if not loops_both_ways and not request.config.getoption("--run-slow"):
        pytest.skip("slow; run by `make test-all`")
    inputs = {"image": tf.constant(random_images(model, 3)), **inputs_of(model, 3)}
    compiled = tf.function(signatures["log_prob"], jit_compile=True)(**inputs)
    expected = signatures["log_prob"](**inputs)
    for key, value in expected.items():
        np.testing.assert_allclose(compiled[key], value, rtol=1e-5, atol=1e-4)
    draw = tf.function(lambda **inputs: signatures["sample"](**inputs)["image"], jit_compile=True)
    inputs["seed"] = tf.range(3, dtype=tf.int64)
    del inputs["image"]
    found, said = None, ""
    try:
        found = draw(**inputs)
    except tf.errors.InvalidArgumentError as error:
        said = str(error)
    if found is None:
        assert "load_the_model_itself" in said
    else:  # without LSTMs nothing is in the way
        assert not loops_both_ways
        expected = signatures["sample"](**inputs)["image"]
        assert_same_images(model, np.arange(3), expected.numpy(), found.numpy())


def test_complete(exported):
    model, _, signatures = exported
    images = random_images(model, 3)
    known = np.zeros(images.shape, bool)
    known[:, :2] = True
    seeds = np.array([5, 6, 7], np.int64)
    drawn = signatures["complete"](
        image=tf.constant(images),
        known=tf.constant(known),
        seed=tf.constant(seeds),
        **inputs_of(model, 3),
    )
    ours = model.complete(images, known, seed=seeds, **context_of(model, 3))
    assert_same_images(model, seeds, ours, drawn["image"].numpy())
    np.testing.assert_array_equal(drawn["image"].numpy()[known], images[known])


def test_pictures(exported):
    model, _, signatures = exported
    drawn = signatures["sample"](seed=tf.constant([1], tf.int64), **inputs_of(model, 1))
    decoded = tf.io.decode_png(drawn["png_bytes"][0])
    image = drawn["image"].numpy()[0]
    assert decoded.shape == image.shape
    np.testing.assert_array_equal(decoded.numpy() == 255, image == model.distribution.levels - 1)


def test_a_value_outside_spoils_only_its_own_row(exported):
    model, _, signatures = exported
    images = random_images(model, 3)
    inputs = inputs_of(model, 3)
    good = signatures["log_prob"](image=tf.constant(images), **inputs)["log_prob"].numpy()
    images[1, 0, 0, 0] = 255
    found = signatures["log_prob"](image=tf.constant(images), **inputs)["log_prob"].numpy()
    assert found[1] == -np.inf
    np.testing.assert_allclose(found[[0, 2]], good[[0, 2]], rtol=1e-6)


def test_a_control_or_label_outside_spoils_only_its_own_row(exported):
    model, _, signatures = exported
    seeds, inputs = tf.constant([3, 4, 5], tf.int64), inputs_of(model, 3)
    good = signatures["sample_with"](seed=seeds, **controls(3), **inputs)
    bad = {**controls(3), "temperature": tf.constant([1.0, 0.0, 1.0])}
    found = signatures["sample_with"](seed=seeds, **bad, **inputs)
    assert found["log_prob"][1] == -np.inf
    for key in ("image", "log_prob"):
        np.testing.assert_array_equal(found[key][0], good[key][0])
        np.testing.assert_array_equal(found[key][2], good[key][2])
    if "label" in inputs:
        labels = inputs["label"].numpy()
        wrong = {"label": tf.constant([labels[0], 3, labels[2]], tf.int32)}
        found = signatures["sample"](seed=seeds, **wrong)["log_prob"].numpy()
        assert found[1] == -np.inf
        assert np.isfinite(found[[0, 2]]).all()


# Of the quick one tests/test_serving_check.py.
@pytest.mark.parametrize("exported", [LABELLED, *SLOW], ids=str, indirect=True)
def test_servable(exported):
    _, path, signatures = exported
    assert check.check(path, signatures) == []
    assert (path / "batching_params.pbtxt").is_file()


def test_no_xla_inside(exported):
    """By a walk of its own, wider than the checker's: that one must not vouch for itself."""
    _, path, _ = exported
    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    (graph,) = saved.meta_graphs
    ops = {node.op for node in graph.graph_def.node}
    for function in graph.graph_def.library.function:
        ops |= {node.op for node in function.node_def}
        assert not function.attr["_XlaMustCompile"].b
    assert not {op for op in ops if "Xla" in op or "PyFunc" in op}


def test_loads_without_the_package(model_of, export_of, tmp_path):
    """A process in which keras and this package cannot be imported."""
    model, path = model_of(LABELLED), export_of(LABELLED)
    np.savez(tmp_path / "given.npz", **context_of(model, 2))
    code = (
        "import sys, json\n"
        "sys.modules['keras_pixelrnn'] = sys.modules['keras'] = None\n"
        "import numpy as np, tensorflow as tf\n"
        "sample = tf.saved_model.load(sys.argv[1]).signatures['sample']\n"
        "given = {sys.argv[2]: tf.constant(v) for v in np.load('given.npz').values()}\n"
        "images = sample(seed=tf.constant([7, 8], tf.int64), **given)['image']\n"
        "print(json.dumps(images.numpy().tolist()))\n"
    )
    command = [sys.executable, "-c", code, str(path), model.context.name]
    out = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert out.returncode == 0, out.stderr
    seeds = np.array([7, 8])
    images = np.array(json.loads(out.stdout), np.uint8)
    assert_same_images(model, seeds, model.sample(2, seed=seeds, **context_of(model, 2)), images)


def test_versions(model_of, tmp_path, monkeypatch):
    """Of folders alone: what is in them does not matter here."""
    model = model_of(QUICK)
    monkeypatch.setattr(export, "_write", lambda model, path, *_: path.mkdir())
    assert kp.export.save_for_serving(model, tmp_path).name == "1"
    assert kp.export.save_for_serving(model, tmp_path, version=7).name == "7"
    assert kp.export.save_for_serving(model, tmp_path).name == "8"
    for bad in (7, 0, "9", True):
        with pytest.raises(ValueError, match="Received: version="):
            kp.export.save_for_serving(model, tmp_path, version=bad)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["1", "7", "8"]


def test_a_failed_export_leaves_nothing_behind(model_of, tmp_path, monkeypatch):
    model = model_of(QUICK)
    (tmp_path / "1").mkdir()

    def full_disk(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full_disk)
    with pytest.raises(OSError, match="No space"):
        kp.export.save_for_serving(model, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]


def test_streaming_graph_scores_as_the_parallel_one(model_of):
    """In a graph without XLA and with an unknown batch, as a server runs it."""
    model = model_of(MODELS[0])
    images = random_images(model, 3)
    score = tf.function(
        lambda x: raster.score(model.network, model.distribution, x),
        input_signature=[tf.TensorSpec([None, *model.image_shape], tf.uint8)],
    )
    np.testing.assert_allclose(
        score(tf.constant(images)), np.asarray(model.nats_graph(images)), atol=1e-5, rtol=1e-6
    )
