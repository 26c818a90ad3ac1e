"""The arguments of `load`, checked whatever the source: what one source ignores, another would not."""

import os
from collections.abc import Iterable, Mapping, Set

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn.data import cache as kept
from keras_pixelrnn.data import meanings
from keras_pixelrnn.formats import ON_ERROR


def check(
    *, data_dir, values, value_range, levels, binarization, channels, class_names, on_error, cache
):
    """Raise `ValueError` for what means nothing; returns `class_names` as a tuple of str, or None."""
    checks.choice("on_error", on_error, ON_ERROR)
    checks.optional(checks.choice, "values", values, meanings.MEANINGS)
    checks.optional(checks.choice, "binarization", binarization, meanings.BINARIZATIONS)
    checks.optional(checks.choice, "cache", cache, [kind for kind in kept.KINDS if kind])
    checks.optional(checks.limits, "value_range", value_range)
    checks.optional(meanings.check_levels, "levels", levels)
    if not (checks.is_whole(channels) and channels == 2):  # which arrays may have
        checks.optional(checks.channels, "channels", channels)
    if not isinstance(data_dir, (str, os.PathLike, type(None))):
        raise ValueError(
            "`data_dir` must be the folder of prepared TensorFlow Datasets. "
            f"Received: data_dir={checks.shown(data_dir)}"
        )
    return checks.optional(_names, "class_names", class_names)


def check_data_dir(data_dir, source):
    """`ValueError` for a `data_dir` of what is no name of a data set of TensorFlow Datasets."""
    named = (
        isinstance(source, str)
        and source != "digits"
        and not os.path.exists(os.path.expanduser(source))
    )
    if data_dir is not None and not named:
        raise ValueError(
            "`data_dir` is the folder of prepared TensorFlow Datasets, which go by name; leave it out. "
            f"Received: data_dir={checks.shown(data_dir)}, source={checks.shown(source)}"
        )


def labels(labels, source):
    """`labels` as a bool, or `ValueError` where labels are asked of a `Source` that has none at all."""
    labels = checks.switch("labels", labels)
    if labels and not source.class_names:
        raise ValueError(
            "There are no labels: `labels=True` is for images that have some, as (images, labels) have "
            f"and folders of classes. Leave it out. {source.unlabelled}".rstrip()
            + f" Received: labels=True, images of {source.protocol}"
        )
    return labels


def numbers(numbers, split, sizes):
    """Numbers of images of a split as an array `(n,)`, or `ValueError`; -1 is none."""
    count = sizes[checks.choice("split", split, sizes)]
    array = checks.as_array("numbers", numbers)
    fits = array.ndim == 1 and array.size and array.dtype.kind in "iu"
    if not fits or array.min() < 0 or array.max() >= count:
        raise ValueError(
            f"`numbers` must be ints from 0 to {count - 1}, one at least: images of {split}. "
            f"Received: numbers={checks.shown(numbers)}"
        )
    return array


def _names(name, value):
    ordered = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping, Set))
    if isinstance(value, np.ndarray):
        ordered = value.ndim == 1
        value = value.tolist()
    names = tuple(value) if ordered else ()
    words = all(isinstance(each, str) or checks.is_whole(each) for each in names)
    if not names or not words or len(set(map(str, names))) < len(names):
        raise ValueError(
            f"`{name}` must be a list of names, one for each label and none twice. "
            f"Received: {name}={checks.shown(value)}"
        )
    return tuple(map(str, names))
