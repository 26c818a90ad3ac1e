"""The development server and the clients, as a person runs them."""

import concurrent.futures
import contextlib
import json
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.conformance import QUICK
from tests.served import example

pytest.importorskip("tensorflow_serving.apis.predict_pb2")
grpc = pytest.importorskip("grpc")


pytestmark = pytest.mark.xdist_group(QUICK.name)


@pytest.fixture(scope="module")
def server(running):
    return running()


@pytest.fixture(scope="module")
def url(server):
    return f"http://127.0.0.1:{server.rest_port}/v1/models/quick"


@pytest.fixture(scope="module")
def expected(export_of):
    """Outputs of a signature in Python."""
    signatures = tf.saved_model.load(export_of(QUICK)).signatures

    def call(name, **inputs):
        found = signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
        return {key: value.numpy() for key, value in found.items()}

    return call


SEEDS = np.array([5, 6], np.int64)


def test_rest_client(server, url, expected, tmp_path, monkeypatch):
    client = example("rest_client")
    arguments = ["--url", url, "--seeds", "5", "6", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["rest_client.py", *arguments])
    client.main()
    drawn = expected("sample", seed=SEEDS)
    for seed, png in zip(SEEDS, drawn["png_bytes"], strict=True):
        assert (tmp_path / f"rest-{seed}.png").read_bytes() == png
    image = drawn["image"][:1]
    (scored,) = client.predict(url, "log_prob", [{"image": image[0].tolist()}])
    assert scored["log_prob"] == pytest.approx(drawn["log_prob"][0], abs=1e-4)
    with pytest.raises(RuntimeError, match="answered 400"):
        client.predict(url, "nothing", [{"seed": 1}])
    with pytest.raises(RuntimeError, match="answered 404"):
        client.predict(url + "s", "sample", [{"seed": 1}])
    with pytest.raises(RuntimeError, match="v1 does not answer"):
        client.predict("http://127.0.0.1:1/v1", "sample", [{"seed": 1}])


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("rest_client", ["--url", "{url}s"], "answered 404"),
        ("rest_client", ["--url", "http://127.0.0.1:1/v1"], "does not answer"),
        ("rest_client", ["--url", "http://{address}/v1/models/quick"], "models/quick' is no model"),
        *(
            ("rest_client", ["--url", url], f"{url!r} is no model of TensorFlow Serving. Expected")
            for url in (
                "http://localhost:1",
                "http://x:y/v1/z",
                "http://x/v1/a b",
                "",
                "http://[x/v1",
            )
        ),
        ("rest_client", ["--url", "{url}", "--seeds", "-1"], "marked rows [0]"),
        ("rest_client", ["--url", "{url}", "--output", "/nowhere"], "/nowhere/rest-1.png"),
        ("grpc_client", ["--address", "{address}", "--model", "other"], "NOT_FOUND: Could not"),
        *(("grpc_client", ["--address", none], f"Received: {none!r}") for none in ("", " ")),
        ("grpc_client", ["--address", "127.0.0.1:1"], "127.0.0.1:1 answered UNAVAILABLE"),
        ("grpc_client", ["--address", "{address}", "--seeds", "9" * 20], "too large"),
        ("grpc_client", ["--address", "{address}", "--model", "quick", "--seeds", "-1"], "marked"),
        (
            "grpc_client",
            ["--address", "{address}", "--model", "quick", "--grow"],
            "quick has no signature 'sample_rows'",
        ),
    ],
)
def test_clients_end_with_a_sentence(server, name, arguments, words, monkeypatch, capsys):
    places = {"url": server.url, "address": server.address}
    arguments = [argument.format(**places) for argument in arguments]
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        example(name).main()
    assert ended.value.code == 1
    assert words in capsys.readouterr().err


def test_grpc_client(server, expected, tmp_path, monkeypatch):
    client = example("grpc_client")
    address = f"127.0.0.1:{server.port}"
    arguments = ["--address", address, "--model", "quick", "--seeds", "5", "6"]
    monkeypatch.setattr(sys, "argv", ["grpc_client.py", *arguments, "--output", str(tmp_path)])
    client.main()
    for seed, png in zip(SEEDS, expected("sample", seed=SEEDS)["png_bytes"], strict=True):
        assert (tmp_path / f"grpc-{seed}.png").read_bytes() == png
    for model, signature, inputs, code in [
        ("other", "sample", {"seed": SEEDS}, grpc.StatusCode.NOT_FOUND),
        ("quick", "none", {"seed": SEEDS}, grpc.StatusCode.INVALID_ARGUMENT),
        ("quick", "sample", {"sed": SEEDS}, grpc.StatusCode.INVALID_ARGUMENT),
        ("quick", "sample", {"seed": SEEDS.astype(np.int32)}, grpc.StatusCode.INVALID_ARGUMENT),
    ]:
        with pytest.raises(grpc.RpcError) as error:
            client.predict(address, model, signature, inputs)
        assert error.value.code() == code


def test_grpc_client_takes_answers_of_any_size():
    """More than the 4 MiB that gRPC takes when it is told nothing."""
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    class Large(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            nats = tf.make_tensor_proto(np.zeros((1, 1200, 1000), np.float32))
            return predict_pb2.PredictResponse(outputs={"nats": nats})

    served = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Large(), served)
    port = served.add_insecure_port("127.0.0.1:0")
    served.start()
    try:
        answer = example("grpc_client").predict(f"127.0.0.1:{port}", "large", "nats_map", {})
    finally:
        served.stop(0)
    assert answer["nats"].shape == (1, 1200, 1000)


def test_status_and_metadata(server, url):
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        model_service_pb2_grpc,
        prediction_service_pb2_grpc,
    )

    with urllib.request.urlopen(url) as response:
        assert json.load(response)["model_version_status"][0]["state"] == "AVAILABLE"
    with urllib.request.urlopen(f"{url}/versions/1/metadata") as response:
        described = json.load(response)["metadata"]["signature_def"]["signature_def"]
    assert {"sample", "complete", "log_prob", "nats_map"} < set(described)
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "quick"
        status = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request)
        assert status.model_version_status[0].state == 30  # AVAILABLE
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = "quick"
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        found = get_model_metadata_pb2.SignatureDefMap()
        assert stub.GetModelMetadata(request).metadata["signature_def"].Unpack(found)
        assert set(found.signature_def) == set(described)


def test_column_format(url, expected):
    body = json.dumps({"signature_name": "sample", "inputs": {"seed": SEEDS.tolist()}}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}:predict", body)) as response:
        outputs = json.load(response)["outputs"]
    np.testing.assert_array_equal(outputs["image"], expected("sample", seed=SEEDS)["image"])


def test_mixed_requests_are_answered_as_if_alone(server, expected):
    """Many threads, all signatures, merged into batches: each gets its own rows."""
    client, address = example("grpc_client"), f"127.0.0.1:{server.port}"
    shape = QUICK.make().image_shape
    known = np.zeros((1, *shape), bool)
    known[:, :2] = True

    def request(number):
        rng = np.random.default_rng(number)
        image = rng.integers(0, 2, (1, *shape)).astype(np.uint8)
        seed = rng.integers(0, 2**40, 1)
        one = np.ones(1, np.float32)
        return [
            ("sample", {"seed": seed}),
            ("complete", {"image": image, "known": known, "seed": seed}),
            ("log_prob", {"image": image}),
            ("nats_map", {"image": image}),
            (
                "sample_with",
                {"seed": seed, "temperature": one, "top_k": one.astype(np.int32), "top_p": one},
            ),
        ][number % 5]

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda n: client.predict(address, "quick", *request(n)), range(100))
        )
    for number, answer in enumerate(answers):
        signature, inputs = request(number)
        for name, value in expected(signature, **inputs).items():
            if value.dtype.kind == "f":
                np.testing.assert_allclose(answer[name], value, atol=1e-4)
            else:
                np.testing.assert_array_equal(answer[name], value)


def test_a_bad_row_leaves_its_batch_mates(server, expected):
    """Requests of one row, sent together; which rows are bad is in test_bad_rows.py."""
    client = example("grpc_client")
    seeds = np.array([1, -2, 3, 4], np.int64)

    def ask(seed):
        return client.predict(server.address, "quick", "sample", {"seed": np.array([seed])})

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(ask, seed) for seed in seeds]
    with pytest.raises(client.MarkedRows, match=r"marked rows \[0\]"):
        answers.pop(1).result()
    good = np.concatenate([answer.result()["image"] for answer in answers])
    np.testing.assert_array_equal(good, expected("sample", seed=seeds[[0, 2, 3]])["image"])
    rest = example("rest_client")
    with pytest.raises(rest.MarkedRows, match=r"marked rows \[1\]"):
        rest.predict(server.url, "sample", [{"seed": 1}, {"seed": -1}])
    outside = np.full((1, *QUICK.make().image_shape), 9).tolist()
    with pytest.raises(rest.MarkedRows):
        rest.predict(server.url, "nats_map", [{"image": outside[0]}])


def test_listens_on_this_machine_only(server):
    for port in (server.port, server.rest_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), 5)


def test_ends_when_interrupted(server):
    assert server.interrupt() in (0, 130)


def test_nothing_is_left_to_tidy_up_while_it_serves(monkeypatch):
    """A model that comes along is exported for it; what ends a server may leave it no time."""
    from click.testing import CliRunner

    from keras_pixelrnn.cli import serve
    from keras_pixelrnn.serving import server

    folders = []

    def export(name, scratch):
        folders.append(Path(scratch) / "digits" / "1")
        folders[0].mkdir(parents=True)
        return folders[0]

    class Fake(contextlib.nullcontext):
        port = rest_port = 1

        def __init__(self, name, path, *args, **options):
            super().__init__(self)
            assert path.is_dir()

        def wait(self):
            folders.append(folders[0].exists())

    monkeypatch.setattr(serve, "_export", export)
    monkeypatch.setattr(server, "Server", Fake)
    found = CliRunner().invoke(serve.command, ["digits", "--port", "0", "--rest-port", "0"])
    assert not found.exit_code, found.exception
    assert folders[1:] == [False]


def test_a_port_that_is_taken_is_named(tmp_path, monkeypatch):
    """That of REST; gRPC says so by itself."""
    from keras_pixelrnn.serving.server import run

    monkeypatch.setattr(run, "Servable", lambda *_: None)
    monkeypatch.setattr(run.warmup, "read", lambda _: [])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"Cannot listen on 127.0.0.1:{port} for gRPC"):
            run.Server("quick", tmp_path, port=port, rest_port=0)
        with pytest.raises(OSError, match=f"Cannot listen on 127.0.0.1:{port} for REST"):
            run.Server("quick", tmp_path, port=0, rest_port=port)


def test_does_not_turn_xla_off_here(export_of):
    """A session would, for this whole process, and all that compiles after it."""
    assert float(tf.function(lambda x: x + 1, jit_compile=True)(1.0)) == 2.0
