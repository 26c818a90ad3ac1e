"""Where images come from: the embedded digits, TensorFlow Datasets, a folder, arrays."""

import os
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

SPLITS = ("train", "validation", "test")
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg"}


class Source(NamedTuple):
    """Images as they come, before quantisation.

    Attributes:
        splits: for each of `SPLITS` a `tf.data.Dataset` of `(image, label)`, image uint8
            `(height, width, channels)`, label int64, -1 where there is none.
        sizes: number of images of each split.
        image_shape: `(height, width, channels)`.
        levels: number of values of a sub-pixel, as stored.
        num_classes: number of labels; 0 where there are none.
        protocol: the splits in words.
    """

    splits: dict
    sizes: dict
    image_shape: tuple
    levels: int
    num_classes: int
    protocol: str


def digits():
    """The UCI optical digits that come with the package: 8x8, 17 levels (see DIGITS.md)."""
    with resources.files(__package__).joinpath("digits.npz").open("rb") as file:
        stored = np.load(file)
        images, labels = stored["image"], stored["label"].astype(np.int64)
    order = np.random.RandomState(0).permutation(len(images))
    parts = dict(zip(SPLITS, (order[540:], order[360:540], order[:360]), strict=True))
    return _from_arrays(
        {split: (images[part], labels[part]) for split, part in parts.items()},
        levels=17,
        num_classes=10,
        protocol="UCI optical digits 8x8, 17 levels, split 1257/180/360 by RandomState(0)",
    )


def arrays(parts, levels=256):
    """Images in memory.

    Args:
        parts: an array `(n, height, width, channels)` of integers, split 80/10/10 in its order; or
            a dict of arrays for "train", "validation" and "test"; or a dict of (images, labels).
        levels: number of values of a sub-pixel.
    """
    if not isinstance(parts, dict):
        images = np.asarray(parts)
        ends = [len(images) * 8 // 10, len(images) * 9 // 10]
        parts = dict(zip(SPLITS, np.split(images, ends), strict=True))
    if set(parts) != set(SPLITS):
        raise ValueError(
            f"A dict of arrays needs the keys {', '.join(SPLITS)}. Received: {sorted(parts)}"
        )
    pairs = {
        split: part if isinstance(part, tuple) else (part, None) for split, part in parts.items()
    }
    checked = {
        split: (_checked(images, levels), labels) for split, (images, labels) in pairs.items()
    }
    return _from_arrays(checked, levels, 0, "given arrays")


def _checked(images, levels):
    images = np.asarray(images)
    if images.ndim != 4 or images.dtype.kind not in "iu":
        raise ValueError(
            "Image arrays must be integers of shape (n, height, width, channels). "
            f"Received: shape {images.shape}, dtype {images.dtype}"
        )
    if images.size and (images.min() < 0 or images.max() >= levels):
        raise ValueError(
            f"Image values must lie in 0 .. {levels - 1}. "
            f"Received: values from {images.min()} to {images.max()}"
        )
    return images.astype(np.uint8)


def _from_arrays(parts, levels, num_classes, protocol):
    splits, shapes = {}, set()
    for split, (images, labels) in parts.items():
        labels = np.full(len(images), -1) if labels is None else np.asarray(labels)
        if len(images) == 0:
            raise ValueError(f"The {split} split is empty; give it at least one image.")
        splits[split] = tf.data.Dataset.from_tensor_slices((images, labels.astype(np.int64)))
        shapes.add(images.shape[1:])
        num_classes = max(num_classes, int(labels.max()) + 1)
    if len(shapes) != 1:
        raise ValueError(f"All splits must hold images of one shape. Received: {sorted(shapes)}")
    sizes = {split: len(images) for split, (images, _) in parts.items()}
    return Source(splits, sizes, shapes.pop(), levels, num_classes, protocol)


def folder(path, image_size, channels=3):
    """PNG and JPEG files of a folder, found recursively.

    With subfolders `train`, `validation` and `test`, those are the splits; else the files in sorted
    order are shuffled by `RandomState(0)` and split 80/10/10. Each image is converted to `channels`,
    its largest centred area of the wanted aspect ratio is cut out and resized (box filter).

    Args:
        path: the folder.
        image_size: `(height, width)`, or one int for both.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA).
    """
    path = Path(path)
    if image_size is None:
        raise ValueError(
            "A folder of images needs a size to crop and resize them to. Pass image_size=(height, "
            "width), or --image-size on the command line."
        )
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    modes = {1: "L", 3: "RGB", 4: "RGBA"}
    if channels not in modes:
        raise ValueError(f"`channels` must be 1, 3 or 4. Received: channels={channels}")
    if all((path / split).is_dir() for split in SPLITS):
        files = {split: _image_files(path / split) for split in SPLITS}
        protocol = f"folder {path.name} with its own splits"
    else:
        found = np.array(_image_files(path), dtype=object)
        found = found[np.random.RandomState(0).permutation(len(found))]
        ends = [len(found) * 8 // 10, len(found) * 9 // 10]
        files = dict(zip(SPLITS, np.split(found, ends), strict=True))
        protocol = f"folder {path.name}, split 80/10/10 by RandomState(0)"
    parts = {}
    for split, names in files.items():
        images = [_read(name, height, width, modes[channels]) for name in names]
        parts[split] = (np.stack(images).reshape(-1, height, width, channels), None)
    return _from_arrays(parts, 256, 0, f"{protocol}, {height}x{width}x{channels}")


def _image_files(path):
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
    if (len(files) < 3 and path.name not in SPLITS) or not files:
        raise ValueError(
            f"Expected PNG or JPEG files in {path}, at least one for each of the three splits. "
            f"Received: {len(files)} files"
        )
    return files


def _read(file, height, width, mode):
    try:
        with Image.open(file) as image:
            image = image.convert(mode)
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"Cannot read the image {file}. Repair it or take it out of the folder. "
            f"Received: {error}"
        ) from error
    scale = min(image.width / width, image.height / height)
    left = (image.width - width * scale) / 2
    top = (image.height - height * scale) / 2
    box = (left, top, left + width * scale, top + height * scale)
    return np.asarray(image.resize((width, height), Image.Resampling.BOX, box=box))


def tfds(name, data_dir=None):
    """An image data set of TensorFlow Datasets, downloaded and prepared where it is not yet.

    Without a validation split of its own the last tenth of the training split is held out; without a
    test split, the data set is refused.

    Args:
        name: such as "mnist", "cifar10" or "binarized_mnist", versions and configs included.
        data_dir: folder of prepared data sets; the environment variable TFDS_DATA_DIR if None.
    """
    import tensorflow_datasets

    try:
        builder = tensorflow_datasets.builder(name, data_dir=data_dir or os.getenv("TFDS_DATA_DIR"))
    except tensorflow_datasets.core.registered.DatasetNotFoundError:
        raise ValueError(
            f"Unknown data set. Expected 'digits', the path of a folder of images, or a name of "
            f"TensorFlow Datasets such as 'mnist', 'cifar10', 'binarized_mnist'. Received: {name!r}"
        ) from None
    try:
        builder.download_and_prepare()
    except Exception as error:
        raise ValueError(
            f"The data set {name!r} is not prepared in {builder.data_dir} and could not be "
            "downloaded. Point --data-dir or TFDS_DATA_DIR at a folder of prepared data sets. "
            f"Received: {type(error).__name__}: {error}"
        ) from error
    features = builder.info.features
    if "image" not in features or "test" not in builder.info.splits:
        raise ValueError(
            f"Expected a data set with an 'image' feature and a test split. Received: {name!r} with "
            f"features {sorted(features)} and splits {sorted(builder.info.splits)}"
        )
    if None in features["image"].shape:
        raise ValueError(
            f"The images of {name!r} differ in size. Write them to a folder and load that with "
            f"image_size=... Received: image shape {features['image'].shape}"
        )
    names = {"train": "train", "validation": "validation", "test": "test"}
    held_out = ""
    if "validation" not in builder.info.splits:
        names |= {"train": "train[:90%]", "validation": "train[90%:]"}
        held_out = ", validation from the end of train"
    has_label = "label" in features

    def pair(example):
        label = example["label"] if has_label else tf.constant(-1, tf.int64)
        return example["image"], label

    splits = {split: builder.as_dataset(split=names[split]).map(pair) for split in SPLITS}
    sizes = {split: builder.info.splits[names[split]].num_examples for split in SPLITS}
    return Source(
        splits,
        sizes,
        tuple(features["image"].shape),
        2 if builder.name == "binarized_mnist" else 256,  # stored as 0 and 1
        features["label"].num_classes if has_label else 0,
        f"{name} (TFDS), {'/'.join(str(sizes[split]) for split in SPLITS)}{held_out}",
    )
