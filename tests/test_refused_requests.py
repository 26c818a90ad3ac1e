"""What is no request, over REST and gRPC: refused in the words and codes of TensorFlow Serving."""

import contextlib
import functools
import gzip
import importlib
import io
import json
import sys
import urllib.error
import urllib.request

import numpy as np
import pytest
import tensorflow as tf

from tests.conformance import QUICK
from tests.served import example

predict_pb2 = pytest.importorskip("tensorflow_serving.apis.predict_pb2")
grpc = pytest.importorskip("grpc")

from keras_pixelrnn.serving.server import RequestError, Server, rest  # noqa: E402

pytestmark = pytest.mark.xdist_group(QUICK.name)


COLOURS = {"signature_name": "log_prob", "inputs": np.zeros((2, 5, 7, 3), int).tolist()}
COLOURS = json.dumps(COLOURS).encode()


@pytest.fixture(scope="module")
def server(running):
    return running()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "JSON Parse error"),
        (b"[1]", "must be a JSON object"),
        (b"{}", "either 'instances'"),
        (b'{"instances": [1], "inputs": [1]}', "either 'instances'"),
        (b'{"instances": []}', "at least one instance"),
        (b'{"instances": [1.5]}', "not of expected type: int64"),
        (b'{"instances": [true]}', "not of expected type: int64"),
        (b'{"instances": ["1"]}', "not of expected type: int64"),
        (b'{"instances": [99999999999999999999]}', "out of range"),
        (b'{"instances": [[1, 2], [3]]}', "ragged"),
        *(
            pytest.param(
                b'{"instances": ' + b"[" * n + b"1" + b"]" * n + b"}", words, id=f"{n} deep"
            )
            for n, words in [
                (60, "`seed` must have the shape (batch,)"),
                (65, "more than 64 lists deep"),
                (900, "more than 64 lists deep"),
            ]
        ),
        (b'{"instances": [{"seed": 1}, {"sed": 1}]}', "exactly the inputs"),
        (b'{"inputs": {"sed": [1]}}', "must hold exactly"),
        (b'{"signature_name": "log_prob", "instances": [[[300]]]}', "out of range"),
        (b'{"signature_name": "sample_with", "instances": [1]}', "must be objects"),
        (b'{"signature_name": ["sample"], "instances": [1]}', "must be a string"),
        (b'{"instances": ' + b"[" * 100_000, "JSON Parse error"),
        (json.dumps({"instances": [1] * 65}).encode(), "larger than maximum input batch size 64"),
        pytest.param(COLOURS, "5 7 3]", id="all of a shape whose last size is wrong"),
    ],
)
def test_rest_refuses(server, body, words):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(urllib.request.Request(f"{server.url}:predict", body))
    assert error.value.code == 400
    assert words in json.load(error.value)["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "other", 404, "any versions of model other"),
        ("GET", "quick/versions/9", 404, "version 9 of model quick"),
        ("POST", "quick/versions/9:predict", 404, "version 9 of model quick"),
        ("GET", "quick/labels/stable", 400, "version label: stable"),
        ("POST", "quick/labels/stable:predict", 400, "version label: stable"),
        ("GET", "quick:predict", 400, "Malformed"),
        ("POST", "quick", 400, "Malformed"),
        ("POST", "quick:classify", 400, "Malformed"),
        ("PUT", "quick", 400, "Malformed"),
        ("DELETE", "quick", 400, "Malformed"),
        ("TRACE", "quick", 501, "Unsupported method ('TRACE')"),
        ("FOO", "quick", 501, "Unsupported method ('FOO')"),
        ("GET", "quick/versions/one", 400, "Malformed"),
        pytest.param("GET", f"quick/versions/{'9' * 5000}", 400, "Malformed", id="no int64"),
    ],
)
def test_rest_paths_that_are_none(server, method, path, status, words):
    found, body = server.ask(method, path)
    assert found == status
    assert words in body["error"]


def test_a_client_that_resets_its_connection_is_no_fault(capsys):
    rest = pytest.importorskip("keras_pixelrnn.serving.server.rest")
    made = rest.make_server(None, "127.0.0.1", 0)
    with contextlib.closing(made.socket):
        for error, words in ((ConnectionResetError("gone"), ""), (KeyError("ours"), "KeyError")):
            try:
                raise error
            except type(error):
                made.handle_error(None, ("127.0.0.1", 1))
            said = capsys.readouterr().err
            assert words in said
            assert bool(words) == bool(said)


def test_rest_bodies_as_clients_send_them(server):
    """In chunks, packed, to a path in other letters with a query; and those that are damaged."""
    body = b'{"signature_name": "", "instances": [5]}'
    ask = functools.partial(server.ask, "POST")
    chunks = b"5;x=y\r\n" + body[:5] + b"\r\n%x\r\n" % len(body[5:]) + body[5:] + b"\r\n0\r\n\r\n"
    packed = gzip.compress(body)
    image = example("rest_client").predict(server.url, "sample", [5])[0]["image"]
    for status, found in [
        ask("quick:predict", body, Content_Length=len(body)),
        ask("quick:PREDICT?key=1", chunks, Transfer_Encoding="chunked"),
        ask("q%75ick:predict", packed, Content_Length=len(packed), Content_Encoding="gzip"),
    ]:
        assert status == 200, found
        assert found["predictions"][0]["image"] == image
    assert server.ask("HEAD", "quick")[0] == 400
    for damaged, headers in [
        (body, {"Content_Length": "many"}),
        (body, {"Content_Length": 1 << 40}),
        (body, {"Content_Length": -1}),
        (body, {}),
        (b"-5\r\n", {"Transfer_Encoding": "chunked"}),
        (b"what\r\n", {"Transfer_Encoding": "chunked"}),
        (b"7fffffffff\r\n", {"Transfer_Encoding": "chunked"}),
        (body, {"Content_Length": len(body), "Content_Encoding": "gzip"}),
        (packed[:-4], {"Content_Length": len(packed) - 4, "Content_Encoding": "gzip"}),
    ]:
        status, found = ask("quick:predict", damaged, **headers)
        assert (status, "body" in found["error"]) == (400, True)


def test_a_body_that_ends_too_soon_is_no_request():
    """Even where what came is JSON."""
    body = b'{"instances": [5]}'
    assert rest.read_body({"Content-Length": str(len(body))}, io.BytesIO(body)) == body
    with pytest.raises(RequestError, match="20 bytes were announced, 18 came"):
        rest.read_body({"Content-Length": "20"}, io.BytesIO(body))


def test_grpc_refuses_what_is_no_tensor(server):
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    def spoil(**changes):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "quick"
        tensor = request.inputs["seed"]
        tensor.CopyFrom(tf.make_tensor_proto(np.array([5, 6], np.int64)))
        for name, value in changes.items():
            if name == "size":
                tensor.tensor_shape.dim[0].size = value
            else:
                setattr(tensor, name, value)
        return request

    one_for_all = spoil(size=1 << 50, tensor_content=b"")
    one_for_all.inputs["seed"].int64_val.append(1)
    beyond = spoil(dtype=tf.uint8.as_datatype_enum, tensor_content=b"")
    beyond.inputs["seed"].int_val.extend([300, -1])
    many = predict_pb2.PredictRequest()
    many.CopyFrom(spoil())
    many.inputs["seed"].CopyFrom(tf.make_tensor_proto(np.zeros(65, np.int64)))
    labelled = spoil()
    labelled.model_spec.version_label = "stable"
    with grpc.insecure_channel(server.address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for request, words in [
            (spoil(dtype=99), "no tensor"),
            (spoil(size=-1), "shape is not given"),
            (spoil(size=1 << 50), "no tensor"),
            (spoil(tensor_content=b"abc"), "no tensor"),
            (one_for_all, "no tensor"),
            (beyond, "no tensor"),
            (spoil(dtype=tf.resource.as_datatype_enum), "no tensor"),
            (many, "larger than maximum input batch size 64"),
            (labelled, "version label: stable"),
        ]:
            with pytest.raises(grpc.RpcError) as error:
                stub.Predict(request, 30)
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT, words
            assert words in error.value.details()


def test_what_is_not_installed_is_said(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras_pixelrnn.serving.server.run")
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-pixelrnn\[serving\]'"):
        importlib.import_module("keras_pixelrnn.serving.server.run")


def test_no_export_is_refused(tmp_path):
    with pytest.raises(ValueError, match="version folder"):
        Server("x", tmp_path, port=0, rest_port=0)
