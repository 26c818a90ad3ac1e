"""Image data sets of TensorFlow Datasets. Needs TensorFlow."""

import contextlib
import difflib
import os
from typing import NamedTuple

import numpy as np

from keras_pixelrnn.data import arrays, cache, elements, streams
from keras_pixelrnn.data import labels as labels_
from keras_pixelrnn.data.split import (
    LOOKED_AT,
    SPLITS,
    Arrays,
    Later,
    Source,
    check_splits,
    hold_out,
)

BATCH = 256
RETRIES = (
    4  # of a connection, over 3 s; TFDS has 10, over 200 s, and then says that there is no network
)


class _Stored(NamedTuple):
    """Images of a prepared data set: TFDS' own expression for them, and their shape."""

    expression: str
    shape: tuple

    def cut(self, numbers):
        """Those of a range of numbers."""
        expression = f"{self.expression}[{numbers.start}:{numbers.stop}]"
        return _Stored(expression, (len(numbers), *self.shape[1:]))


def tfds(name, data_dir=None, class_names=None, channels=None):
    """An image data set of TensorFlow Datasets, downloaded and prepared where it is not yet.

    A split that the data set lacks is held out from the end of its training split. The images of a
    split are read when the first of them is needed, and kept.

    Args:
        name: such as "mnist", "cifar10" or "binarized_mnist", versions and configs included.
        data_dir: folder of prepared data sets; the environment variable TFDS_DATA_DIR if None.
        class_names: names of labels that have none of their own.
        channels: of the images, where that is known.
    """
    builder = _builder(name, data_dir)
    features, own = dict(builder.info.features), _own_splits(builder.info.splits)
    if "image" not in features or "train" not in own:
        raise ValueError(
            "Expected a data set with an 'image' feature and a train split. Received: "
            f"{name!r} with features {sorted(features)} and splits {sorted(builder.info.splits)}"
        )
    shape, dtype = features["image"].shape, np.dtype(features["image"].np_dtype)
    stored = {split: _Stored(key, (count, *shape)) for split, (key, count) in own.items()}
    _check_images(name, stored["train"].shape, dtype, channels)
    stored, held_out = hold_out(stored, _Stored.cut)

    def later(split):
        def make():
            return _read(builder, stored[split], dtype, labels[split])

        return Later(stored[split].shape, dtype, make)

    splits = {split: later(split) for split in SPLITS}
    check_splits(splits)
    labels, classes, unlabelled = _labels(builder, stored, features.get("label"), class_names)

    def extent():
        import tensorflow_datasets

        some = builder.as_dataset(split=stored["train"].expression).take(LOOKED_AT)
        found = [row["image"] for row in tensorflow_datasets.as_numpy(some)]
        return np.min(found), np.max(found)

    known = (0, 255) if dtype == np.uint8 else None
    sizes = "/".join(str(stored[split].shape[0]) for split in SPLITS)
    return Source(
        splits,
        (0, 1) if builder.name == "binarized_mnist" else known,  # stored as 0 and 1
        classes,
        f"{name} (TFDS), {sizes}{held_out}",
        extent=extent,
        dataset=_about(builder),
        unlabelled=unlabelled,
    )


def _own_splits(splits):
    """TFDS' name and the size of each of our splits that there is; "valid" is validation, too."""
    names = {}
    for name in splits:
        split = arrays.split_called(name)
        if split in SPLITS and split in names:
            raise ValueError(
                f"Two splits of the data set mean the {split} split. Read them with tfds.as_numpy, and "
                "pass what you want as a dict to keras_pixelrnn.data.load. "
                f"Received: splits {names[split]!r} and {name!r}"
            )
        names[split] = name
    return {
        split: (names[split], splits[names[split]].num_examples)
        for split in SPLITS
        if split in names
    }


def _check_images(name, batch, dtype, channels):
    """`ValueError` for images that are not `(height, width, channels)`, as of arrays.

    Args:
        name: of the data set.
        batch: shape of all of a split.
        dtype: of them.
        channels: of each, where that is known.
    """
    _, *shape = batch
    if len(shape) == 2:
        raise ValueError(
            f"The images of {name!r} have no channel axis: (height, width, channels) is expected. Read "
            "them with tfds.as_numpy, and pass x[..., None] to keras_pixelrnn.data.from_array. "
            f"Received: image shape {tuple(shape)}"
        )
    if len(shape) == 3 and None in shape:
        raise ValueError(
            f"The images of {name!r} differ in size. Write them to a "
            f"folder and load that with image_size=... Received: image shape {tuple(shape)}"
        )
    try:
        where = "images"
        arrays.check_dtype(dtype, where)
        arrays.check_shape(batch, where)
        elements.check_layout(batch, channels, where)
    except ValueError as error:
        raise ValueError(
            f"The images of {name!r} are taken as they are stored; what must be changed is read with "
            f"tfds.as_numpy, and passed to keras_pixelrnn.data.from_array. {error}"
        ) from error


def _about(builder):
    """Name of a data set, and its licence where TFDS states one."""
    licence = getattr(builder.info.redistribution_info, "license", None)
    return {"name": builder.name, **({"licence": licence} if licence else {})}


def _builder(name, data_dir):
    try:
        import tensorflow  # noqa: F401  (which TFDS imports only when images are read)
        import tensorflow_datasets
        import tensorflow_datasets.public_api  # which it imports later, and then hides what fails
    except ImportError as error:
        raise ValueError(
            f"{name!r} is no folder or file, and TensorFlow Datasets is not there to know the name: "
            f"{error}. Without TensorFlow read packed files: `kp.data.pack({name!r}, 'name.npz')` "
            "where TensorFlow is, `kp.data.load('name.npz')` here."
        ) from error
    except Exception as error:  # of protobuf: its generated code is newer than its library
        raise ValueError(
            f"{name!r} is no folder or file, and TensorFlow Datasets, which may know the name, does not "
            "fit the protobuf that is installed: pip install 'tensorflow-metadata<1.18', or a newer "
            f"TensorFlow. Received: {error}"
        ) from error
    said, data_dir = data_dir, data_dir or os.getenv("TFDS_DATA_DIR")
    try:
        builder = tensorflow_datasets.builder(name, data_dir=data_dir)
    except Exception as error:  # its parser has many ways to refuse a name
        known = ["digits", *tensorflow_datasets.list_builders(with_community_datasets=False)]
        near = difflib.get_close_matches(name.split("/")[0].split(":")[0], known, n=3)
        meant = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise ValueError(
            "Unknown data: no such folder or file, and no data set of that name. Expected 'digits', "
            "the path of a folder of images or of a packed file, or a name of TensorFlow Datasets "
            f"such as 'mnist', 'cifar10', 'binarized_mnist'. {meant}Received: {name!r}"
            + (f", data_dir={said!r}" if said else "")
        ) from error
    if data_dir and not tensorflow_datasets.core.Path(data_dir).expanduser().is_dir():
        raise ValueError(  # it would be made, and filled from the network
            "There is no such folder of data sets. Point --data-dir or TFDS_DATA_DIR at one of prepared "
            "data sets, or make the folder to download into it. Received: "
            + (f"data_dir={said!r}" if said else f"TFDS_DATA_DIR={data_dir!r}")
        )
    try:
        with _few_retries():
            builder.download_and_prepare()
    except Exception as error:
        raise ValueError(
            f"The data set {name!r} is not prepared in {builder.data_dir} and could not be "
            "downloaded. Point --data-dir or TFDS_DATA_DIR at a folder of prepared data sets. "
            f"Received: {type(error).__name__}: {error}"
        ) from error
    return builder


@contextlib.contextmanager
def _few_retries():
    """Downloads that give up soon. TFDS has no argument for it, but one number, since 4.9.7 at least."""
    from tensorflow_datasets.core.download import downloader

    own = getattr(downloader, "MAX_RETRIES", None)  # what another version calls otherwise, stays
    downloader.MAX_RETRIES = RETRIES
    try:
        yield
    finally:
        downloader.MAX_RETRIES = own


def _labels(builder, stored, label, class_names):
    """What `_read` takes for the labels of each split, the names of their classes, and why there are
    none, in a sentence.

    Args:
        builder: of the data set.
        stored: a `_Stored` for each split.
        label: the feature, or None.
        class_names: names of the classes of a feature that does not know them, or None.
    """
    none = dict.fromkeys(stored)
    if label is None:
        return none, (), ""
    if label.shape == () and getattr(label, "num_classes", None):
        return dict.fromkeys(stored, True), tuple(map(str, label.names)), ""
    kind = "Its 'label' feature holds no ints, names or one-hot rows"
    if not isinstance(label.shape, tuple) or len(label.shape) > 1 or None in label.shape:
        return none, (), f"{kind}: its labels have shape {label.shape}."
    found = {
        split: (_stored_labels(builder, part), part.shape[0]) for split, part in stored.items()
    }
    try:
        return *labels_.numbered(found, class_names), ""
    except ValueError as error:
        if class_names is not None:  # who names them wants them
            raise
        return none, (), f"{kind}: {error}."


def _stored_labels(builder, part):
    """Labels as they are stored, None where all are hidden. No image is decoded for them."""
    batches = _batches(builder, part, ["label"])
    return labels_.unless_hidden(np.concatenate([batch["label"] for batch in batches]))


def _batches(builder, part, features):
    """Batches of these features alone: others may not fit into batches."""
    import tensorflow_datasets

    unused = {} if "image" in features else {"image": tensorflow_datasets.decode.SkipDecoding()}
    rows = builder.as_dataset(split=part.expression, decoders=unused)
    batches = rows.map(lambda row: {name: row[name] for name in features}).batch(BATCH)
    return cache.watched(tensorflow_datasets.as_numpy(batches), -(-part.shape[0] // BATCH), "read")


def _read(builder, part, dtype, labels):
    """The images of a split, in memory or, where they are many, in a temporary file.

    Args:
        builder: of the data set.
        part: a `_Stored`.
        dtype: of the images.
        labels: ints; None: there are none; True: they are read beside the images.
    """
    on_disk = int(np.prod(part.shape)) * dtype.itemsize > streams.IN_MEMORY
    images, first = cache.empty(part.shape, dtype, on_disk), 0
    beside = labels is True
    labels = np.full(part.shape[0], -1) if beside else labels
    for batch in _batches(builder, part, ["image", "label"] if beside else ["image"]):
        last = first + len(batch["image"])
        images[first:last] = batch["image"]
        if beside:
            labels[first:last] = batch["label"]
        first = last
    return Arrays(images, labels)
