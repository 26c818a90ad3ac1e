"""`check_serving` passes what a stock server runs, and names what it does not."""

import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_pixelrnn.serving import c_session, check, operations, warmup
from tests.conformance import QUICK


@pytest.fixture
def export(export_of):
    return export_of(QUICK)


@pytest.mark.slow
def test_as_a_command(export):
    """As a process; in this one: tests/test_cli.py."""
    command = [sys.executable, "-m", "keras_pixelrnn", "check", export]
    good = subprocess.run(command, capture_output=True, text=True)
    assert (good.returncode, good.stdout.splitlines()[0]) == (0, f"{export}: servable")


def save(path, function, inputs):
    """A SavedModel of one signature with a warm-up record for it."""
    module = tf.Module()
    signature = tf.function(function).get_concrete_function(
        **{
            name: tf.TensorSpec([None, *x.shape[1:]], x.dtype, name=name)
            for name, x in inputs.items()
        }
    )
    tf.saved_model.save(module, str(path), signatures={"serving_default": signature})
    warmup.write(path, [("serving_default", inputs)])
    return check.check(path)


X = {"x": np.ones((2, 3), np.float32)}


def test_a_plain_model_passes(tmp_path):
    """Of any dtype that is passed to the session, and with NaN on purpose."""
    dtypes = [np.dtype(dtype) for dtype in c_session.DTYPES.values()]

    def function(**inputs):
        outputs = {f"{name}_out": tf.identity(x) for name, x in inputs.items()}
        return {**outputs, "nan": inputs["float32"] * np.nan, "text": tf.as_string(inputs["int8"])}

    inputs = {dtype.name: np.array([[0, 1, 1]] * 2).astype(dtype) for dtype in dtypes}
    assert save(tmp_path / "1", function, inputs) == []


def test_a_dtype_that_cannot_be_passed_is_named():
    for array, words in [(np.array([b"x"], object), "strings"), (np.zeros(1, complex), "complex")]:
        with pytest.raises(c_session.SessionError, match=f"x:0 has a dtype .* Received: {words}"):
            c_session._number_of("x:0", array)


@pytest.mark.parametrize(
    ("name", "xla", "words"),
    [
        ("best", False, "whole number, NAME/1 say"),
        ("1.0", False, "whole number"),
        ("1", True, "is compiled by XLA. Export it with --xla"),
    ],
)
def test_what_a_server_would_not_use_is_named(export, tmp_path, monkeypatch, name, xla, words):
    monkeypatch.setattr(operations, "without_kernel", lambda _: [])
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).symlink_to(export)
    for path in (tmp_path / name, f"{name}/variables/.."):
        (problem,) = check.check(path, xla=xla)
        assert words in problem


def test_a_jitted_signature_is_named(tmp_path):
    jitted = tf.function(lambda x: x * 2.0, jit_compile=True)
    assert "_XlaMustCompile" in " ".join(save(tmp_path / "1", lambda x: {"y": jitted(x)}, X))


def test_slice_update_is_named(tmp_path):
    def update(x):
        return {"y": keras.ops.slice_update(x, [0, 1], x[:, :1])}

    assert "XlaDynamicUpdateSlice" in " ".join(save(tmp_path / "1", update, X))


def test_a_python_function_is_named(tmp_path):
    def update(x):
        return {"y": tf.ensure_shape(tf.numpy_function(np.sin, [x], tf.float32), [None, 3])}

    assert "calls Python" in " ".join(save(tmp_path / "1", update, X))


def test_an_operation_of_another_library_is_named(export, tmp_path):
    """Of which TensorFlow's own C library has no kernel, as a server would find."""
    path = shutil.copytree(export, tmp_path / "1")
    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    node = saved.meta_graphs[0].graph_def.library.function[0].node_def.add()
    node.name, node.op = "tokens", "WhitespaceTokenizeWithOffsets"
    (path / "saved_model.pb").write_bytes(saved.SerializeToString())
    (problem,) = check.check(path)
    assert "WhitespaceTokenizeWithOffsets (tokens in function" in problem
    assert "no operation of a stock server" in problem


def test_operations_of_other_devices_have_no_kernel():
    names = {"MatMul", "StatelessWhile", "NcclAllReduce", "SleepOp", "PyFunc"}
    assert operations.without_kernel(names) == ["NcclAllReduce", "PyFunc", "SleepOp"]


def test_files_of_this_machine_are_named(tmp_path):
    file = tmp_path / "scale"
    file.write_text("2.0")

    def read(x):
        return {"y": x * tf.strings.to_number(tf.io.read_file(str(file)))}

    problems = " ".join(save(tmp_path / "1", read, X))
    assert "ReadFile" in problems
    assert f"the path {str(file)!r}" in problems


def test_a_graph_of_a_later_version_is_named(export):
    graph = check.read(export)
    graph.graph_def.versions.min_consumer = 10**6
    graph.meta_info_def.tensorflow_version = "9.9.9"
    (problem,) = check.out_of_place(graph)
    assert "TensorFlow 9.9.9, needs" in problem


def test_a_fixed_batch_is_named(tmp_path):
    problems = save(tmp_path / "1", lambda x: {"y": x, "total": tf.reduce_sum(x)}, X)
    assert "no free batch dimension" in " ".join(problems)


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        ([("sample", {"seed": np.zeros(1, np.int64)})], "No warm-up request calls"),
        ([("nothing", {})], "no such signature"),
        ([("sample", {"wrong": np.zeros(1, np.int64)})], r"expected \['seed'\]"),
    ],
)
def test_a_wrong_warm_up_record_is_named(export, tmp_path, requests, words):
    path = shutil.copytree(export, tmp_path / "1")
    if words != "No warm-up request calls":
        requests = [*warmup.read(path), *requests]
    warmup.write(path, requests)
    with pytest.raises(AssertionError, match=words):
        assert check.check(path) == []


def test_wrong_images_fail_the_session(export, tmp_path):
    """As on a server, which checks no shapes itself."""
    path = shutil.copytree(export, tmp_path / "1")
    wrong = [  # size, transposed, type
        np.zeros((1, 9, 9, 1), np.uint8),
        np.zeros((1, 7, 5, 1), np.uint8),
        np.zeros((1, 5, 7, 1), np.float32),
    ]
    warmup.write(path, [*warmup.read(path), *(("log_prob", {"image": image}) for image in wrong)])
    problems = check.check(path)
    assert len(problems) == 3
    assert all("'log_prob' fails with XLA off" in problem for problem in problems)


@pytest.mark.parametrize("file", ["variables.index", "variables.data-00000-of-00001"])
def test_damaged_weights_are_named(export, tmp_path, file):
    version = shutil.copytree(export, tmp_path / "1")
    (version / "variables" / file).write_bytes(b"")
    (problem,) = check.check(version)
    assert "weights" in problem
    assert "export it again" in problem


def test_a_graph_without_one_of_its_functions_is_named(export, tmp_path, monkeypatch):
    """Where the session does not miss it."""
    path = shutil.copytree(export, tmp_path / "1")
    graph = check.read(path)
    functions = graph.graph_def.library.function
    wrapper = next(f for f in functions if "signature_wrapper" in f.signature.name)
    functions.remove(wrapper)
    saved = saved_model_pb2.SavedModel(meta_graphs=[graph])
    (path / "saved_model.pb").write_bytes(saved.SerializeToString())
    monkeypatch.setattr(operations, "without_kernel", lambda _: [])
    monkeypatch.setattr(check, "c_api", lambda *_, **__: ({}, {"errors": []}, None))
    (problem,) = check.check(path)
    assert f"{path / 'saved_model.pb'} is damaged" in problem


def test_a_damaged_warm_up_file_is_named(export, tmp_path):
    path = shutil.copytree(export, tmp_path / "1")
    (path / warmup.FILE).write_bytes(b"not a record")
    assert "holds a record that is no request" in " ".join(check.check(path))
    (path / warmup.FILE).write_bytes(b"cut")  # in the head of the first record
    assert "holds no warm-up request" in " ".join(check.check(path))
    (path / warmup.FILE).unlink()
    assert "no warm-up requests" in " ".join(check.check(path))


def test_damaged_batching_parameters_are_named(export, tmp_path):
    path = shutil.copytree(export, tmp_path / "1")
    (path / "batching_params.pbtxt").write_text("max_batch_size { value: 8")
    (problem,) = check.check(path)
    assert "batching_params.pbtxt: Batching parameters are lines" in problem


def test_warm_up_records_are_those_of_the_serving_api(export):
    log_pb2 = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    ours = warmup.read(export)
    records = list(tf.data.TFRecordDataset(str(export / warmup.FILE)))
    assert len(records) == len(ours) <= 1000
    for record, (signature, inputs) in zip(records, ours, strict=True):
        request = log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.signature_name == signature
        assert set(request.inputs) == set(inputs)
        for name, value in inputs.items():
            np.testing.assert_array_equal(tf.make_ndarray(request.inputs[name]), value)
