"""The clients, against a stand-in that answers as TensorFlow Serving does."""

import base64
import concurrent.futures
import importlib.util
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.conformance import QUICK

EXAMPLES = Path(__file__).parents[1] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def signatures(export_of):
    return tf.saved_model.load(export_of(QUICK)).signatures


def call(signatures, name, inputs):
    """Outputs of a signature for arrays of any integer type, as the server converts them."""
    signature = signatures[name]
    specs = signature.structured_input_signature[1]
    tensors = {
        key: tf.constant(np.asarray(value), specs[key].dtype) for key, value in inputs.items()
    }
    return {key: value.numpy() for key, value in signature(**tensors).items()}


@pytest.fixture
def rest_url(signatures):
    """A server of the REST row format."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            rows = body["instances"]
            try:
                inputs = {key: [row[key] for row in rows] for key in rows[0]}
                outputs = call(signatures, body["signature_name"], inputs)
            except KeyError as error:
                return self._answer(400, {"error": f"no such name: {error}"})
            return self._answer(
                200,
                {
                    "predictions": [
                        {key: self._plain(value[row]) for key, value in outputs.items()}
                        for row in range(len(rows))
                    ]
                },
            )

        def _plain(self, value):
            if isinstance(value, bytes):
                return {"b64": base64.b64encode(value).decode()}
            return value.tolist()

        def _answer(self, status, content):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/models/tiny"
    server.shutdown()


def test_rest_client(rest_url, signatures, tmp_path, monkeypatch):
    client = load("rest_client")
    arguments = ["--url", rest_url, "--seeds", "5", "6", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["rest_client.py", *arguments])
    client.main()
    expected = call(signatures, "sample", {"seed": [5, 6]})
    for seed, png in zip((5, 6), expected["png_bytes"], strict=True):
        assert (tmp_path / f"rest-{seed}.png").read_bytes() == png
    image = expected["image"][:1]
    (scored,) = client.predict(rest_url, "log_prob", [{"image": image[0].tolist()}])
    assert scored["log_prob"] == pytest.approx(expected["log_prob"][0], abs=1e-4)
    with pytest.raises(RuntimeError, match="answered 400"):
        client.predict(rest_url, "nothing", [{"seed": 1}])


def test_grpc_client(signatures, tmp_path, monkeypatch):
    grpc = pytest.importorskip("grpc")
    pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
            response = predict_pb2.PredictResponse()
            for name, value in call(signatures, request.model_spec.signature_name, inputs).items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return response

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = load("grpc_client")
    arguments = ["--address", f"127.0.0.1:{port}", "--seeds", "5", "6", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["grpc_client.py", *arguments])
    client.main()
    server.stop(None)
    expected = call(signatures, "sample", {"seed": [5, 6]})
    for seed, png in zip((5, 6), expected["png_bytes"], strict=True):
        assert (tmp_path / f"grpc-{seed}.png").read_bytes() == png
