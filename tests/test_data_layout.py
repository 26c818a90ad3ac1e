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


CODES = np.random.default_rng(0).integers(0, 64, (64, 4, 4), np.uint8)
NARROW = {
    "batches of grey ones": lambda: (CODES[first : first + 8] for first in range(0, 64, 8)),
    "grey ones of a stream": lambda: iter(CODES.reshape(32, 2, 4, 4)),
    "a channel first": lambda: CODES[:, None],
    "three channels first": lambda: CODES[:, :3, None].repeat(4, axis=2),
    "a batch in a stream": lambda: iter([CODES[:, None]]),
    "2x2 of two channels": lambda: iter(np.zeros((9, 2, 2, 2), np.uint8)),
    "two tables first": lambda: CODES.reshape(32, 2, 4, 4),
    "four tables first": lambda: CODES.reshape(16, 4, 4, 4),
    "batches in one array": lambda: CODES.reshape(8, 8, 4, 4).repeat(2, axis=0),
    "8x4 with a channel first": lambda: CODES.reshape(32, 1, 8, 4),
    "5x2 with three channels first": lambda: np.resize(CODES, (60, 3, 5, 2)),
}


@pytest.mark.parametrize("made", NARROW)
def test_layouts_that_cannot_be_told_apart(made):
    said = {"values": "codes", "levels": 64}
    with pytest.raises(
        ValueError, match=r"channels=[24].*images\[\.\.\., None\].*moveaxis.*Received"
    ):
        kp.data.load(NARROW[made](), **said)
    channels = 2 if made[1:].startswith("x2") else 4
    assert kp.data.load(NARROW[made](), channels=channels, **said).image_shape[2] == channels


@pytest.mark.parametrize("shape", [(9, 8, 5, 4), (9, 5, 4, 3), (9, 4, 4, 1), (9, 3, 5, 1)])
def test_narrow_images_that_are_clear(shape):
    assert kp.data.load(np.zeros(shape, np.uint8)).image_shape == shape[1:]


def test_narrow_images_in_files(tmp_path):
    np.save(tmp_path / "a.npy", CODES[:, None])
    with pytest.raises(ValueError, match="channels=4"):
        kp.data.load(tmp_path / "a.npy", values="codes", levels=64)
    data = kp.data.load(CODES[:, None], values="codes", levels=64, channels=4)
    packed = kp.data.load(kp.data.pack(data, tmp_path / "a.npz"))  # which knows its layout
    assert packed.image_shape == (1, 4, 4)


@pytest.mark.parametrize("inner", ["", "train"])
def test_a_folder_without_images_is_no_class(tmp_path, inner):
    for name in ("ant", "bee"):
        fill(tmp_path / inner / name, 5)
    (tmp_path / inner / "cat").mkdir()
    with pytest.warns(UserWarning, match="No class is made of cat.* are ant, bee"):
        assert kp.data.load(tmp_path, image_size=4).class_names == ("ant", "bee")


@pytest.mark.parametrize(
    ("own", "said", "words"),
    [
        (
            {"values": "codes", "levels": 64},
            {"values": "intensities"},
            "values='intensities'.*'codes'",
        ),
        ({"value_range": (0, 127)}, {"value_range": (0, 255)}, r"\(0, 255\).*\(0, 127\)"),
        ({"value_range": (0, 127)}, {"values": "integers", "levels": 128}, "'integers'"),
    ],
)
def test_a_packed_file_is_not_told_otherwise(own, said, words, tmp_path):
    path = kp.data.pack(kp.data.load(CODES[..., None], **own), tmp_path / "a.npz")
    with pytest.raises(ValueError, match=f"knows what its numbers mean.*Received: .*{words}"):
        kp.data.load(path, **said)
    for same in ([0, 127], np.array([0, 127])):
        again = kp.data.load(path, **{**own, "value_range": same if "value_range" in own else None})
        assert again.levels == kp.data.load(path).levels
