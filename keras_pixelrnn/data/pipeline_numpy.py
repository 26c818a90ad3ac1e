"""Batches without TensorFlow, for the JAX backend."""

import concurrent.futures
import itertools
import threading

import keras

AHEAD = 4  # batches that are being read while one is used
READERS = 2  # of them at the same time; files within a batch are read by threads of their own


def batches(read, specs, first=0, last=None):
    """`Batches` of `read(step)`, as `pipeline_tf.batches` gives them."""
    del specs
    return Batches(read, first, last)


class Batches(keras.utils.PyDataset):
    """Batches of NumPy arrays, read ahead by threads.

    Args:
        read: function from a step to a batch.
        first: first step.
        last: step to end before; None: never.
    """

    def __init__(self, read, first=0, last=None):
        super().__init__()
        self._read, self._first, self._last = read, first, last
        self._threads = concurrent.futures.ThreadPoolExecutor(READERS)
        self._ahead, self._lock = {}, threading.Lock()

    @property
    def num_batches(self):
        """Number of batches; None: endless."""
        return None if self._last is None else self._last - self._first

    def __len__(self):
        if self._last is None:
            raise TypeError("Batches for training have no end; pass steps_per_epoch to fit.")
        return self.num_batches

    def __getitem__(self, number):
        if number < 0 or (self._last is not None and number >= self.num_batches):
            raise IndexError(f"There are {self.num_batches} batches. Received: {number}")
        with self._lock:
            stop = number + AHEAD if self._last is None else min(number + AHEAD, self.num_batches)
            for wanted in range(number, max(stop, number + 1)):
                if wanted not in self._ahead:
                    self._ahead[wanted] = self._threads.submit(self._read, self._first + wanted)
            future = self._ahead.pop(number)
            for stale in [n for n in self._ahead if not number < n < number + AHEAD]:
                self._ahead.pop(stale).cancel()
        return future.result()

    def take(self, count):
        """Iterator over the first `count` batches."""
        return itertools.islice(iter(self), count)

    def as_numpy_iterator(self):
        """Iterator over the batches."""
        return iter(self)
