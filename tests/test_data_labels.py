"""Labels of images, as people have them."""

from decimal import Decimal

import numpy as np
import pytest

import keras_pixelrnn as kp
from tests.test_data_values import collect, images_of

LABELS = np.arange(20) % 3
Missing = type("NAType", (), {"__bool__": None})  # as pandas has it


def rows_as_objects(rows):
    """As a column of pandas: one object for each row."""
    found = np.empty(len(rows), object)
    found[:] = list(rows)
    return found


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (LABELS, ("0", "1", "2")),
        (LABELS[:, None], ("0", "1", "2")),
        (LABELS.astype(np.float32), ("0", "1", "2")),
        (np.eye(4)[LABELS], ("0", "1", "2", "3")),
        (np.array(["ant", "bee", "cat"])[LABELS], ("ant", "bee", "cat")),
        (np.array([b"ant", b"bee", b"cat"])[LABELS], ("ant", "bee", "cat")),
        ([["ant", "bee", "cat"][n] for n in LABELS], ("ant", "bee", "cat")),
        (np.array(["2", "10", "100"])[LABELS], ("2", "10", "100")),  # as numbers
        (LABELS.astype(object), ("0", "1", "2")),
        ([Decimal(int(n)) for n in LABELS], ("0", "1", "2")),
    ],
)
def test_labels_as_people_have_them(labels, names):
    images = images_of(np.arange(20), "uint8")
    data = kp.data.from_array(images, labels)
    assert (data.class_names, data.num_classes) == (names, len(names))
    pairs = [pair for split in data.sizes for pair in data.evaluation(split, 3, labels=True)]
    np.testing.assert_array_equal(np.concatenate([pair[1] for pair in pairs]), LABELS)
    for batch, found in data.training(4, labels=True).take(8):
        np.testing.assert_array_equal(LABELS[np.asarray(batch).ravel()], found)


@pytest.mark.parametrize(
    ("labels", "options", "words"),
    [
        (LABELS[:-1], {}, "one label for each of 20"),
        (LABELS - 1, {}, "a label -1"),
        (LABELS + 0.5, {}, "a label 0.5"),
        (np.ones((20, 3)), {}, "one-hot"),
        (np.zeros((20, 2, 2)), {}, "one-hot"),
        (LABELS, {"class_names": ["ant", "bee"]}, "a label 2"),
        (np.ma.masked_array(LABELS, LABELS == 1), {}, "a masked array"),
        ([[0], [0, 1]] * 10, {}, "must be ints .*inhomogeneous"),
        (["ant", 1] * 10, {}, "names or numbers, not both"),
        (np.array(["ant", 1] * 10, object), {}, "names or numbers, not both"),
        (np.array([0, None] * 10, object), {}, "Every image needs a label"),
        (np.array([1, Missing(), 2, 3] * 5, object), {}, "Every image needs a label"),
        (rows_as_objects(np.eye(3)[LABELS]), {}, r"np\.stack"),
        (rows_as_objects([[0], [0, 1]] * 10), {}, r"np\.stack"),
        ([b"\xe9t\xe9"] * 20, {}, "must be UTF-8"),
        (np.array(["ant", "bee", "cat"])[LABELS], {"class_names": ["ant", "bee"]}, "Received: cat"),
    ],
)
def test_bad_labels(labels, options, words):
    with pytest.raises(ValueError, match=words):
        kp.data.from_array(images_of(np.arange(20), "uint8"), labels, **options)


def test_classes_of_test_are_those_of_train():
    images, names = images_of(np.arange(20), "uint8"), np.array(["ant", "bee", "cat"])[LABELS]
    with pytest.raises(ValueError, match="Received: wasp"):
        kp.data.load({"train": (images, names), "test": (images[:1], ["wasp"])})
    data = kp.data.load({"train": (images, names), "test": (images[:1], ["cat"])})
    assert next(iter(data.evaluation("test", 9, labels=True)))[1] == [2]
    assert data.sizes == {"train": 18, "validation": 2, "test": 1}
    assert "validation from the end of train" in data.protocol


def test_pairs_as_keras_datasets_gives_them():
    images = images_of(np.arange(20), "uint8")
    data = kp.data.load(((images, LABELS), (images[:5], LABELS[:5])))
    assert data.sizes == {"train": 18, "validation": 2, "test": 5}
    np.testing.assert_array_equal(collect(data.evaluation("validation", 9)), images[18:])


def test_numbers_stay_in_their_order_in_an_array_of_objects():
    """As names 10 comes before 2."""
    labels = np.arange(20) % 12
    data = kp.data.from_array(images_of(np.arange(20), "uint8"), labels.astype(object))
    assert data.class_names == tuple(map(str, range(12)))
    np.testing.assert_array_equal(data.whole("train", labels=True)[1], labels[:16])


def test_names_in_one_split_and_numbers_in_another():
    images = images_of(np.arange(20), "uint8")
    numbers, names = LABELS, np.array(["cat", "ant", "bee"])[LABELS]
    with pytest.raises(ValueError, match="train with numbers, test with names"):
        kp.data.from_array({"train": images, "test": images}, {"train": numbers, "test": names})
    said = {"class_names": ["cat", "ant", "bee"]}
    data = kp.data.load({"train": (images, numbers), "test": (images, names)}, **said)
    np.testing.assert_array_equal(data.whole("test", labels=True)[1], LABELS)


def test_classes_are_those_of_train_whichever_split_comes_first():
    images = images_of(np.arange(20), "uint8")
    names = np.array(["cat", "ant", "bee"])[LABELS]
    data = kp.data.load({"test": (images[:1], ["cat"]), "train": (images, names)})
    assert data.class_names == ("ant", "bee", "cat")
    assert data.whole("test", labels=True)[1].tolist() == [2]


def test_labels_that_are_not_there_are_not_given():
    """They came as -1."""
    data = kp.data.load(images_of(np.arange(20), "uint8"))
    for ask in (
        lambda: data.training(4, labels=True),
        lambda: data.evaluation("test", 4, labels=True),
        lambda: data.whole("test", labels=True),
        lambda: data.images("test", [0], labels=True),
        lambda: data.rest("train", 3, 1, labels=True),
    ):
        with pytest.raises(ValueError, match=r"no labels.*Leave it out\. Received: labels=True"):
            ask()
    assert not data.has_labels("test")
