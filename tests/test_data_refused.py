"""What `data.load` refuses by name, and what it takes in more than one form."""

import importlib
import sys
import types

import h5py
import jax
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_pixelrnn as kp

IMAGES = np.arange(20 * 4 * 5).reshape(20, 4, 5, 1)
BYTES = IMAGES.astype(np.uint8)
LABELS = np.arange(20) % 3


@pytest.mark.parametrize(
    ("images", "said", "words"),
    [
        (np.ma.masked_array(BYTES, BYTES % 3 == 0), {}, "a masked array of shape"),
        (np.zeros((20, 0, 5, 1), np.uint8), {}, "must have pixels"),
        (np.zeros((20, 4, 5, 0), np.uint8), {}, "must have pixels"),
        (IMAGES.astype("u8"), {"value_range": (0, 2**64 - 1), "levels": 9}, "range of integers"),
        (IMAGES, {"value_range": (-(2**63), 2**63 - 1), "levels": 9}, "range of integers"),
        (IMAGES.astype(object), {"values": "codes", "levels": 400}, "must be numbers"),
        (IMAGES.astype("M8[s]"), {"values": "codes", "levels": 400}, "must be numbers"),
    ],
)
def test_arrays_that_mean_nothing(images, said, words):
    with pytest.raises(ValueError, match=words):
        kp.data.load(images, **said)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, "Expected a name, the path.*Received: None"),
        (3, "Expected a name, the path.*Received: 3"),
        (b"pictures", "Expected a name, the path.*Received: b'pictures'"),
        (lambda: BYTES, "of a function what it returns"),
        (types.MappingProxyType({"image": BYTES}), "Of an open file pass its path"),
        ([(BYTES, BYTES[:, 0, 0, 0]), (BYTES, BYTES[:, 0, 0, 0])], r"Splits go by name.*2 pairs"),
        ([BYTES, BYTES[:, 0, 0, 0]], r"as a tuple, \(images, labels\)"),
        (iter(np.zeros((9, 4, 8, 8), np.uint8)), r"pass batch\[\.\.\., None\].*\(4, 8, 8\)"),
        (["a.png", "b.png"], "pass the folder that they lie in"),
        (tf.constant(0.5, tf.bfloat16, (20, 4, 5, 1)), "to float32"),
        (BYTES.reshape(20, -1), r"images.reshape\(-1, height, width, channels\)"),
        (iter([BYTES[0], (BYTES[0], 1)]), "Some images have labels and others none"),
        (iter([(BYTES[0], 1), BYTES[0]]), "Some images have labels and others none"),
        ("my_pictures.NPZ", "no such folder or file"),
    ],
)
def test_what_cannot_be_images_is_told_what_can(source, words):
    with pytest.raises(ValueError, match=words):
        kp.data.load(source)


def test_options_of_image_files_are_not_passed_over(tmp_path):
    with pytest.raises(ValueError, match=r"`channels` is for image files.*channels=4, images of 1"):
        kp.data.load(BYTES, channels=4)
    assert kp.data.load(BYTES, channels=1).image_shape == (4, 5, 1)
    with pytest.raises(ValueError, match="no such folder: my_pictures"):
        kp.data.load("my_pictures", image_size=8, data_dir=tmp_path)


@pytest.mark.parametrize("suffix", ["npy", "npz", "h5"])
def test_numbers_in_small_files_are_checked_at_once(suffix, tmp_path):
    path = tmp_path / f"codes.{suffix}"
    with h5py.File(path, "w") if suffix == "h5" else open(path, "wb") as file:
        if suffix == "h5":
            file["images"] = IMAGES
        else:
            (np.save if suffix == "npy" else np.savez)(file, IMAGES)
    with pytest.raises(ValueError, match=r"Codes must lie in 0 \.\. 255"):
        kp.data.load(path, values="codes", levels=256)


@pytest.mark.parametrize("suffix", ["NPY", "Npz", "H5"])
def test_files_of_arrays_have_their_names_in_any_case(suffix, tmp_path):
    with open(tmp_path / f"images.{suffix}", "wb") as file:
        if suffix == "H5":
            with h5py.File(file, "w") as arrays:
                arrays["images"] = BYTES
        else:
            (np.save if suffix == "NPY" else np.savez)(file, BYTES)
    found = kp.data.load(tmp_path / f"images.{suffix}").images("train", np.arange(16))
    np.testing.assert_array_equal(found, BYTES[:16])


@pytest.mark.parametrize("dtype", [">u2", ">i4", ">f4", "uint32", "uint64", "float16"])
def test_any_numbers_are_read(dtype):
    data = kp.data.load(IMAGES.astype(dtype), values="codes", levels=400)
    found = np.concatenate(
        [np.asarray(b) for split in data.sizes for b in data.evaluation(split, 7)]
    )
    np.testing.assert_array_equal(found, IMAGES)
    assert found.dtype == np.uint16


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS * 10**9, "must be below"),
        (np.array(["ant", None, "cat"], object)[LABELS], "needs a label"),
        (np.array([0.0, np.nan, 1.0])[LABELS], "a label nan"),
        (LABELS[:, None, None], "one label for each"),
    ],
)
def test_labels_that_mean_nothing(labels, words):
    with pytest.raises(ValueError, match=words):
        kp.data.from_array(BYTES, labels)


def test_dicts_as_tensorflow_datasets_has_them():
    one = kp.data.load({"image": BYTES, "label": LABELS})
    both = kp.data.load({"train": {"image": BYTES, "label": LABELS}, "test": {"image": BYTES}})
    assert (one.sizes["train"], one.num_classes) == (16, 3)
    assert (both.sizes["test"], both.num_classes) == (20, 3)
    with pytest.raises(ValueError, match="Expected dicts with one of"):
        kp.data.load({"image": BYTES, "images": BYTES})


def test_numbers_of_another_byte_order():
    model = kp.models.PixelCNN((4, 5, 1), kp.distributions.Categorical(256), units=1, num_blocks=1)
    turned = BYTES.astype(">u2")
    expected = model.log_prob(BYTES)
    np.testing.assert_array_equal(model.log_prob(turned), expected)
    model.compile("sgd", run_eagerly=True)
    assert model.evaluate(turned, verbose=0) == pytest.approx(-expected.mean(), rel=1e-5)
    with pytest.raises(ValueError, match="byte order"):
        model(turned)


def test_calls_are_as_strict_as_log_prob():
    """Labels out of range were told nothing, fractions of them cut off."""
    model = kp.models.PixelCNN(
        (4, 5, 1), kp.distributions.Categorical(256), units=1, num_blocks=1, num_classes=3
    )
    assert model([BYTES, LABELS]).shape == model({"image": BYTES, "label": LABELS}).shape
    for labels in (LABELS + 1, LABELS / 2, LABELS[:, None] * 1.0):
        for told in (labels, tf.constant(labels), jax.numpy.asarray(labels)):
            with pytest.raises(ValueError, match=r"conditional on a label in 0 \.\. 2"):
                model([BYTES, told])
    beyond = BYTES.astype(int) + 256
    for images in (beyond, tf.constant(BYTES.astype(int) - 1), jax.numpy.asarray(beyond)):
        with pytest.raises(ValueError, match=r"must lie in 0 \.\. 255"):
            model([images, LABELS])
    with pytest.raises(ValueError, match="Received: None"):
        model.predict(None)
    np.testing.assert_array_equal(
        model.log_prob(BYTES, context=LABELS.astype(">i4")), model.log_prob(BYTES, context=LABELS)
    )


def test_masked_arrays_are_refused_by_models():
    model = kp.models.PixelCNN((4, 5, 1), kp.distributions.Categorical(256), units=1, num_blocks=1)
    masked = np.ma.masked_array(BYTES, BYTES % 3 == 0)
    for call in (model.log_prob, model, model.predict, model.fit):
        with pytest.raises(ValueError, match="masked"):
            call(masked)
    with pytest.raises(ValueError, match="masked"):
        model.log_prob(list(masked))


def test_tensorflow_datasets_that_do_not_fit_the_protobuf(monkeypatch):
    """They hide what fails at their import until they are used, and then name an attribute."""

    class Fails:
        def find_spec(self, name, path=None, target=None):
            if name == "tensorflow_datasets.public_api":
                raise RuntimeError("gencode 6.31.1 runtime 5.29.6")

    importlib.import_module("tensorflow_datasets.public_api")  # so that it comes back afterwards
    monkeypatch.delitem(sys.modules, "tensorflow_datasets.public_api")
    monkeypatch.setattr(sys, "meta_path", [Fails(), *sys.meta_path])
    with pytest.raises(ValueError, match=r"tensorflow-metadata<1.18.*runtime 5.29.6"):
        kp.data.load("binarized_mnist")


@pytest.mark.parametrize(
    ("name", "options", "lossy"),
    [
        ("jpg", {}, True),
        ("webp", {}, True),
        ("webp", {"lossless": True}, False),
        ("tif", {"compression": "jpeg"}, True),
        ("tif", {"compression": "tiff_lzw"}, False),
        ("png", {}, False),
        ("gif", {}, True),
    ],
)
@pytest.mark.parametrize("values", ["codes", "integers"])
def test_exact_values_do_not_come_from_lossy_files(name, options, lossy, values, tmp_path):
    codes = np.arange(9 * 8, dtype=np.uint8).reshape(9, 8) % 5 * 8
    for number in range(10):
        Image.fromarray(codes).convert("RGB").save(tmp_path / f"{number}.{name}", **options)
    said = {"image_size": (9, 8), "values": values, "levels": 256}
    if lossy:
        with pytest.raises(ValueError, match="lossy format.*Received: .*0." + name):
            kp.data.load(tmp_path, **said)
    else:
        stored = kp.data.load(tmp_path, **said).images("train", np.arange(1))
        np.testing.assert_array_equal(stored[0, ..., 1], codes)


def test_names_of_classes_are_used_or_refused(tmp_path):
    for number in range(10):
        Image.fromarray(BYTES[0, ..., 0]).save(tmp_path / f"{number}.png")
    names = ["ant", "bee", "cow"]
    assert kp.data.load((BYTES, LABELS), class_names=names).class_names == tuple(names)
    for source, options in [(tmp_path, {"image_size": 4}), ("digits", {}), (BYTES, {})]:
        with pytest.raises(ValueError, match="`class_names` must be the names of the labels"):
            kp.data.load(source, class_names=names, **options)
    with pytest.raises(ValueError, match="none twice"):
        kp.data.load((BYTES, LABELS), class_names=["ant", "bee", "ant"])


WRONG = [
    ({"batch_size": None}, "batch_size"),
    ({"batch_size": "4"}, "batch_size"),
    ({"batch_size": 2.5}, "batch_size"),
    ({"batch_size": 4, "first_step": 2**70}, "first_step"),
    ({"batch_size": 4, "first_epoch": 0.5}, "first_epoch"),
    ({"batch_size": 4, "labels": "x"}, "labels"),
    ({"batch_size": 4, "seed": "a"}, "seed"),
    ({"batch_size": 4, "part": 3}, "part"),
    ({"batch_size": 4, "part": (0, 2.0)}, "part"),
]


@pytest.mark.parametrize(("options", "name"), WRONG)
def test_batches_are_asked_for_in_numbers(options, name):
    data = kp.data.load("digits")
    with pytest.raises(ValueError, match=f"`{name}` must"):
        data.training(**options)
    if not set(options) & {"first_step", "first_epoch", "seed"}:
        with pytest.raises(ValueError, match=f"`{name}` must"):
            data.evaluation("test", **options)


@pytest.mark.parametrize(
    "size", [0, 2**40, (8,), (8, 2.5), "8", True, np.zeros((2, 2)), {8, 9}, {8: 1, 9: 2}]
)
def test_sizes_of_pictures(size, tmp_path):
    with pytest.raises(ValueError, match="`image_size` must be an int from 1 to"):
        kp.data.load(tmp_path, image_size=size)


def test_digits_are_no_spins():
    with pytest.raises(ValueError, match="Spins must lie in"):
        kp.data.load("digits", values="spins")
    with pytest.raises(ValueError, match="`value_range` must"):
        kp.data.load(IMAGES * 1e300, value_range=(-1.7e308, 1.7e308), levels=16)
    with pytest.raises(ValueError, match="`value_range` must"):
        kp.data.load(IMAGES * 1.0, value_range=(0, 10**400), levels=16)
