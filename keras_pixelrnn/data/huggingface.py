"""`datasets.Dataset` and `datasets.DatasetDict` of Hugging Face as sources."""

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn.data import arrays, cache
from keras_pixelrnn.data import labels as labels_
from keras_pixelrnn.data.folder import (
    ALL_AT_ONCE,
    PROBED,
    Files,
    checked_colour,
    checked_size,
    one_dtype,
)
from keras_pixelrnn.data.opening import Encoded
from keras_pixelrnn.data.reading import Reader
from keras_pixelrnn.data.split import (
    SPLITS,
    Arrays,
    Source,
    Subset,
    check_splits,
    extent_of,
    hold_out,
    tenths,
)


def huggingface(data, class_names=None, *, image_size, channels, background, exact, on_error, kept):
    """Images of a Hugging Face data set: its `Image` feature or arrays of one shape.

    A single `Dataset` is shuffled and split 80/10/10 by `RandomState(0)`; of a `DatasetDict` missing
    splits are taken from the end of train. Labels are those of a feature "label" (or "labels"); a split
    whose labels are all -1, as hidden ones are, has none.
    Arguments as of `folder`; image_size is needed where images are encoded.
    """
    parts = arrays.split_names(dict(data)) if isinstance(data, dict) else {"train": data}
    if on_error != "raise":
        raise ValueError(f"`on_error` is for folders. Received: on_error={on_error!r}")
    for name, rows in parts.items():
        _check(rows, name)
    labels, names = _labels(parts, class_names)
    options = (image_size, channels, background, exact, kept)
    made = {name: _split(part, name, labels[name], *options) for name, part in parts.items()}
    splits = {name: split for name, (split, _) in made.items()}
    if isinstance(data, dict):
        splits, words = hold_out(splits)
    else:
        whole = splits["train"]
        numbers = np.random.RandomState(0).permutation(whole.shape[0])
        numbers = np.split(numbers, tenths(whole.shape[0]))
        splits = {name: Subset(whole, part) for name, part in zip(SPLITS, numbers, strict=True)}
        words = ", split 80/10/10 by RandomState(0)"
    check_splits(splits)
    encoded = made["train"][1]
    known = (0, 255) if encoded and splits["train"].dtype == np.uint8 else None
    title = getattr(next(iter(parts.values())).info, "dataset_name", None) or "data set"
    licence = getattr(next(iter(parts.values())).info, "license", None)
    about = {"name": title, **({"licence": licence} if licence else {})}
    protocol = f"{title} (Hugging Face){words}"
    files = {"background": checked_colour(background)} if encoded else None
    return Source(
        splits,
        None if exact else known,
        names,
        protocol,
        extent=extent_of(splits) if encoded else None,
        dataset=about,
        files=files,
    )


def _check(rows, name):
    """`ValueError` for a data set without rows that can be counted and taken by their numbers."""
    if not hasattr(rows, "__len__"):
        raise ValueError(
            "A streamed data set cannot be shuffled and split. Load it with streaming=False, or pass "
            "its arrays by a generator, (np.asarray(row['image']) for row in data). "
            f"Received: {name}, a {type(rows).__name__}"
        )
    if not len(rows):
        raise ValueError(f"The {name} split is empty; give it at least one image.")
    if rows.format["type"] == "custom":
        raise ValueError(
            "A transform that is applied while rows are read is not applied here: take it off by "
            f"data.with_format(None), or apply it by data.map. Received: {name} with a transform"
        )


def _labels(parts, class_names):
    """Labels of each split as ints, None where it has none, and names of the classes."""
    found, own = {}, {}
    for name, rows in parts.items():
        column = [key for key in ("label", "labels") if key in rows.features]
        if len(column) > 1:
            raise ValueError(
                f"Expected one column of labels; remove the other by remove_columns. Received: {name} "
                "with label and labels"
            )
        labels = None
        if column:
            labels = labels_.unless_hidden(np.asarray(rows.with_format(None)[column[0]][:]))
        if labels is not None:
            own[name] = getattr(rows.features[column[0]], "names", None)
        found[name] = (labels, len(rows))
    kinds = {tuple(names) for names in own.values() if names}
    if len(kinds) > 1:
        raise ValueError(
            "The classes of all splits must have one order of names; cast_column gives them one. "
            f"Received: {checks.shown(own)}"
        )
    return labels_.numbered(found, kinds.pop() if kinds else class_names)


def _split(rows, name, labels, image_size, channels, background, exact, kept):
    """Split of one `Dataset`, and whether it holds encoded images."""
    import datasets

    column = _column(rows, ("image", "images", "img", "pixel_values"), name)
    feature = rows.features[column]
    if not isinstance(feature, datasets.Image):
        for option, value in (("image_size", image_size), ("background", background)):
            if value is not None:
                raise ValueError(
                    f"`{option}` is for image files; arrays keep their size and values. "
                    f"Received: {option}={checks.shown(value)}, a column {column} of {feature}"
                )
        images = np.asarray(rows.with_format("numpy")[column][:])
        # `datasets` makes int64 and float32 of all numbers.
        dtype = _dtype_of(feature)
        if dtype and images.dtype.kind in "biuf":
            images = images.astype(dtype)
        return Arrays(arrays.as_images(images, f"{name} images"), labels), False
    encoded = _Rows(rows.cast_column(column, datasets.Image(decode=False)), column, name)
    dtype = one_dtype([encoded[n] for n in range(0, len(rows), max(1, len(rows) // PROBED))])
    checks.channels("channels", channels)
    height, width = checked_size(image_size)
    reader = Reader(height, width, channels, dtype, exact, checked_colour(background))
    files = Files(encoded, reader, labels)
    return cache.keep(files, kept, at_once=len(rows) <= ALL_AT_ONCE), True


def _dtype_of(feature):
    """dtype of the numbers of a feature, whatever lists they lie in; None where it has none."""
    while isinstance(feature, list) or hasattr(feature, "feature"):
        feature = feature[0] if isinstance(feature, list) else feature.feature
    return getattr(feature, "dtype", None)


class _Rows:
    """Encoded images of a table, by number."""

    def __init__(self, rows, column, name):
        self._rows, self._column, self._name = rows, column, name

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, number):
        found = self._rows[int(number)][self._column]
        if found is None:
            raise ValueError(
                "Every row needs an image; leave those without out by data.filter. "
                f"Received: no image in row {number} of {self._name}"
            )
        where = found["path"] or f"image {number} of {self._name}"
        if found["bytes"] is None:
            return where
        return Encoded(where, found["bytes"])


def _column(rows, names, split):
    found = [key for key in names if key in rows.features]
    if len(found) != 1:
        raise ValueError(
            f"Expected one column of images named {', '.join(names)}; rename yours by "
            f"rename_column. Received: {split} with columns {', '.join(rows.column_names)}"
        )
    return found[0]
