"""Images of a split, read by their numbers. Random access is what makes order and resuming exact."""

import threading
from typing import NamedTuple

import numpy as np

from keras_pixelrnn import mapped

SPLITS = ("train", "validation", "test")
LOOKED_AT = 64  # images of a split, to see what its numbers may mean
FAULT_BYTES = 2**16  # Linux maps that much around a page that is read


class Source(NamedTuple):
    """Images as they come, before anything is made of their values.

    Attributes:
        splits: for each of `SPLITS` an object with `shape` `(n, height, width, channels)`, `dtype`
            and `read(numbers)`, which gives images and int64 labels (-1: none).
        known: `(low, high)` where the source says that its numbers are ordered integers of that
            range, else None.
        class_names: names of the labels; empty where there are none.
        protocol: data set and splits in words.
        extent: function giving the smallest and largest number, of image files those of some; None where
            that is too much work.
        at_hand: whether all images are in memory or soon read: their values are checked at once.
        dataset: what is known of the data set: its "name", and its "licence" where that is stated.
        files: of image files how they were read, {"background": (r, g, b) or None}; else None.
        place: " of ..." where the images come from, for errors.
        unlabelled: why labels that are there are not read, in a sentence for errors; else empty.
    """

    splits: dict
    known: tuple | None
    class_names: tuple
    protocol: str
    extent: object = None
    at_hand: bool = False
    dataset: dict | None = None
    files: dict | None = None
    place: str = ""
    unlabelled: str = ""


class Arrays:
    """Images in an array: in memory, memory-mapped, or in an HDF5 file.

    Args:
        images: anything with `shape`, `dtype` and indexing, `(n, height, width, channels)`.
        labels: int64 `(n,)`, or None.
    """

    def __init__(self, images, labels=None):
        self._images = images
        self._labels = np.full(len(images), -1) if labels is None else labels
        self._by_runs = not isinstance(images, np.ndarray)  # HDF5: sorted, without repetitions
        self._lock = threading.Lock()
        self._released = mapped.Released(images)
        self.shape, self.dtype = tuple(images.shape), np.dtype(images.dtype)

    def read(self, numbers):
        if self._by_runs:
            unique, back = np.unique(numbers, return_inverse=True)
            with self._lock:
                whole = len(unique) and unique[-1] - unique[0] + 1 == len(unique)
                part = slice(unique[0], unique[-1] + 1) if whole else unique  # which takes longer
                images = np.asarray(self._images[part])[back]
        else:
            images = np.asarray(self._images[numbers])
            self._released.seen(images.nbytes + len(images) * FAULT_BYTES)
        return images, self._labels[numbers]


class Subset:
    """Some images of a split, in the order of their `numbers`."""

    def __init__(self, split, numbers):
        self._split, self._numbers = split, np.asarray(numbers)
        self.shape, self.dtype = (len(self._numbers), *split.shape[1:]), split.dtype

    def read(self, numbers):
        return self._split.read(self._numbers[numbers])


class Later:
    """A split that is made when its first image is read.

    Args:
        shape, dtype: of its images.
        make: function giving the split.
    """

    def __init__(self, shape, dtype, make):
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self._make, self._split, self._lock = make, None, threading.Lock()

    def read(self, numbers):
        with self._lock:
            if self._split is None:
                self._split = self._make()
        return self._split.read(numbers)


def tenths(count):
    """Ends of the first eight and nine tenths of `count`; of three or more none is empty."""
    first = min(count * 8 // 10, max(count - 2, 1))
    return first, max(count * 9 // 10, min(first + 1, count - 1))


def hold_out(splits, cut=Subset):
    """All of `SPLITS`, those that are missing taken from the end of train, and words about it.

    Args:
        splits: `{name: split}` with at least "train".
        cut: function of a split and a range of its numbers giving these as a split.
    """
    missing = [name for name in SPLITS if name not in splits]
    if "train" in missing:
        raise ValueError(f"There is no train split. Received: {', '.join(splits)}")
    if not missing:
        return {name: splits[name] for name in SPLITS}, ""
    whole = splits["train"]
    count = whole.shape[0]
    part = max(1, count // 10) if count > len(missing) else 0  # 0: told by `check_splits`
    ends = [count - part * (len(missing) - n) for n in range(len(missing) + 1)]
    held = {name: cut(whole, range(ends[n], ends[n + 1])) for n, name in enumerate(missing)}
    found = {**splits, "train": cut(whole, range(ends[0])), **held}
    return {
        name: found[name] for name in SPLITS
    }, f", {' and '.join(missing)} from the end of train"


def extent_of(splits):
    """Function giving the smallest and largest number of some images of each split, spread over it."""

    def extent():
        ends = []
        for split in splits.values():
            some = np.unique(np.linspace(0, split.shape[0] - 1, LOOKED_AT).astype(int))
            for part in np.array_split(some, -(-len(some) // 16)):
                images, _ = split.read(part)
                ends.append((images.min(), images.max()))
        return min(low for low, _ in ends), max(high for _, high in ends)

    return extent


def check_splits(splits):
    """Raise `ValueError` where a split is empty, or images differ in shape or dtype."""
    for name, split in splits.items():
        if split.shape[0] == 0:
            sizes = ", ".join(f"{part.shape[0]} {key}" for key, part in splits.items())
            raise ValueError(
                f"The {name} split is empty; give it at least one image, or three images in all where "
                f"they are split here. Received: {sizes} images"
            )
    for what, kinds in [
        ("shape", {split.shape[1:] for split in splits.values()}),
        ("dtype", {str(split.dtype) for split in splits.values()}),
    ]:
        if len(kinds) != 1:
            raise ValueError(
                f"All splits must hold images of one {what}. Received: {sorted(kinds)}"
            )
