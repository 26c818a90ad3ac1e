"""Images and labels that come one by one, in lists and streams: each means what it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn.data.arrays import as_images
from tests.image_files import COLOUR, GREY, png

IMAGES = np.arange(20 * 4 * 5, dtype=np.uint8).reshape(20, 4, 5, 1)


def reused(images, labels=None):
    """A generator that writes each image, and label, where the last one was."""
    buffer, label = np.empty_like(images[0]), np.empty((), int)
    for number, image in enumerate(images):
        buffer[...] = image
        label[...] = number
        yield buffer if labels is None else (buffer, label)


class Reused(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.buffer = np.empty_like(IMAGES[:5])

    @property
    def num_batches(self):
        return 4

    def __getitem__(self, number):
        self.buffer[...] = IMAGES[number * 5 : number * 5 + 5]
        return self.buffer


def test_images_that_are_written_over_are_kept():
    wanted = IMAGES[:16]
    np.testing.assert_array_equal(kp.data.load(reused(IMAGES)).whole("train"), wanted)
    np.testing.assert_array_equal(kp.data.load(Reused()).whole("train"), wanted)
    images, labels = kp.data.load(reused(IMAGES, True)).whole("train", labels=True)
    np.testing.assert_array_equal(images, wanted)
    np.testing.assert_array_equal(labels, np.arange(16))


@pytest.mark.parametrize("many", [list, iter])
def test_masked_images_are_refused(many):
    with pytest.raises(ValueError, match="a masked array of shape"):
        kp.data.load(many([np.ma.masked_array(image, image % 3 == 0) for image in IMAGES]))


class Unreadable:
    """As tensors that lie elsewhere are."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("on a GPU")


BATCHES = [IMAGES[first : first + 5] for first in range(0, 20, 5)]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([[0] * 4, [0] * 6, [0] * 5, [0] * 5], r"a batch of 5 images and labels of shape \(4,\)"),
        ([0, 1, 2, 3], r"one label for each of its images.*labels of shape \(\)"),
        ([np.eye(3)[[0] * 5], *[np.eye(4)[[0] * 5]] * 3], r"one kind.*shape \(n, 3\) and"),
        ([["a"] * 5, *[[0] * 5] * 3], r"one kind.*names of shape \(n\) and"),
        ([np.ma.masked_array([0] * 5, [1] * 5)] * 4, "Masked arrays"),
        ([[[0], [0, 1], [0], [0], [0]]] * 4, "Labels must be ints .*labels of the stream"),
    ],
)
def test_labels_of_batches_that_do_not_fit(labels, words):
    with pytest.raises(ValueError, match=words):
        kp.data.load(zip(BATCHES, labels, strict=True))


@pytest.mark.parametrize("many", [list, iter])
@pytest.mark.parametrize("mode", ["P", "CMYK", "LAB", "YCbCr", "HSV", "PA"])
def test_pictures_whose_numbers_are_no_colours(mode, many):
    picture = Image.new("RGB", (5, 4)).convert(mode) if mode != "LAB" else Image.new(mode, (5, 4))
    with pytest.raises(ValueError, match=rf"picture\.convert\('RGB'\).*of the mode '{mode}'"):
        kp.data.load(many([picture] * 5))


@pytest.mark.parametrize("many", [list, iter])
def test_pictures_in_lists_are_read_like_files(many, tmp_path):
    exif, path = Image.Exif(), tmp_path / "a.png"
    exif[0x0112] = 6

    def loaded(**said):
        return kp.data.load(many([Image.open(path) for _ in range(3)]), **said).whole("test")[0]

    Image.fromarray(COLOUR).save(path, exif=exif)
    np.testing.assert_array_equal(loaded(), COLOUR.swapaxes(0, 1)[:, ::-1])
    Image.fromarray(GREY).save(path)  # grey ones have no channel axis to NumPy
    np.testing.assert_array_equal(loaded()[..., 0], GREY)
    png(COLOUR * np.uint16(257), path)  # which Pillow cuts
    np.testing.assert_array_equal(loaded(value_range=(0, 65535)), COLOUR * np.uint16(257))
    Image.fromarray(COLOUR).save(path, transparency=tuple(map(int, COLOUR[0, 0])))
    with pytest.raises(ValueError, match=r"transparent pixels.*picture\.convert\('RGBA'\)"):
        loaded()
    opened = [Image.open(path).convert("RGBA") for _ in range(3)]
    assert kp.data.load(many(opened)).image_shape == (6, 8, 4)


@pytest.mark.parametrize("many", [list, iter])
def test_codes_of_pictures_in_lists_are_those_that_are_stored(many, tmp_path):
    def loaded(path, values="codes", levels=256):
        pictures = [Image.open(path) for _ in range(3)]
        return kp.data.load(many(pictures), values=values, levels=levels).whole("test")[0]

    png(GREY[..., None] & 15, tmp_path / "a.png", 4)  # which Pillow stretches
    np.testing.assert_array_equal(loaded(tmp_path / "a.png")[..., 0], GREY & 15)
    (tmp_path / "a.pbm").write_bytes(b"P4 8 6\n" + bytes(np.packbits(GREY > 99, axis=1)))
    np.testing.assert_array_equal(loaded(tmp_path / "a.pbm", "binary", None)[..., 0], GREY > 99)
    for name, words in (("a.jpg", "lossy JPEG"), ("a.webp", "lossy WEBP")):
        Image.fromarray(COLOUR).save(tmp_path / name)
        with pytest.raises(ValueError, match=f"Exact values do not outlast.*{words}"):
            loaded(tmp_path / name)
    made = [Image.fromarray(GREY)] * 3
    found = kp.data.load(many(made), values="codes", levels=256).whole("test")[0]
    np.testing.assert_array_equal(found[..., 0], GREY)
    with Image.open(tmp_path / "a.png") as picture:
        picture.load()
        with pytest.raises(ValueError, match="Open the files anew"):
            kp.data.load(many([picture] * 3), values="codes", levels=256)
    made[0].save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        picture.load()  # as data sets of Hugging Face do
        found = kp.data.load(many([picture] * 3), values="codes", levels=256).whole("test")[0]
    np.testing.assert_array_equal(found[..., 0], GREY)
    bits = [Image.fromarray(GREY > 99)] * 3
    found = kp.data.load(many(bits), values="binary").whole("test")[0]
    np.testing.assert_array_equal(found[..., 0], GREY > 99)


def test_images_as_lists_of_rows():
    for images in (IMAGES, IMAGES[:, :2]):
        found = kp.data.load([list(image) for image in images]).whole("train")
        np.testing.assert_array_equal(found, images[:16])


def test_a_tensor_is_not_copied():
    images = tf.constant(IMAGES)
    np.testing.assert_array_equal(as_images(images), IMAGES)
    assert np.shares_memory(as_images(images), np.asarray(images))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([(image, 0) for image in IMAGES], "pass iter"),
        ([{"image": image, "label": 0} for image in IMAGES], "pass iter"),
        ([(image, np.eye(3)[0]) for image in IMAGES], "pass iter"),
        ([(Image.fromarray(image[..., 0]), 0) for image in IMAGES], "pass iter"),
        (tf.ragged.constant([[[[1]]], [[[2]], [[3]]]]), "^images must be a dense array or tensor"),
        (iter([tf.sparse.from_dense(IMAGES[0])]), "^the stream must be a dense array or tensor"),
        (iter([Unreadable()]), "^Images must be arrays.*the stream, a Unreadable: on a GPU"),
        (iter([tf.constant("a.png")]), "must be an array of numbers"),
        (keras.Input((4, 5, 1)), "symbolic"),
        (np.zeros((20, 4, 5, 1), [("red", "u1")]), r"must be numbers\. Received"),
        (IMAGES.astype(object), "np.stack"),
        (type("Map", (), {"__getitem__": None, "__len__": None})(), "of PyTorch a generator"),
    ],
)
def test_what_holds_no_images_is_told_what_would(source, words):
    with pytest.raises(ValueError, match=words):
        kp.data.load(source)
