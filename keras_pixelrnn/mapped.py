"""Arrays that lie in files: which they are, and reading them without filling the memory."""

import mmap

import numpy as np

RELEASE_BYTES = 2**28  # of a memory-mapped file, read before its pages are given back
CHUNK = 2**26  # bytes that are looked at in one go


def is_stored(array):
    """Whether an array lies in a file: memory-mapped, or of HDF5 or Zarr."""
    if isinstance(array, np.ndarray):
        return _owner(array)[0] is not None
    return type(array).__module__.split(".")[0] in ("h5py", "zarr")


class Released:
    """Gives back the pages that reading a mapped file has left in this process's memory.

    Args:
        array: any array; of one that is not mapped nothing is given back.
    """

    def __init__(self, array):
        self._map, self._seen = _mapping(array), 0

    def seen(self, size):
        """So many bytes more have been read."""
        if self._map is None:
            return
        self._seen += size
        if self._seen >= RELEASE_BYTES:
            self._seen = 0
            self._map.madvise(mmap.MADV_DONTNEED)


def chunks(array, size=CHUNK):
    """Parts of an array along its first axis, each read when it is wanted, as NumPy arrays."""
    from keras.backend import standardize_dtype

    row = int(np.prod(array.shape[1:])) * np.dtype(standardize_dtype(array.dtype)).itemsize
    rows, released = max(1, size // max(1, row)), Released(array)
    for first in range(0, int(array.shape[0]), rows):
        part = np.asarray(array[first : first + rows])
        if part.size:
            yield part
        released.seen(part.nbytes)


def extent(array):
    """Smallest and largest number of an array that is not empty."""
    found = [(part.min(), part.max()) for part in chunks(array)]
    return min(low for low, _ in found), max(high for _, high in found)


def _owner(array):
    """The `mmap.mmap` that an array is a part of, or None, and the mode it was mapped with."""
    mode = None
    while isinstance(array, np.ndarray):
        mode = getattr(array, "mode", None) or mode
        array = array.base
    return (array, mode) if isinstance(array, mmap.mmap) else (None, None)


def _mapping(array):
    """The memory map under an array whose pages may be dropped and read again, or None."""
    owner, mode = _owner(array)
    if mode not in ("r", "r+", "w+") or not hasattr(mmap, "MADV_DONTNEED"):
        return None  # of a private map ("c") that would drop what was written
    return owner
