"""Requests merged into batches, as a server does it."""

import concurrent.futures
import threading
import time

import numpy as np
import pytest

from tests.conformance import QUICK

pytest.importorskip("tensorflow_serving.apis.predict_pb2")

from keras_pixelrnn.serving.server import RequestError
from keras_pixelrnn.serving.server.batching import (
    BatchScheduler,
    Full,
    Parameters,
    read_parameters,
)

pytestmark = pytest.mark.xdist_group(QUICK.name)


def scheduler_of(log, **parameters):
    def run(key, inputs):
        log.append((key, inputs["x"].tolist()))
        if key == "slow":
            time.sleep(0.3)
        return {"y": inputs["x"] * 2}

    return BatchScheduler(run, Parameters(**parameters))


def test_requests_share_a_batch_filled_up_to_an_allowed_size():
    log = []
    scheduler = scheduler_of(
        log, max_batch_size=4, batch_timeout_micros=200_000, allowed_batch_sizes=(1, 4)
    )
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        answers = threads.map(lambda n: scheduler.submit("f", {"x": np.array([n])})["y"], [1, 2, 3])
        assert [int(y[0]) for y in answers] == [2, 4, 6]
    ((key, rows),) = log
    assert key == "f"
    assert len(rows) == 4
    assert set(rows) == {1, 2, 3}
    scheduler.close()


def test_a_slow_signature_does_not_hold_up_another():
    log = []
    scheduler = scheduler_of(log, max_batch_size=1, num_batch_threads=2)
    slow = threading.Thread(target=lambda: scheduler.submit("slow", {"x": np.array([1])}))
    slow.start()
    time.sleep(0.05)
    start = time.monotonic()
    scheduler.submit("quick", {"x": np.array([1])})
    assert time.monotonic() - start < 0.2
    slow.join()
    scheduler.close()


def test_a_full_queue_is_refused_and_an_error_reaches_every_caller():
    def fail(key, inputs):
        time.sleep(0.2)
        raise RequestError(3, "no")

    scheduler = BatchScheduler(
        fail, Parameters(max_batch_size=1, num_batch_threads=1, max_enqueued_batches=1)
    )
    outcomes = []

    def submit():
        try:
            scheduler.submit("f", {"x": np.array([1])})
        except Exception as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    scheduler.close()
    assert sorted(kind.__name__ for kind in outcomes) == sorted(
        [Full.__name__] * 2 + [RequestError.__name__] * 2
    )


def test_parameters_are_those_that_exports_write(export_of):
    text = (export_of(QUICK) / "batching_params.pbtxt").read_text()
    parameters = read_parameters(text)
    assert parameters.allowed_batch_sizes[-1] == parameters.max_batch_size == 64
    with pytest.raises(ValueError, match="end with"):
        read_parameters("max_batch_size { value: 8 } allowed_batch_sizes: 4")
    spaced = "max_batch_size: {value : 8} allowed_batch_sizes :8 thread_pool_name { value: 'x' }"
    assert read_parameters(spaced) == Parameters(max_batch_size=8, allowed_batch_sizes=(8,))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("num_batch_threads { value: 0 }", "`num_batch_threads` must be 1 or more"),  # no answers
        ("batch_timeout_micros { value: 0 }  # micros\n64", "Received: '64'"),
        ("max_batch_size { value: eight }", "`max_batch_size` .*Received: eight"),
        ("max_batch_size { value: 8x }", "`max_batch_size` .*Received: 8x"),
        ("num_batch_threads { value: -3 }", "`num_batch_threads` .*Received: -3"),
        ("max_batch_size: 8", r"written `max_batch_size { value: 8 }`.*Received: 8"),
        ('allowed_batch_sizes: "8"', 'written `allowed_batch_sizes: 8`.*Received: "8"'),
        ("allowed_batch_sizes { value: 8 }", "written `allowed_batch_sizes: 8`.*Received: 8"),
        ("max_batch_sizes { value: 8 }", "Received: max_batch_sizes"),
        (
            "max_batch_size { value: 8 } max_batch_size { value: 9 }",
            "once.*Received: max_batch_size",
        ),
        ("pad_variable_length_inputs: true", "Received: pad_variable_length_inputs"),
    ],
)
def test_no_parameter_that_cannot_be_read_becomes_a_default(text, words):
    with pytest.raises(ValueError, match=words):
        read_parameters(text)
