"""Data sets of Hugging Face: labels of all splits have one numbering, and nothing is passed over."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn.data import huggingface

try:
    import datasets
except ImportError:
    datasets = None

needed = pytest.mark.skipif(datasets is None, reason="needs keras-pixelrnn[huggingface]")
PICTURES = [Image.fromarray(np.full((4, 5, 3), n, np.uint8)) for n in range(12)]
ARRAYS = np.arange(12 * 4 * 5).reshape(12, 4, 5, 1)


def rows(labels=None, label=None, pictures=PICTURES):
    columns, features = {"image": pictures}, {"image": datasets.Image()}
    if labels is not None:
        columns["label"] = labels
        features["label"] = label or datasets.Value("string")
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


def arrays(dtype):
    features = datasets.Features({"image": datasets.Array3D((4, 5, 1), dtype)})
    return datasets.Dataset.from_dict({"image": list(ARRAYS)}, features=features)


def labels_of(data, split):
    return data.whole(split, labels=True)[1].tolist()


@needed
def test_all_splits_have_the_classes_of_train():
    parts = {"test": rows(["dog", "eel"] * 6), "train": rows(["cat", "dog", "eel"] * 4)}
    for source in (parts, datasets.DatasetDict(parts)):
        data = kp.data.load(source, image_size=4)
        assert data.class_names == ("cat", "dog", "eel")
        assert labels_of(data, "test") == [1, 2] * 6
    parts["test"] = rows(["fox"] * 12)
    with pytest.raises(ValueError, match=r"among the class names cat, dog, eel\..*fox"):
        kp.data.load(parts, image_size=4)


@needed
def test_codes_are_not_taken_for_dark_pictures():
    codes = [Image.fromarray(np.arange(20).reshape(4, 5).astype(np.uint8) % 9) for _ in range(9)]
    options = {"image_size": (4, 5), "channels": 1, "levels": 9}
    with pytest.raises(ValueError, match=r"already be 0 \.\. 8"):
        kp.data.load(rows(pictures=codes), **options)
    assert kp.data.load(rows(pictures=codes), values="codes", **options).levels == 9


@needed
def test_numbers_of_classes():
    whole = datasets.Value("int64")
    parts = {"train": rows([0, 1] * 6, whole), "test": rows([5] * 12, whole)}
    assert kp.data.load(parts, image_size=4).num_classes == 6
    names = list("abcdef")
    assert kp.data.load(parts, image_size=4, class_names=names).class_names == tuple("abcdef")
    one, other = datasets.ClassLabel(names=["a", "b"]), datasets.ClassLabel(names=["b", "a"])
    with pytest.raises(ValueError, match="one order of names"):
        kp.data.load({"train": rows([0, 1] * 6, one), "test": rows([0] * 12, other)}, image_size=4)
    hidden = kp.data.load(
        {"train": rows([0, 1] * 6, one), "test": rows([-1] * 12, one)}, image_size=4
    )
    assert labels_of(hidden, "test") == [-1] * 12


@needed
def test_arrays_have_the_dtype_of_their_feature():
    data = kp.data.load(arrays("uint8"))
    assert (data.levels, data.image_shape) == (256, (4, 5, 1))
    with pytest.raises(ValueError, match="dtype uint16 can mean"):
        kp.data.load(arrays("uint16"))
    lists = datasets.Dataset.from_dict({"image": list(ARRAYS.astype(np.uint8))})  # finds its own
    assert kp.data.load(lists).levels == 256


VALUE = SimpleNamespace(dtype="uint8")


@pytest.mark.parametrize(
    "feature",
    [
        VALUE,
        [[VALUE]],
        SimpleNamespace(feature=SimpleNamespace(feature=VALUE)),  # `List` of version 4
        SimpleNamespace(dtype="list", feature=VALUE),  # `Sequence` of version 3
    ],
)
def test_lists_have_the_dtype_of_what_is_in_them(feature):
    assert huggingface._dtype_of(feature) == "uint8"
    assert huggingface._dtype_of(SimpleNamespace()) is None


class Table(dict):
    """As much of a `Dataset` as its labels need: columns by name."""

    features = property(lambda self: dict.fromkeys(self))

    def with_format(self, kind):
        return self

    def __len__(self):
        return len(self["image"])


@pytest.mark.parametrize("column", ["label", "labels"])
def test_labels_of_all_splits(column):
    parts = {
        "test": Table(image=[0, 0], **{column: ["dog", "eel"]}),
        "train": Table(image=[0, 0, 0], **{column: ["cat", "dog", "eel"]}),
        "validation": Table(image=[0], **{column: [-1]}),
    }
    labels, names = huggingface._labels(parts, None)
    assert names == ("cat", "dog", "eel")
    assert labels["validation"] is None
    assert [labels[name].tolist() for name in ("train", "test")] == [[0, 1, 2], [1, 2]]


@needed
@pytest.mark.parametrize(
    ("make", "said", "words"),
    [
        (lambda: arrays("uint8"), {"image_size": 4}, "`image_size` is for image files"),
        (lambda: rows().to_iterable_dataset(), {"image_size": 4}, "streaming=False"),
        (lambda: rows().with_transform(dict), {"image_size": 4}, "with_format"),
        (lambda: rows(pictures=[]), {"image_size": 4}, "split is empty"),
        (lambda: rows(pictures=[None] * 12), {"image_size": 4}, "no image in row 0 of train"),
        (
            lambda: rows(["a"] * 12).add_column("labels", ["b"] * 12),
            {"image_size": 4},
            "one column of labels",
        ),
    ],
)
def test_what_is_not_read_is_named(make, said, words):
    with pytest.raises(ValueError, match=words):
        kp.data.load(make(), **said)
