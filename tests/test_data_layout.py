"""Which class a file of a folder is of, and on which colour it lies: nothing is guessed."""

import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import training
from keras_pixelrnn.training.making import make_model
from tests.image_files import fill, load_one


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
    assert [data.has_labels(split) for split in data.sizes] == [True, True, False]
    again = kp.data.load(kp.data.pack(data, tmp_path / "packed.npz"))
    assert again.class_names == data.class_names
    for split in data.sizes:
        for wanted, found in zip(
            *(x.whole(split, labels=True) for x in (data, again)), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)
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


@pytest.mark.parametrize(
    ("colour", "wanted"),
    [
        *[("white", [255] * 3), ("#fff", [255] * 3), ("#ff0000ff", [255, 0, 0])],
        *[((1, 2, 3), [1, 2, 3]), (np.array([1, 2, 3]), [1, 2, 3])],
    ],
)
def test_backgrounds(tmp_path, colour, wanted):
    clear = Image.new("RGBA", (8, 6), (90, 90, 90, 0))
    found = load_one(clear, tmp_path, background=colour)
    np.testing.assert_array_equal(found, np.broadcast_to(wanted, (6, 8, 3)))
