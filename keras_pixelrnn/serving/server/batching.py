"""Requests that arrive together run together, a queue for each signature.

TensorFlow Serving's shared batch scheduler (`tensorflow/core/kernels/batching_util`): an open batch
closes when it is full or its first request has waited long enough; closed batches of all queues take
turns on a few threads; a batch is filled up to the next allowed size with copies of a row.
"""

import re
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import NamedTuple

import numpy as np

# A name, and a value in braces or behind a colon.
FIELD = re.compile(r"(\w+)\s*(?::?\s*\{\s*value\s*:\s*([^{}\s]+)\s*\}|:\s*([^{}\s]+))")
SEVERAL = "allowed_batch_sizes"
MAY_BE_ZERO = "batch_timeout_micros"


class Full(Exception):
    """More batches are waiting than `max_enqueued_batches`."""


class TooLarge(Exception):
    """A request of more rows than a batch may have."""


class Uneven(Exception):
    """Requests of one batch whose rows differ in shape."""


class Parameters(NamedTuple):
    """Fields of `BatchingParameters`, and the server's own defaults."""

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 4
    allowed_batch_sizes: tuple = ()


def read_parameters(text):
    """`Parameters` from the text of a `batching_params.pbtxt`.

    Raises:
        ValueError: text that is none, a field that there is not or that this server has not, a number
            that is none or not positive, allowed sizes that are not in order or do not end with the
            largest batch.

    Example:

    >>> read_parameters("max_batch_size { value: 8 } allowed_batch_sizes: 2 allowed_batch_sizes: 8")
    Parameters(max_batch_size=8, batch_timeout_micros=0, max_enqueued_batches=10, \
    num_batch_threads=4, allowed_batch_sizes=(2, 8))
    """
    text = re.sub("#.*", "", text)
    if other := FIELD.sub("", text).strip():
        raise ValueError(
            "Batching parameters are lines such as `max_batch_size { value: 8 }` and "
            f"`allowed_batch_sizes: 8`. Received: {other[:40]!r}"
        )
    known, sizes = {}, ()
    for name, single, listed in FIELD.findall(text):
        if name == "thread_pool_name" or (name, listed) == ("pad_variable_length_inputs", "false"):
            continue  # nothing that an answer depends on
        if name not in Parameters._fields or name in known:
            raise ValueError(
                f"Batching parameters are {', '.join(Parameters._fields)}, each but the last once. "
                f"Received: {name}"
            )
        least, value = int(name != MAY_BE_ZERO), listed if name == SEVERAL else single
        if not re.fullmatch("[0-9]+", value) or int(value) < least:
            form = ": 8" if name == SEVERAL else " { value: 8 }"
            raise ValueError(
                f"`{name}` must be {least} or more, written `{name}{form}`. "
                f"Received: {single or listed}"
            )
        if name == SEVERAL:
            sizes += (int(value),)
        else:
            known[name] = int(value)
    parameters = Parameters(**known, allowed_batch_sizes=sizes)
    if sizes and (list(sizes) != sorted(set(sizes)) or sizes[-1] != parameters.max_batch_size):
        raise ValueError(
            "`allowed_batch_sizes` must increase and end with `max_batch_size`. "
            f"Received: {sizes}, max_batch_size {parameters.max_batch_size}"
        )
    return parameters


def parameters_of(path):
    """`Parameters` of a version folder, None where it has none; `ValueError` that names a bad file."""
    file = path / "batching_params.pbtxt"
    if not file.exists():
        return None
    try:
        return read_parameters(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is no text: export it again. Received: {error}") from error
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


class _Batch:
    """Requests to one signature that will run together."""

    def __init__(self, key):
        self.key, self.requests, self.size = key, [], 0
        self.opened = time.monotonic()

    def add(self, inputs, size):
        future = Future()
        self.requests.append((inputs, size, future))
        self.size += size
        return future


class BatchScheduler:
    """Runs requests in batches on a few threads.

    Args:
        run: `(signature, {input: array}) -> {output: array}`.
        parameters: `Parameters`.
    """

    def __init__(self, run, parameters):
        self._run, self._parameters = run, parameters
        self._wait = parameters.batch_timeout_micros * 1e-6
        self._queues = {}  # signature: batches, the last of which is open
        self._turns = deque()  # signatures, the next to be served first
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, daemon=True)
            for _ in range(parameters.num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, key, inputs):
        """`{output: array}` of the rows of one request, when its batch has run.

        Raises:
            Full, TooLarge, Uneven: as a server refuses it.
        """
        size = len(next(iter(inputs.values())))
        limit = self._parameters.max_batch_size
        if size == 0:
            return self._run(key, inputs)
        if size > limit:  # a server splits it only if told to
            raise TooLarge(
                f"Task size {size} is larger than maximum input batch size {limit}: send the rows in "
                "several requests"
            )
        with self._changed:
            queue = self._queues.get(key)
            if queue is None:
                queue = self._queues[key] = deque()
                self._turns.append(key)
            if not queue or queue[-1].size + size > limit:
                if len(queue) >= self._parameters.max_enqueued_batches:
                    raise Full(
                        "The batch scheduling queue to which this task was submitted is full"
                    )
                queue.append(_Batch(key))
            future = queue[-1].add(inputs, size)
            self._changed.notify()
        return future.result()

    def close(self):
        """End the threads; what waits is not answered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _ready(self):
        """A batch to run, or how long to wait for one."""
        now, wait = time.monotonic(), None
        for _ in range(len(self._turns)):
            key = self._turns[0]
            self._turns.rotate(-1)
            queue = self._queues[key]
            if not queue:
                continue
            first = queue[0]
            left = first.opened + self._wait - now
            if len(queue) > 1 or first.size >= self._parameters.max_batch_size or left <= 0:
                return queue.popleft(), None
            wait = left if wait is None else min(wait, left)
        return None, wait

    def _work(self):
        while True:
            with self._changed:
                batch, wait = self._ready()
                while batch is None:
                    if self._closed:
                        return
                    self._changed.wait(wait)
                    batch, wait = self._ready()
            self._answer(batch)

    def _answer(self, batch):
        try:
            fill = self._allowed(batch.size) - batch.size
            names = batch.requests[0][0]
            merged = {}
            for name in names:
                parts = [inputs[name] for inputs, _, _ in batch.requests]
                if len({part.shape[1:] for part in parts}) > 1:  # the server fails them all, too
                    raise Uneven(
                        f"Tensors with name {name!r} from different tasks have different shapes and "
                        f"padding is turned off: {sorted({part.shape[1:] for part in parts})}"
                    )
                merged[name] = np.concatenate([*parts, np.repeat(parts[0][:1], fill, axis=0)])
            outputs = self._run(batch.key, merged)
        except Exception as error:  # the caller's thread is told
            for _, _, future in batch.requests:
                future.set_exception(error)
            return
        start = 0
        for _, size, future in batch.requests:
            future.set_result({name: x[start : start + size] for name, x in outputs.items()})
            start += size

    def _allowed(self, size):
        return next((n for n in self._parameters.allowed_batch_sizes if n >= size), size)
