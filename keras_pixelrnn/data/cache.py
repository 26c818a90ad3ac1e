"""Images that take work to read, kept after the first time: in memory or in a temporary file."""

import sys
import tempfile

import keras
import numpy as np

from keras_pixelrnn.data.split import Arrays

IN_MEMORY = 2**29  # bytes that are kept in memory without being asked
KINDS = ("auto", "memory", "disk", None)
WATCHED = 10_000  # images of a first pass that is worth a progress bar


class Kept:
    """A split whose images are read once.

    Args:
        split: the split.
        store: empty array of its shape and dtype.
    """

    def __init__(self, split, store):
        self.shape, self.dtype = split.shape, split.dtype
        self._split, self._store = split, store
        self._labels = np.full(split.shape[0], -1)
        self._stored = Arrays(store, self._labels)
        self._filled = np.zeros(split.shape[0], bool)

    def read(self, numbers):
        missing = np.unique(np.asarray(numbers)[~self._filled[numbers]])
        if len(missing):
            images, labels = self._split.read(missing)
            self._store[missing], self._labels[missing] = images, labels
            self._filled[missing] = True  # last: another thread may be reading
        return self._stored.read(numbers)


def keep(split, kind, at_once=False):
    """`split`, its images kept as `kind` says.

    Args:
        split: a split.
        kind: "memory"; "disk", a file in the folder for temporary files that vanishes with the
            process; None: read anew each time; "auto": in memory up to 512 MiB, else None.
        at_once: read all images now, where they are kept.
    """
    size = int(np.prod(split.shape)) * split.dtype.itemsize
    if kind is None or (kind == "auto" and size > IN_MEMORY):
        return split
    kept = Kept(split, empty(split.shape, split.dtype, on_disk=kind == "disk"))
    if at_once:
        parts = np.array_split(np.arange(split.shape[0]), -(-split.shape[0] // 64))
        for part in watched(parts, len(parts), "read"):
            kept.read(part)
    return kept


def empty(shape, dtype, on_disk):
    """Array of zeros, in memory or in a file without a name."""
    if not on_disk:
        return np.zeros(shape, dtype)
    file = tempfile.TemporaryFile(prefix="pixelrnn-")  # noqa: SIM115  (lives as long as its map)
    return np.memmap(file, dtype, "w+", shape=tuple(shape))


def watched(items, count, what):
    """The items, under a progress bar where they are many and someone looks."""
    if count < WATCHED or not sys.stdout.isatty():
        yield from items
        return
    bar = keras.utils.Progbar(count, unit_name=what)
    for item in items:
        yield item
        bar.add(1)
