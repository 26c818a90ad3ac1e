"""Which class a file of a folder is of, and on which colour it lies: nothing is guessed."""

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import training
from keras_pixelrnn.training.making import make_model
from tests.image_files import fill


@pytest.mark.parametrize(
    "names", [["train_station", "valley"], ["images", "cats"], ["strain", "contest"]]
)
def test_classes_that_only_sound_like_splits(tmp_path, names):
    for name in names:
        fill(tmp_path / name, 5)
    assert kp.data.load(tmp_path, image_size=4).class_names == tuple(sorted(names))


def test_a_test_split_without_classes_takes_none_from_train(tmp_path):
    fill(tmp_path / "train" / "cat", 6)
    fill(tmp_path / "train" / "dog", 6, first=6)
    fill(tmp_path / "test", 3, first=12)
    data = kp.data.load(tmp_path, image_size=4)
    assert data.class_names == ("cat", "dog")
    images, labels = data.whole("train", labels=True)
    np.testing.assert_array_equal(labels, images[:, 0, 0, 0] >= 6)
    assert data.whole("test", labels=True)[1].tolist() == [-1] * 3
    settings = training.Settings(dataset=str(tmp_path), conditional=True, model="pixelcnn")
    with pytest.raises(ValueError, match=r"needs labels in all splits.*without labels in test"):
        make_model(settings, data)


@pytest.mark.parametrize(
    "colour", [(0.5, 0.5, 0.5), (1.0, 1.0, 1.0), "#ff000080", (1, 2, 3, 4), 128]
)
def test_backgrounds_that_are_no_colour(tmp_path, colour):
    fill(tmp_path, 3)
    with pytest.raises(ValueError, match=r"name of a colour.*Received: background="):
        kp.data.load(tmp_path, image_size=4, background=colour)


def test_backgrounds(tmp_path):
    fill(tmp_path, 3)
    for colour in ("white", "#fff", "#ff0000ff", (1, 2, 3), np.array([1, 2, 3])):
        kp.data.load(tmp_path, image_size=4, background=colour)
