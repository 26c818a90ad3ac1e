"""`load`: from whatever people have to an `ImageData`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn.data import arguments, arrays, elements, meanings, stored, streams
from keras_pixelrnn.data.digits import digits
from keras_pixelrnn.data.folder import folder
from keras_pixelrnn.data.pipeline import ImageData
from keras_pixelrnn.data.tfds import tfds


class NotThereError(ValueError):
    """A source that is a path, and there is nothing at it."""


def load(
    source: Any = "digits",
    *,
    data_dir: str | Path | None = None,
    values: str | None = None,
    value_range: tuple[float, float] | None = None,
    levels: int | None = None,
    binarization: str | None = None,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    background: Any = None,
    class_names: Sequence[str] | None = None,
    on_error: str = "raise",
    cache: str | None = "auto",
) -> ImageData:
    """Load train, validation and test images.

    Images become unsigned integers `0 .. levels-1`. What stored numbers mean is never guessed: where
    neither the source nor you say it, an error lists the choices.

    Args:
        source: one of
            "digits" (comes with the package, no network);
            a name of TensorFlow Datasets such as "binarized_mnist", "mnist" or "cifar10";
            the path of a folder of images: its subfolders train, val and test are splits, other
            subfolders classes;
            the path of a file of arrays: .npz (as `pack` writes them, too), .npy, .h5;
            an array `(n, height, width, channels)` in memory, memory-mapped or in HDF5;
            a finite `tf.data.Dataset`, generator or `keras.utils.PyDataset`; a Hugging Face
            `Dataset` or `DatasetDict`;
            `(images, labels)`, or a dict with "image" and "label"; or a dict of any of these by
            split, of which "validation" and "test", where missing, are taken from the end of "train".
        data_dir: folder of prepared TFDS data; the environment variable TFDS_DATA_DIR if None.
        values: "intensities", ordered numbers of a `value_range`, quantised to `levels` equal steps;
            "integers", ordered and already 0 .. levels-1; "codes", the same without an order;
            "binary", 0 and 1; "spins", -1 and +1 (they become 0 and 1). None: what the source says,
            and for uint8 arrays intensities.
        value_range: `(low, high)` of intensities: (0, 255) for uint8, (0, 4095) for 12-bit scans, (0,
            1) or (-1, 1) for floats.
        levels: number of values of a sub-pixel, 2 to 65,536; None: those of the source.
        binarization: how intensities become binary, required for `levels=2`: "dynamic" draws each
            value anew in every epoch with its grey level as probability (Salakhutdinov and Murray
            2008), "threshold" cuts at half the range. "static" names binary data as it is stored
            (`binarized_mnist`: Larochelle and Murray 2011).
        image_size: for image files: `(height, width)` or one int that they are cut and resized to.
        channels: for image files: 1, 3 or 4; None: 3. Other images keep theirs, and must have as many;
            of images as narrow as their channels are many it says that the last axis holds these.
        background: for image files: colour under transparent pixels, a name or `(r, g, b)`.
        class_names: names of the labels of arrays, or of others without names of their own.
        on_error: for folders: "raise" names the first file that cannot be read, "skip" leaves such
            files out, with a warning.
        cache: for image files: "memory" or "disk" (a temporary file) keep what was read for the next
            epoch, None reads anew; "auto" keeps up to 512 MiB in memory.

    Returns:
        An `ImageData`.

    Raises:
        ValueError: unknown source, unreadable image, values that do not mean what they should.

    Example:

    >>> data = load("digits")
    >>> next(iter(data.evaluation("test", batch_size=32))).shape
    TensorShape([32, 8, 8, 1])
    """
    class_names = arguments.check(
        data_dir=data_dir,
        values=values,
        value_range=value_range,
        levels=levels,
        binarization=binarization,
        channels=channels,
        class_names=class_names,
        on_error=on_error,
        cache=cache,
    )
    said = {
        "values": values,
        "value_range": value_range,
        "levels": levels,
        "binarization": binarization,
    }
    files = {
        "image_size": image_size,
        "channels": 3 if channels is None else channels,
        "background": background,
        "exact": values in ("integers", "codes", "binary", "spins"),
        "on_error": on_error,
        "kept": cache,
    }
    arguments.check_data_dir(data_dir, source)
    if isinstance(source, (str, Path)):
        found, about = _named(source, data_dir, class_names, channels, files)
        found = found._replace(place=f" of {source}")
    else:
        found, about = _given(source, class_names, channels, files), {}
    if class_names is not None and found.class_names != class_names:
        own = f"names of their own, {checks.shown(found.class_names)}"
        raise ValueError(
            "`class_names` must be the names of the labels of arrays; these images have "
            f"{own if found.class_names else 'no labels'}. Leave it out. "
            f"Received: class_names={checks.shown(class_names)}"
        )
    own = found.splits["train"].shape[3]
    if channels not in (None, own):
        raise ValueError(
            "`channels` is for image files; other images keep theirs. Leave it out, or convert them. "
            f"Received: channels={channels}, images of {own}"
        )
    if about:
        said = meanings.of_packed(said, about, source)
    decided = meanings.decide(
        found.splits["train"].dtype, known=found.known, extent=found.extent, **said
    )
    _check_now(found, decided)
    return ImageData(found, decided)


def from_array(images: Any, labels: Any = None, **options: Any) -> ImageData:
    """`load` of an array of images, or of several by split.

    Args:
        images: array `(n, height, width, channels)`, or a dict of arrays by split.
        labels: ints, one-hot rows or names, one for each image; a dict where `images` is one.
        **options: `values`, `value_range`, `levels`, `binarization`, `channels` and `class_names` of
            `load`.

    Example:

    >>> codes = np.random.default_rng(0).integers(0, 512, (50, 8, 8, 1))
    >>> data = from_array(codes, values="codes", levels=512)
    >>> data.levels, data.ordered
    (512, False)
    """
    if labels is None:
        return load(images, **options)
    if isinstance(images, dict) != isinstance(labels, dict):
        raise ValueError("`images` and `labels` must both be dicts by split, or neither.")
    if isinstance(images, dict):
        return load({split: (images[split], labels[split]) for split in images}, **options)
    return load((images, labels), **options)


def _named(source, data_dir, class_names, channels, files):
    """Source of a name or path, and what a packed file says about itself."""
    name = str(source)
    if "://" in name:
        raise ValueError(
            "Only local folders and files are read. Copy the data to this machine first. "
            f"Received: {name!r}"
        )
    path = checks.home(source)
    if not name:
        raise ValueError(
            "Expected a name, or the path of a folder or file; '.' is this folder. Received: ''"
        )
    if name == "digits":
        _refuse(files, "digits")
        return digits(), {}
    try:
        is_dir = path.is_dir()
    except OSError as error:  # a name too long to be one
        raise NotThereError(
            f"There is no such folder or file. Received: {name!r}: {error}"
        ) from error
    if is_dir:
        return folder(path, **files), {}
    if path.is_file():
        if path.suffix.lower() not in stored.SUFFIXES:
            raise ValueError(
                f"Expected a folder of images, or a file of arrays ending in "
                f"{', '.join(sorted(stored.SUFFIXES))}. Received: {name!r}"
            )
        _refuse(files, "files of arrays")
        found, about = stored.stored(path, class_names)
        if not about:
            elements.check_layout(found.splits["train"].shape, channels, f"{path}")
        return found, about
    if (
        isinstance(source, Path)
        or name[:1] in ("/", "~", ".")
        or path.suffix.lower() in stored.SUFFIXES
    ):
        raise NotThereError(f"There is no such folder or file: {path}. Received: {name!r}")
    if files["image_size"] is not None:
        raise NotThereError(
            f"There is no such folder: {path}. `image_size` is for folders of image files; images of "
            "TensorFlow Datasets keep their size, load them without it. "
            f"Received: {name!r}, image_size={checks.shown(files['image_size'])}"
        )
    _refuse(files, "TensorFlow Datasets")
    return tfds(name, data_dir, class_names, channels), {}


def _given(source, class_names, channels, files):
    """Source of arrays, streams, or a dict of them."""
    parts = source.values() if isinstance(source, dict) and source else [source]
    if all(type(part).__module__.split(".")[0] == "datasets" for part in parts):
        from keras_pixelrnn.data import huggingface

        return huggingface.huggingface(source, class_names, **files)
    if not _may_be_images(source):
        raise ValueError(
            "Expected a name, the path of a folder or file, an array, a stream, or a pair or dict of "
            "these. Of an open file pass its path, or its arrays as {'image': ..., 'label': ...}; of a "
            "function what it returns; of a data set of PyTorch a generator, (data[n] for n in "
            f"range(len(data))). Received: {checks.shown(source)}"
        )
    _refuse(files, "arrays and streams")
    exact = files["exact"]
    if _is_train_and_test(source):
        source = dict(zip(("train", "test"), map(tuple, source), strict=True))
    if isinstance(source, dict) and not streams.is_named(source):
        source = {
            key: _drained(part, f"{key} images", exact, channels) for key, part in source.items()
        }
    else:
        source = _drained(source, "the stream", exact, channels)
    found = arrays.from_splits(source, class_names, exact=exact)
    elements.check_layout(found.splits["train"].shape, channels, "images")
    return found


def _may_be_images(source):
    """Whether this is an array, a stream, or a container of them, by its type."""
    if isinstance(source, bytes) or (isinstance(source, Mapping) and not isinstance(source, dict)):
        return False  # such as what `numpy.load` and `h5py.File` give
    return isinstance(source, (tuple, list, dict)) or (
        hasattr(source, "shape") or streams.is_stream(source)
    )


def _drained(part, where, exact, channels):
    if not streams.is_stream(part):
        return part
    images, labels = streams.drained(part, where, exact, channels)
    return images if labels is None else (images, labels)


def _is_train_and_test(source):
    """Whether this is `((images, labels), (images, labels))`, as `keras.datasets` gives it."""
    return (
        isinstance(source, tuple)
        and len(source) == 2
        and all(isinstance(part, tuple) and len(part) == 2 for part in source)
    )


def _refuse(files, what):
    """Options of image files that were given for something else must not go unheard."""
    for name in ("image_size", "background"):
        if files[name] is not None:
            raise ValueError(
                f"`{name}` is for image files; images of {what} keep their size and values. "
                f"Received: {name}={files[name]!r}"
            )
    if files["on_error"] != "raise":
        raise ValueError(
            f"`on_error` is for folders of image files; leave it out for {what}. "
            f"Received: on_error={files['on_error']!r}"
        )


def _check_now(found, decided):
    """Check arrays that are at hand at once; others are checked when they are read."""
    if not found.at_hand:
        return
    for name, split in found.splits.items():
        size = 0 if decided.cannot_fail(split.dtype) else split.shape[0]
        for first in range(0, size, 4_096):
            raw, _ = split.read(np.arange(first, min(first + 4_096, size)))
            decided.check(raw, f"{name} images{found.place}")
