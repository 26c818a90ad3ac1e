"""`datasets.Dataset` and `datasets.DatasetDict` of Hugging Face as sources."""

import numpy as np

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
    hold_out,
    tenths,
)


def huggingface(data, *, image_size, channels, background, exact, on_error, kept):
    """Images of a Hugging Face data set: its `Image` feature or arrays of one shape.

    A single `Dataset` is shuffled and split 80/10/10 by `RandomState(0)`; of a `DatasetDict` missing
    splits are taken from the end of train. Labels are those of a feature "label" (or "labels").
    Arguments as of `folder`; image_size is needed where images are encoded.
    """
    parts = arrays.split_names(dict(data)) if isinstance(data, dict) else {"train": data}
    options = (image_size, channels, background, exact, on_error, kept)
    made = {name: _split(part, name, *options) for name, part in parts.items()}
    names = made["train"][2]
    splits = {name: split for name, (split, _, _) in made.items()}
    if isinstance(data, dict):
        splits, words = hold_out(splits)
    else:
        whole = splits["train"]
        numbers = np.random.RandomState(0).permutation(whole.shape[0])
        numbers = np.split(numbers, tenths(whole.shape[0]))
        splits = {name: Subset(whole, part) for name, part in zip(SPLITS, numbers, strict=True)}
        words = ", split 80/10/10 by RandomState(0)"
    check_splits(splits)
    known = (0, 255) if made["train"][1] and splits["train"].dtype == np.uint8 else None
    title = getattr(next(iter(parts.values())).info, "dataset_name", None) or "data set"
    licence = getattr(next(iter(parts.values())).info, "license", None)
    about = {"name": title, **({"licence": licence} if licence else {})}
    protocol = f"{title} (Hugging Face){words}"
    return Source(splits, None if exact else known, names or (), protocol, dataset=about)


def _split(rows, name, image_size, channels, background, exact, on_error, kept):
    """Split of one `Dataset`, whether it holds encoded images, and names of its classes."""
    import datasets

    if on_error != "raise":
        raise ValueError(f"`on_error` is for folders. Received: on_error={on_error!r}")
    column = _column(rows, ("image", "images", "img", "pixel_values"), name)
    label = next((key for key in ("label", "labels") if key in rows.features), None)
    labels, names = None, None
    if label is not None:
        names = getattr(rows.features[label], "names", None)
        labels, names = labels_.as_ints(np.asarray(rows[label][:]), len(rows), names)
        names = names or tuple(map(str, range(int(labels.max()) + 1)))
    if not isinstance(rows.features[column], datasets.Image):
        images = rows.with_format("numpy")[column][:]
        return Arrays(arrays.as_images(np.asarray(images), f"{name} images"), labels), False, names
    encoded = _Rows(rows.cast_column(column, datasets.Image(decode=False)), column, name)
    dtype = one_dtype([encoded[n] for n in range(0, len(rows), max(1, len(rows) // PROBED))])
    height, width = checked_size(image_size)
    reader = Reader(height, width, channels, dtype, exact, checked_colour(background))
    files = Files(encoded, reader, labels)
    return cache.keep(files, kept, at_once=len(rows) <= ALL_AT_ONCE), True, names


class _Rows:
    """Encoded images of a table, by number."""

    def __init__(self, rows, column, name):
        self._rows, self._column, self._name = rows, column, name

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, number):
        found = self._rows[int(number)][self._column]
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
