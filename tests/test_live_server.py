"""A live TensorFlow Serving: every signature over REST and gRPC, bad requests, load, a new version.

Runs where `tensorflow_model_server` is on the PATH (it is started with a model of its own), or where
TF_SERVING_URL (http://host:8501/v1/models/digits) and TF_SERVING_GRPC (host:8500) point at a server of
`saved_models/models.config`; for the roll-over TF_SERVING_FOLDER must then name the folder it serves,
writable (a copy, please). TF_SERVING_SECONDS is how long the load lasts, 60 if not set.
"""

import base64
import importlib.util
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp
from tests.test_export import assert_same_images

ROOT = Path(__file__).parents[1]
BINARY = shutil.which("tensorflow_model_server")
REMOTE = [os.getenv("TF_SERVING_URL"), os.getenv("TF_SERVING_GRPC")]
SECONDS = float(os.getenv("TF_SERVING_SECONDS", "60"))

pytestmark = pytest.mark.skipif(
    not (BINARY or all(REMOTE)),
    reason="put tensorflow_model_server on the PATH, or set TF_SERVING_URL and TF_SERVING_GRPC",
)


def example(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Live(NamedTuple):
    """A server, and the same model here."""

    url: str
    address: str
    folder: Path | None
    model: keras.Model

    def rest(self, signature, inputs):
        """Outputs over REST, in the row format."""
        rows = [
            {key: value[n].tolist() for key, value in inputs.items()}
            for n in range(len(next(iter(inputs.values()))))
        ]
        found = example("rest_client").predict(self.url, signature, rows)
        if not isinstance(found[0], dict):  # an only output comes without its name
            found = [{"nats": row} for row in found]
        outputs = {key: [row[key] for row in found] for key in found[0]}
        if "png_bytes" in outputs:
            outputs["png_bytes"] = [base64.b64decode(png["b64"]) for png in outputs["png_bytes"]]
        return {key: np.array(value) for key, value in outputs.items()}

    def grpc(self, signature, inputs):
        return example("grpc_client").predict(
            self.address, self.url.rsplit("/", 1)[1], signature, inputs
        )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    model = kp.models.from_preset("digits")
    if all(REMOTE):
        folder = os.getenv("TF_SERVING_FOLDER")
        yield Live(*REMOTE, Path(folder) if folder else None, model)
        return
    folder = tmp_path_factory.mktemp("live") / "digits"
    kp.export.save_for_serving(model, folder)
    grpc, rest = free_port(), free_port()
    server = subprocess.Popen(
        [BINARY, f"--port={grpc}", f"--rest_api_port={rest}", "--model_name=digits"]
        + [f"--model_base_path={folder}", "--file_system_poll_wait_seconds=1"]
        + ["--enable_batching", "--enable_per_model_batching_parameters"]
        + ["--rest_api_timeout_in_ms=120000"]
    )
    url = f"http://127.0.0.1:{rest}/v1/models/digits"
    try:
        wait_until(lambda: "AVAILABLE" in status(url) or server.poll() is not None)
        assert server.poll() is None, "the server gave up"
        yield Live(url, f"127.0.0.1:{grpc}", folder, model)
    finally:
        server.terminate()
        server.wait(30)


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.read().decode()
    except OSError as error:
        return str(error)


def wait_until(done, seconds=120):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.2)


SEEDS = np.array([5, 1 << 40, 0], np.int64)


@pytest.mark.parametrize("way", ["rest", "grpc"])
def test_every_signature(live, way):
    call, model = getattr(live, way), live.model
    ours = model.sample(3, seed=SEEDS)
    drawn = call("sample", {"seed": SEEDS})
    assert_same_images(model, SEEDS, ours, drawn["image"].astype(np.uint8))
    assert all(png.startswith(b"\x89PNG") for png in drawn["png_bytes"])
    one = call("serving_default", {"seed": SEEDS[:1]})
    assert_same_images(model, SEEDS[:1], ours[:1], one["image"].astype(np.uint8))

    images = drawn["image"].astype(np.uint8)
    scored = call("log_prob", {"image": images})
    np.testing.assert_allclose(scored["log_prob"], model.log_prob(images), rtol=1e-4)
    nats = call("nats_map", {"image": images})["nats"]
    np.testing.assert_allclose(nats.sum((1, 2, 3)), scored["log_prob"], rtol=1e-4)

    known = np.zeros(images.shape, bool)
    known[:, :4] = True
    filled = call("complete", {"image": images, "known": known, "seed": SEEDS})
    expected = model.complete(images, known, seed=SEEDS)
    assert_same_images(model, SEEDS, expected, filled["image"].astype(np.uint8))

    controls = {
        "temperature": np.ones(3, np.float32),
        "top_k": np.ones(3, np.int32),
        "top_p": np.ones(3, np.float32),
    }
    greedy = call("sample_with", {"seed": SEEDS, **controls})["image"]
    assert (greedy == greedy[:1]).all()


def test_wrong_requests_fail_alone(live):
    """Sent together with good ones, which batching may merge them with."""
    good = live.grpc("log_prob", {"image": live.model.sample(2, seed=1)})["log_prob"]
    images = live.model.sample(2, seed=1)
    answers, refusals = [], []

    def ask(image):
        try:
            answers.append(live.grpc("log_prob", {"image": image})["log_prob"])
        except Exception as error:
            if hasattr(error, "outputs"):  # only some rows of it, which are marked
                answers.append(error.outputs["log_prob"])
            else:
                refusals.append(error)

    outside = images.copy()
    outside[0, 0, 0, 0] = 200
    wrong_shape = np.zeros((2, 9, 8, 1), np.uint8)
    threads = [
        threading.Thread(target=ask, args=(image,))
        for image in [images, wrong_shape, images, outside, images] * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refusals) == 3, refusals
    bad = [answer for answer in answers if np.isinf(answer[0])]
    fine = [answer for answer in answers if not np.isinf(answer[0])]
    assert (len(bad), len(fine)) == (3, 9)
    for answer in fine:
        np.testing.assert_allclose(answer, good, rtol=1e-4)
    for answer in bad:
        assert answer[0] == -np.inf
        np.testing.assert_allclose(answer[1], good[1], rtol=1e-4)


def keep_asking(live, until, failures, counts):
    """Eight clients, over both ways, until told to stop."""

    def client(number):
        call = live.rest if number % 2 else live.grpc
        seeds = np.arange(number + 1, dtype=np.int64)
        while not until.is_set():
            try:
                assert len(call("sample", {"seed": seeds})["image"]) == number + 1
                counts.append(number)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    return threads


def test_concurrent_clients(live):
    until, failures, counts = threading.Event(), [], []
    threads = keep_asking(live, until, failures, counts)
    time.sleep(SECONDS)
    until.set()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
    assert len(counts) > SECONDS


def test_a_new_version_under_load(live):
    if live.folder is None:
        pytest.skip("set TF_SERVING_FOLDER to the folder of the served model")
    until, failures, counts = threading.Event(), [], []
    threads = keep_asking(live, until, failures, counts)
    try:
        path = kp.export.save_for_serving(live.model, live.folder)
        wait_until(lambda: f'"version": "{path.name}"' in status(live.url))
        wait_until(lambda: status(live.url).count('"AVAILABLE"') == 1)
        before = len(counts)
        wait_until(lambda: len(counts) > before + 20)
    finally:
        until.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[:3]
