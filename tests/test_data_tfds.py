"""Data sets of TensorFlow Datasets: those that are there, and those that are not."""

import importlib
import socket
import sys

import numpy as np
import pytest
import tensorflow_datasets
from tensorflow_datasets.core.download import downloader

import keras_pixelrnn as kp
from tests.test_data_values import collect

tfds = importlib.import_module("keras_pixelrnn.data.tfds")


def test_unknown_name(tmp_path):
    with pytest.raises(ValueError, match="Received: 'no_such_data'"):
        kp.data.load("no_such_data", data_dir=tmp_path)


@pytest.mark.parametrize("said", [True, False])
def test_a_folder_of_data_sets_that_is_not_there_is_not_made(said, tmp_path, monkeypatch):
    """Nor is anything downloaded into it."""
    absent = tmp_path / "absent"
    monkeypatch.setenv("TFDS_DATA_DIR", str(absent))
    with pytest.raises(ValueError, match=r"no such folder of data sets.*absent"):
        kp.data.load("mnist", data_dir=absent if said else None)
    assert not absent.exists()


def test_without_a_network_it_is_said_soon(tmp_path, monkeypatch):
    """TFDS tries again for more than three minutes."""
    tried = []

    def unknown(host, *_, **__):
        tried.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr(tfds, "RETRIES", 1)  # more of them wait
    before = downloader.MAX_RETRIES
    with pytest.raises(ValueError, match=r"is not prepared in .*TFDS_DATA_DIR at a folder of prep"):
        kp.data.load("binarized_mnist", data_dir=tmp_path)
    assert len(tried) <= 3 * 2  # of three files
    assert before == downloader.MAX_RETRIES


def prepare(images, folder, feature=None, labels=None, splits=("train",)):
    """A data set `other_<dtype>` of images (n, ...), and labels of a feature, in a folder; its name."""
    dtype, features = str(images.dtype), tensorflow_datasets.features
    shaped = features.Tensor(shape=images.shape[1:], dtype=images.dtype.type)
    parts = {"image": shaped} if feature is None else {"image": shaped, "label": feature}

    with tensorflow_datasets.core.registered.skip_registration():  # each test has its own

        class Other(tensorflow_datasets.core.GeneratorBasedBuilder):
            name = f"other_{dtype}"
            VERSION = tensorflow_datasets.core.Version("1.0.0")

            def _info(self):
                return tensorflow_datasets.core.DatasetInfo(
                    builder=self, features=features.FeaturesDict(parts)
                )

            def _split_generators(self, manager):
                return {split: self._generate_examples() for split in splits}

            def _generate_examples(self):
                for number, image in enumerate(images):
                    told = {} if feature is None else {"label": labels[number]}
                    yield number, {"image": image, **told}

    Other(data_dir=folder).download_and_prepare()
    return Other.name


def test_codes_of_8_bits_are_not_taken_for_dark_pictures(tmp_path):
    """0 .. 63 with levels=64 became 16 of them."""
    images = np.arange(400).reshape(20, 4, 5, 1).astype(np.uint8) % 64
    prepare(images, tmp_path)
    with pytest.raises(ValueError, match=r"(?s)already be 0 .. 63.*values from 0 to 63"):
        kp.data.load("other_uint8", data_dir=tmp_path, levels=64)
    data = kp.data.load("other_uint8", data_dir=tmp_path, levels=64, values="codes")
    found = np.concatenate([collect(data.evaluation(split, 9)) for split in data.sizes])
    np.testing.assert_array_equal(np.sort(found.ravel()), np.sort(images.ravel()))
    assert kp.data.load("other_uint8", data_dir=tmp_path, levels=63).levels == 63


def test_images_without_a_channel_axis_are_told_so(tmp_path):
    prepare(np.zeros((20, 4, 5), np.int32), tmp_path)
    with pytest.raises(ValueError, match=r"have no channel axis.*x\[..., None\].*shape \(4, 5\)"):
        kp.data.load("other_int32", data_dir=tmp_path, values="codes", levels=512)


@pytest.mark.parametrize("dtype", ["uint16", "int64", "float32"])
def test_tensorflow_datasets_of_other_numbers(dtype, tmp_path):
    """They used to be cut to 8 bits without a word."""
    high = 1 if dtype == "float32" else 4095
    images = np.linspace(0, high, 400).reshape(20, 4, 5, 1).astype(dtype)
    prepare(images, tmp_path)
    with pytest.raises(ValueError, match=f"Numbers of dtype {dtype} can mean several things"):
        kp.data.load(f"other_{dtype}", data_dir=tmp_path, levels=256)
    data = kp.data.load(f"other_{dtype}", data_dir=tmp_path, levels=256, value_range=(0, high))
    found = np.concatenate([collect(data.evaluation(split, 9)) for split in data.sizes])
    expected = np.minimum(images.astype(float) / (high if high == 1 else 4096) * 256, 255)
    np.testing.assert_array_equal(np.sort(found.ravel()), np.sort(expected.astype(int).ravel()))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((3, 8, 9), r"look like PyTorch's.*moveaxis.*\(20, 3, 8, 9\)"),
        ((1, 4, 5), "look like PyTorch's"),
        ((6, 8, 9), "1 to 4 channels"),
        ((3, 8, 4), "If it holds channels pass channels=4"),
        ((7,), "Rows of pixels become images"),
        ((3, 4, 5, 1), r"(?s)as they are stored.*have shape \(n, height.*\(20, 3, 4, 5, 1\)"),
    ],
)
def test_layouts_are_those_of_arrays(shape, words, tmp_path):
    """Other axes became channels, and what has too few or many axes was told to differ in size."""
    name = prepare(np.zeros((20, *shape), np.uint8), tmp_path)
    with pytest.raises(ValueError, match=words):
        kp.data.load(name, data_dir=tmp_path)
    if shape == (3, 8, 4):
        assert kp.data.load(name, data_dir=tmp_path, channels=4).image_shape == shape


@pytest.mark.parametrize("count", [3, 25])
def test_what_is_held_out_is_that_of_arrays(count, tmp_path):
    """Of three images none was left for the validation or test split."""
    images = np.arange(count * 20).reshape(count, 4, 5, 1).astype(np.uint16)
    data = kp.data.load(prepare(images, tmp_path), data_dir=tmp_path, values="integers", levels=512)
    expected = kp.data.load({"train": images}, values="integers", levels=512)
    assert data.sizes == expected.sizes
    found = np.concatenate([data.whole(split) for split in data.sizes])
    np.testing.assert_array_equal(np.sort(found.ravel()), images.ravel())


def test_too_few_images_are_refused(tmp_path):
    """Packed, they ended in an error of NumPy."""
    name = prepare(np.zeros((2, 4, 5, 1), np.uint8), tmp_path)
    with pytest.raises(ValueError, match=r"validation split is empty.*2 train, 0 validation"):
        kp.data.load(name, data_dir=tmp_path)


@pytest.mark.parametrize("validation", ["valid", "val", "validation"])
def test_splits_by_other_names(validation, tmp_path):
    """Validation was cut from train beside the one that there was."""
    images = np.zeros((20, 4, 5, 1), np.uint8)
    data = kp.data.load(prepare(images, tmp_path, splits=("train", validation)), data_dir=tmp_path)
    assert data.sizes == {"train": 18, "validation": 20, "test": 2}
    assert data.protocol.endswith(", test from the end of train")


def test_two_splits_of_one_meaning_are_refused(tmp_path):
    name = prepare(np.zeros((9, 4, 5, 1), np.uint8), tmp_path, splits=("train", "val", "valid"))
    with pytest.raises(ValueError, match=r"mean the validation split.*'val' and 'valid'"):
        kp.data.load(name, data_dir=tmp_path)


FEATURES = tensorflow_datasets.features
NUMBERS = np.arange(20) % 3


@pytest.mark.parametrize(
    ("feature", "labels", "names"),
    [
        (FEATURES.ClassLabel(names=["ant", "bee", "cat"]), NUMBERS, ("ant", "bee", "cat")),
        (FEATURES.Scalar(np.int64), NUMBERS, ("0", "1", "2")),
        (FEATURES.Tensor(shape=(1,), dtype=np.int32), NUMBERS[:, None], ("0", "1", "2")),
        (FEATURES.Text(), np.array(["ant", "bee", "cat"])[NUMBERS], ("ant", "bee", "cat")),
        (FEATURES.Tensor(shape=(3,), dtype=np.float32), np.eye(3)[NUMBERS], ("0", "1", "2")),
    ],
)
def test_labels_are_those_of_arrays(feature, labels, names, tmp_path):
    """All but the first came as -1."""
    images = np.broadcast_to(np.arange(20, dtype=np.uint8)[:, None, None, None], (20, 4, 5, 1))
    labels = labels.astype(getattr(feature, "np_dtype", labels.dtype))
    name = prepare(images, tmp_path, feature, labels)
    data = kp.data.load(name, data_dir=tmp_path)
    assert data.class_names == names
    for split in data.sizes:
        found, told = data.whole(split, labels=True)
        np.testing.assert_array_equal(told, NUMBERS[found[:, 0, 0, 0]])
    if isinstance(feature, FEATURES.Scalar):
        data = kp.data.load(name, data_dir=tmp_path, class_names=["ant", "bee", "cat"])
        assert data.class_names == ("ant", "bee", "cat")


@pytest.mark.parametrize(
    ("feature", "labels", "words"),
    [
        (None, None, "There are no labels"),
        (FEATURES.Scalar(np.float32), NUMBERS + np.float32(0.5), "no ints, names.*a label 0.5"),
        (
            FEATURES.Sequence(FEATURES.ClassLabel(num_classes=3)),
            [[0] * (n % 3) for n in range(20)],
            r"its labels have shape \(None,\)",
        ),
    ],
)
def test_what_are_no_labels_is_said_when_they_are_asked_for(feature, labels, words, tmp_path):
    name = prepare(np.zeros((20, 4, 5, 1), np.uint8), tmp_path, feature, labels)
    data = kp.data.load(name, data_dir=tmp_path)
    assert data.num_classes == 0
    assert data.whole("test").shape == (2, 4, 5, 1)  # which labels of many lengths prevented
    with pytest.raises(ValueError, match=words):
        data.evaluation("test", 4, labels=True)


def test_hidden_labels_of_a_split(tmp_path):
    labels = np.full(20, -1)
    name = prepare(np.zeros((20, 4, 5, 1), np.uint8), tmp_path, FEATURES.Scalar(np.int64), labels)
    data = kp.data.load(name, data_dir=tmp_path)
    assert not data.has_labels("train")
    with pytest.raises(ValueError, match="There are no labels"):
        data.training(4, labels=True)


def test_what_is_packed_is_what_was_loaded(tmp_path):
    """Some labels hidden, too; values that the meaning does not have are refused."""
    labels = np.where(np.arange(20) % 5 == 1, -1, np.arange(20) % 3)
    feature = FEATURES.ClassLabel(names=["x", "y", "z"])
    images = np.arange(400).reshape(20, 4, 5, 1).astype(np.uint16)
    name = prepare(images, tmp_path, feature, labels)
    data = kp.data.load(name, data_dir=tmp_path, values="codes", levels=400)
    packed = kp.data.load(kp.data.pack(data, tmp_path / "all.npz"))
    for split in data.sizes:
        for ours, theirs in zip(
            data.whole(split, labels=True), packed.whole(split, labels=True), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    data = kp.data.load(name, data_dir=tmp_path, values="codes", levels=390)
    for refused in (lambda: kp.data.pack(data, tmp_path / "b.npz"), lambda: data.whole("train")):
        with pytest.raises(ValueError, match=r"^Codes must lie in 0 \.\. 389.*train images"):
            refused()
    assert not (tmp_path / "b.npz").exists()


def test_without_tensorflow_it_is_said_at_once(monkeypatch):
    """TFDS alone is imported without it, and reading the first image then failed."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ValueError, match=r"Without TensorFlow read packed files"):
        kp.data.load("mnist")
