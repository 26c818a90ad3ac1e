"""Labels as people have them: ints, one-hot rows, names."""

import re
from decimal import Decimal
from numbers import Real

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn.data.split import SPLITS


def as_ints(labels, count, class_names=None, hidden=False):
    """Labels as numbers, and the names of the classes.

    Args:
        labels: `count` ints, `(count, 1)` ints, one-hot rows `(count, classes)`, or strings.
        count: number of images.
        class_names: names of all classes; None: those that occur, `in_order`, where labels are strings.
        hidden: some ints may be -1, of images without a label.

    Returns:
        int64 `(count,)`, and the names as a tuple, or None for labels without names.

    Raises:
        ValueError: labels that are none of these, or not one for each image.
    """
    labels = _as_array(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape[:1] != (count,) or labels.ndim not in (1, 2):
        raise ValueError(
            f"Expected one label for each of {count} images: ints or names (n,), or one-hot rows "
            f"(n, classes). Received: labels of shape {labels.shape}"
        )
    if labels.dtype.kind in "USTO":
        return _from_names(labels, class_names)
    if labels.dtype.kind not in "biuf":
        raise ValueError(
            f"Labels must be ints, names or one-hot rows. Received: labels of dtype {labels.dtype}"
        )
    if labels.ndim == 2:
        if not (((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all()):
            raise ValueError(
                "Rows of labels must be one-hot: one 1, else 0. For vectors as context build the "
                f"tf.data pipeline yourself. Received: a row {labels[0]}"
            )
        width, labels = labels.shape[1], labels.argmax(1)
        class_names = class_names or tuple(map(str, range(width)))
    with np.errstate(invalid="ignore"):  # NaN is told below
        numbers = labels.astype(np.int64)
    wrong = labels[(numbers != labels) | (numbers < -hidden)]
    if len(wrong):
        raise ValueError(f"Labels must be whole numbers from 0 on. Received: a label {wrong[0]}")
    if len(numbers) and numbers.max() >= checks.MOST_CLASSES:
        raise ValueError(
            f"Labels must be below {checks.MOST_CLASSES}; number the classes 0, 1, 2, ..., by "
            "np.unique(labels, return_inverse=True)[1] for one. "
            f"Received: a label {numbers.max()}"
        )
    if class_names is not None and len(numbers) and numbers.max() >= len(class_names):
        raise ValueError(
            f"Labels must lie in 0 .. {len(class_names) - 1}, one for each class name. "
            f"Received: a label {numbers.max()}"
        )
    return numbers, None if class_names is None else tuple(class_names)


def numbered(labels, class_names=None, hidden=False):
    """Labels of all splits as numbers of the same classes, and the names of these, a tuple.

    Args:
        labels: `{split: (labels or None, number of images)}`.
        class_names: names of all classes, or None.
        hidden: of `as_ints`.
    """
    given = [name for name in SPLITS if labels.get(name, (None, 0))[0] is not None]
    kinds = {name: _as_array(labels[name][0]).dtype.kind in "USTO" for name in given}
    if class_names is None and len(set(kinds.values())) > 1:
        raise ValueError(
            "Labels are names in every split, or numbers in every split; else say by `class_names` "
            "which number has which name. Received: "
            + ", ".join(
                f"{name} with {'names' if are else 'numbers'}" for name, are in kinds.items()
            )
        )
    ints, names = dict.fromkeys(labels), class_names
    for name in given:
        ints[name], found = as_ints(*labels[name], names, hidden)
        names = found if names is None else names
    classes = [1 + int(ints[name].max()) for name in given if len(ints[name])]
    if not classes:
        return ints, ()
    return ints, tuple(map(str, range(max(classes)) if names is None else names))


def unless_hidden(labels):
    """Labels of a split, or None where all are -1: those of test sets may be hidden."""
    return None if labels.dtype.kind == "i" and (labels == -1).all() else labels


def in_order(names):
    """Each of some names once, sorted: as numbers where all of them are, so that 2 comes before 10."""
    numbers = all(re.fullmatch(r"[0-9]+", name) for name in names)
    return tuple(sorted(set(names), key=(lambda name: (int(name), name)) if numbers else None))


def array_of(labels, where="labels"):
    """What NumPy makes of labels, or `ValueError`."""
    checks.unmasked(where, labels)
    try:
        return np.asarray(labels)
    except MemoryError:
        raise
    except Exception as error:  # of another kind from each library
        raise ValueError(
            "Labels must be ints (n,), names (n,) or one-hot rows (n, classes). "
            f"Received: {where}, {checks.shown(labels)}: {error}"
        ) from error


def _as_array(labels):
    """Labels as an array: of a dtype of numbers where they are all numbers."""
    array = array_of(labels)
    if array.dtype.kind == "O":
        each = array.ravel().tolist()
    else:  # NumPy makes names of numbers among names
        each = labels if array.dtype.kind in "US" and isinstance(labels, (list, tuple)) else ()
    kinds = {
        isinstance(label, (Real, Decimal, np.bool_)) for label in each if not _is_missing(label)
    }
    if len(kinds) > 1:
        raise ValueError(
            f"Labels are names or numbers, not both. Received: labels such as {checks.shown(each[:4])}"
        )
    all_numbers = kinds == {True} and not any(map(_is_missing, each))
    return array.astype(np.float64) if all_numbers else array


def _from_names(labels, class_names):
    if labels.ndim != 1:
        raise ValueError(f"Names of classes have shape (n,). Received: {labels.shape}")
    if any(hasattr(label, "__len__") and not isinstance(label, (str, bytes)) for label in labels):
        raise ValueError(
            "Every image has one label: an int, a name or a one-hot row. Of an array of objects that "
            f"are rows make one of numbers, np.stack(list(labels)). Received: {checks.shown(labels[:1])}"
        )
    missing = [label for label in labels if _is_missing(label)]
    if missing:
        raise ValueError(
            f"Every image needs a label; leave those without out. Received: a label {missing[0]}"
        )
    try:
        names = [label.decode() if isinstance(label, bytes) else str(label) for label in labels]
    except UnicodeDecodeError as error:
        raise ValueError(
            "Names of classes that are bytes must be UTF-8; decode them: label.decode('latin-1') for "
            f"one. Received: {error.object!r}"
        ) from error
    class_names = in_order(names) if class_names is None else tuple(class_names)
    number = {name: n for n, name in enumerate(class_names)}
    unknown = sorted(set(names) - set(number))
    if unknown:
        raise ValueError(
            f"Labels must be among the class names {', '.join(class_names)}. "
            f"Received: {', '.join(unknown)}"
        )
    return np.array([number[name] for name in names], np.int64), class_names


def _is_missing(label):
    """Whether this is None, NaN, or what pandas has for them."""
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        return True
    return not getattr(label, "ndim", 0) and label != label
