"""Data sets of TensorFlow Datasets: those that are there, and those that are not."""

import importlib
import socket

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


def prepare(images, folder):
    """A data set `other_<dtype>` of images (n, ...) in a folder."""
    dtype = str(images.dtype)

    class Other(tensorflow_datasets.core.GeneratorBasedBuilder):
        name = f"other_{dtype}"
        VERSION = tensorflow_datasets.core.Version("1.0.0")

        def _info(self):
            shaped = tensorflow_datasets.features.Tensor(
                shape=images.shape[1:], dtype=images.dtype.type
            )
            return tensorflow_datasets.core.DatasetInfo(
                builder=self, features=tensorflow_datasets.features.FeaturesDict({"image": shaped})
            )

        def _split_generators(self, manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            yield from enumerate({"image": image} for image in images)

    Other(data_dir=folder).download_and_prepare()


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
