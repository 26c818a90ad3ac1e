"""Image data sets of TensorFlow Datasets. Needs TensorFlow."""

import contextlib
import difflib
import os

import numpy as np

from keras_pixelrnn.data import cache, streams
from keras_pixelrnn.data.split import LOOKED_AT, SPLITS, Arrays, Later, Source

BATCH = 256
RETRIES = (
    4  # of a connection, over 3 s; TFDS has 10, over 200 s, and then says that there is no network
)


def tfds(name, data_dir=None):
    """An image data set of TensorFlow Datasets, downloaded and prepared where it is not yet.

    A split that the data set lacks is held out from the end of its training split. The images of a
    split are read when the first of them is needed, and kept.

    Args:
        name: such as "mnist", "cifar10" or "binarized_mnist", versions and configs included.
        data_dir: folder of prepared data sets; the environment variable TFDS_DATA_DIR if None.
    """
    builder = _builder(name, data_dir)
    features = builder.info.features
    if "image" not in features or "train" not in builder.info.splits:
        raise ValueError(
            "Expected a data set with an 'image' feature and a train split. Received: "
            f"{name!r} with features {sorted(features)} and splits {sorted(builder.info.splits)}"
        )
    shape, dtype = features["image"].shape, np.dtype(features["image"].np_dtype)
    if len(shape) == 2:
        raise ValueError(
            f"The images of {name!r} have no channel axis: (height, width, channels) is expected. Read "
            "them with tfds.as_numpy, and pass x[..., None] to keras_pixelrnn.data.from_array. "
            f"Received: image shape {shape}"
        )
    if len(shape) != 3 or None in shape:
        raise ValueError(
            f"The images of {name!r} differ in size. Write them to a "
            f"folder and load that with image_size=... Received: image shape {shape}"
        )
    names, held_out = _splits(builder.info.splits)
    sizes = {split: builder.info.splits[names[split]].num_examples for split in SPLITS}
    classes = _classes(dict(features).get("label"))

    def later(split):
        def make():
            return _read(builder, names[split], (sizes[split], *shape), dtype, bool(classes))

        return Later((sizes[split], *shape), dtype, make)

    def extent():
        import tensorflow_datasets

        some = builder.as_dataset(split=names["train"]).take(LOOKED_AT)
        found = [row["image"] for row in tensorflow_datasets.as_numpy(some)]
        return np.min(found), np.max(found)

    known = (0, 255) if dtype == np.uint8 else None
    return Source(
        {split: later(split) for split in SPLITS},
        (0, 1) if builder.name == "binarized_mnist" else known,  # stored as 0 and 1
        classes,
        f"{name} (TFDS), {'/'.join(str(sizes[split]) for split in SPLITS)}{held_out}",
        extent=extent,
        dataset=_about(builder),
    )


def _about(builder):
    """Name of a data set, and its licence where TFDS states one."""
    licence = getattr(builder.info.redistribution_info, "license", None)
    return {"name": builder.name, **({"licence": licence} if licence else {})}


def _builder(name, data_dir):
    try:
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


def _splits(stored):
    """TFDS expression of each split, and words about those held out."""
    names = {split: split for split in SPLITS}
    missing = [split for split in SPLITS if split not in stored]
    if len(missing) == 1:
        names |= {"train": "train[:90%]", missing[0]: "train[90%:]"}
    elif missing:
        names = {"train": "train[:80%]", "validation": "train[80%:90%]", "test": "train[90%:]"}
    return names, f", {' and '.join(missing)} from the end of train" if missing else ""


def _classes(label):
    """Names of the classes of a label feature; none for what is no class."""
    return tuple(map(str, label.names)) if getattr(label, "num_classes", None) else ()


def _read(builder, split, shape, dtype, labelled):
    """The images of a split, in memory or, where they are many, in a temporary file."""
    import tensorflow_datasets

    on_disk = int(np.prod(shape)) * dtype.itemsize > streams.IN_MEMORY
    images, labels = cache.empty(shape, dtype, on_disk), np.full(shape[0], -1)
    batches = tensorflow_datasets.as_numpy(builder.as_dataset(split=split, batch_size=BATCH))
    first = 0
    for batch in cache.watched(batches, -(-shape[0] // BATCH), "read"):
        last = first + len(batch["image"])
        images[first:last] = batch["image"]
        if labelled:
            labels[first:last] = batch["label"]
        first = last
    return Arrays(images, labels)
