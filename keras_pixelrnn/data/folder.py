"""A folder of image files as a source: listed at once, read when needed, by several threads."""

import concurrent.futures
import os
import warnings
from pathlib import Path

import numpy as np
from PIL import ImageColor

from keras_pixelrnn import checks, formats
from keras_pixelrnn.data import cache, listing
from keras_pixelrnn.data import labels as labels_
from keras_pixelrnn.data.opening import SKIP, UnreadableError
from keras_pixelrnn.data.reading import Reader, probe
from keras_pixelrnn.data.split import (
    SPLITS,
    Source,
    Subset,
    check_splits,
    extent_of,
    hold_out,
    tenths,
)

PROBED = 8  # files whose headers are looked at before any is read
ALL_AT_ONCE = 2_000  # files: so few are read at once, which shows broken ones before training
CHUNK = 16  # files that a thread reads in one go


class Files:
    """Image files as a split.

    Args:
        files: paths, or whatever else `reader.read` takes.
        reader: a `Reader`.
        labels: int64, one for each file; None: -1.
    """

    def __init__(self, files, reader, labels=None):
        self._files, self._reader = files, reader
        self._labels = np.full(len(files), -1) if labels is None else labels
        self.shape = (len(files), reader.height, reader.width, reader.channels)
        self.dtype = np.dtype(reader.dtype)
        self._threads = concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1)

    def read(self, numbers):
        images = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        places = range(0, len(numbers), CHUNK)
        list(self._threads.map(lambda first: self._read_chunk(images, numbers, first), places))
        return images, self._labels[numbers]

    def _read_chunk(self, images, numbers, first):
        chunk = [self._files[number] for number in numbers[first : first + CHUNK]]
        for place, image in self._reader.read_many(chunk):
            images[first + place] = image

    def broken(self):
        """Numbers of the files that cannot be read, and what is wrong with each."""

        def problem(number):
            try:
                self._reader.read(self._files[number])
            except UnreadableError as error:
                return number, str(error)

        found = self._threads.map(problem, range(len(self._files)))
        return dict(pair for pair in cache.watched(found, len(self._files), "checked") if pair)


def folder(
    path, *, image_size, channels, background=None, exact=False, on_error="raise", kept=None
):
    """Image files of a folder.

    Args:
        path: the folder.
        image_size: `(height, width)`, or one int for both.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA).
        background: colour that transparent pixels are laid upon: a name or `(r, g, b)`.
        exact: the values are codes or levels: nothing is resized or converted.
        on_error: "raise" names the first file that cannot be read, "skip" leaves such files out.
        kept: see `cache.keep`.
    """
    path = Path(path)
    checks.channels("channels", channels)
    height, width = checked_size(image_size)
    listed = listing.listing(path)
    if len(listed.files) < (1 if listed.splits else 3):
        raise ValueError(
            f"Expected {formats.FORMATS} files in {path}, at least one for each of the three "
            f"splits. Received: {len(listed.files)} files"
        )
    probed = listed.files[:: max(1, len(listed.files) // PROBED)]
    dtype = one_dtype(probed, on_error)
    reader = Reader(height, width, channels, dtype, exact, checked_colour(background))
    names, labels = _labels(listed)
    files = Files(listed.files, reader, labels)
    bad = files.broken() if on_error == "skip" else {}
    if bad:
        first = next(iter(bad.values())).replace(SKIP, "")
        warnings.warn(
            f"{len(bad)} of {len(listed.files)} files are left out: {first}", stacklevel=3
        )
    at_once = len(listed.files) <= ALL_AT_ONCE and not bad
    whole = cache.keep(files, kept, at_once)
    splits, words = _split(listed, whole, bad)
    check_splits(splits)
    skipped = f", {len(bad)} unreadable files left out" if bad else ""
    classes = f", {len(names)} classes" if names else ""
    name = path.resolve().name  # of ".", too
    return Source(
        splits,
        (0, 255) if dtype == np.uint8 and not exact else None,
        names,
        f"folder {name}{words}{skipped}{classes}, {height}x{width}x{channels}",
        extent=extent_of(splits),
        at_hand=at_once and whole is not files,
        dataset={"name": name},
        files={"background": reader.background},
    )


def _split(listed, whole, bad):
    """Splits of a folder, and words about them."""
    if not listed.splits:
        order = np.random.RandomState(0).permutation(len(listed.files))
        order = order[~np.isin(order, list(bad))]
        parts = dict(zip(SPLITS, np.split(order, tenths(len(order))), strict=True))
        words = ", split 80/10/10 by RandomState(0)"
        return {split: Subset(whole, part) for split, part in parts.items()}, words
    splits = {}
    for split, numbers in listed.splits.items():
        numbers = np.asarray(numbers)[~np.isin(numbers, list(bad))]
        if split == "train" and len(listed.splits) < len(SPLITS):
            # What is held out comes from its end, where sorted files are of the last class.
            numbers = np.random.RandomState(0).permutation(numbers)
        splits[split] = Subset(whole, numbers)
    splits, words = hold_out(splits)
    return splits, " with its own splits" + words.replace(
        "the end of train", "train by RandomState(0)"
    )


def checked_size(image_size):
    """`(height, width)`, or `ValueError`."""
    if image_size is None:
        raise ValueError(
            "A folder of images needs a size to crop and resize them to, such as image_size=32."
        )
    sizes = (image_size, image_size) if isinstance(image_size, (int, np.integer)) else image_size
    try:
        return checks.size(sizes)
    except ValueError:
        raise ValueError(
            f"`image_size` must be an int from 1 to {checks.MOST_SIDE}, or (height, width). "
            f"Received: image_size={checks.shown(image_size)}"
        ) from None


def checked_colour(background):
    """`(r, g, b)` or None, or `ValueError`."""
    if background is None:
        return None
    try:
        named = isinstance(background, str)
        colour = ImageColor.getrgb(background) if named else checks.as_tuple(background)
        if len(colour) == 4 and colour[3] == 255:  # a name such as #ff0000ff
            colour = colour[:3]
        if len(colour) != 3 or not all(checks.is_whole(c) and 0 <= c <= 255 for c in colour):
            raise ValueError
        colour = tuple(int(part) for part in colour)
    except (TypeError, ValueError):
        raise ValueError(
            "The background must be the name of a colour, none that lets through, or (r, g, b) of ints "
            "in 0 .. 255. "
            f"Received: background={background!r}"
        ) from None
    return colour


def one_dtype(files, on_error="raise"):
    """dtype of the stored numbers, as the headers of some files say."""
    found = {}
    for file in files:
        try:
            found.setdefault(probe(file), file)
        except UnreadableError:
            if on_error == "raise":
                raise
    if len(found) > 1:
        (one, first), (other, second), *_ = found.items()
        raise ValueError(
            "The files of a folder hold one kind of numbers. Convert some of them, or keep them in "
            f"folders of their own. Received: {first} with {one}, {second} with {other}"
        )
    if not found:
        raise ValueError(f"No file could be read. Received: {files[0]} and {len(files) - 1} more")
    return next(iter(found))


def _labels(listed):
    """Names of the classes in their order, and the number of each file's."""
    if listed.classes is None:
        return (), None
    known = listed.classes
    if listed.splits:
        known = [listed.classes[number] for number in listed.splits["train"]]
        unknown = sorted(set(listed.classes) - {None, *known})
        if unknown:
            raise ValueError(
                "The classes of validation and test must be among those of train: "
                f"{', '.join(sorted(set(known)))}. Received: {', '.join(unknown)}"
            )
    names = labels_.in_order(known)
    number = {None: -1, **{name: n for n, name in enumerate(names)}}
    return names, np.array([number[name] for name in listed.classes], np.int64)
