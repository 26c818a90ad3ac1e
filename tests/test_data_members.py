"""Arrays of a file that are not read are named."""

import h5py
import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.data.load import NotThereError

IMAGES = np.zeros((12, 4, 5, 1), np.uint8)
LABELS = np.arange(12) % 3


def write(path, **arrays):
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return path
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


@pytest.mark.parametrize("suffix", ["npz", "h5"])
@pytest.mark.parametrize(
    ("arrays", "left"),
    [
        ({"images": IMAGES, "targets": LABELS}, "targets"),
        ({"train": IMAGES, "labels": LABELS}, "labels"),
        ({"x_train": IMAGES, "y_train": LABELS, "images": IMAGES}, "images"),
        ({"x_train": IMAGES, "x_extra": IMAGES, "y_test": LABELS}, "x_extra, y_test"),
        ({"x_train": IMAGES, "y_train": LABELS, "y_test": LABELS}, "y_test"),
        ({"images": IMAGES, "y_train": LABELS}, "y_train"),
    ],
)
def test_arrays_that_are_not_read(arrays, left, suffix, tmp_path):
    path = write(tmp_path / f"a.{suffix}", **arrays)
    with pytest.warns(UserWarning, match=rf"a\.{suffix} holds arrays that are not read: {left}\b"):
        kp.data.load(path)


@pytest.mark.parametrize("suffix", ["npz", "h5"])
@pytest.mark.parametrize(
    "arrays", [("images", "x"), ("x_train", "train_images"), ("train", "x_train")]
)
def test_arrays_that_could_be_the_same_one(arrays, suffix, tmp_path):
    path = write(tmp_path / f"a.{suffix}", **dict.fromkeys(arrays, IMAGES))
    with pytest.raises(ValueError, match=rf"Cannot use .*a\.{suffix}.*only one is taken"):
        kp.data.load(path)


@pytest.mark.parametrize("name", ["test", "x_test", "test_images", "val"])
def test_one_array_of_one_split_is_not_all_there_is(name, tmp_path):
    path = write(tmp_path / "a.npz", **{name: IMAGES})
    with pytest.raises(ValueError, match=r"needs the keys train, validation, test.*Received: \["):
        kp.data.load(path)


@pytest.mark.parametrize("name", ["labels", "y"])
def test_labels_alone_are_no_images(name, tmp_path):
    path = write(tmp_path / "a.npz", **{name: IMAGES})
    with pytest.raises(ValueError, match="Expected arrays named images"):
        kp.data.load(path)


@pytest.mark.parametrize("name", ["train", "arr_0", "codes"])
def test_one_array_of_any_other_name_is_all_there_is(name, tmp_path):
    data = kp.data.load(write(tmp_path / "a.npz", **{name: IMAGES}))
    assert sum(data.sizes.values()) == 12


@pytest.mark.parametrize("key", ["target", "class", "fine_label"])
@pytest.mark.parametrize("streamed", [False, True])
def test_parts_of_dicts_that_are_not_read(key, streamed):
    source = {"image": IMAGES, key: LABELS}
    if streamed:
        source = ({"image": image, key: label} for image, label in zip(IMAGES, LABELS, strict=True))
    with pytest.warns(UserWarning, match=f"holds {key} beside images: not read") as told:
        assert kp.data.load(source).num_classes == 0
    assert len(told) == 1


def test_a_name_that_no_file_can_have():
    with pytest.raises(NotThereError, match="no such folder or file"):
        kp.data.load("x" * 5000)
