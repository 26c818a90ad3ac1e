"""`fit`, `evaluate` and `predict` are as strict as `log_prob`, whatever carries the images."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from benchmarks import refused
from tests.carriers import IMAGES, LABELS, ONES, STREAMS, Batches, as_dataset, as_generator, made


@pytest.fixture(scope="module")
def plain():
    return made()


@pytest.fixture(scope="module")
def labelled():
    return made(num_classes=3)


# ---- what is refused: the words of `log_prob` --------------------------------------------------


class Empty(Batches):
    def __len__(self):
        return 0


def with_value(value, dtype=np.uint8):
    images = IMAGES.astype(dtype)
    images[1, 1, 2] = value
    return images


BAD_IMAGES = {
    "too large": (with_value(7), "Values of `images` must lie in 0 .. 4 .*from 0 to 7"),
    "negative": (with_value(-1, np.int32), "must lie in 0 .. 4 .*from -1 to 4"),
    "modulo 256": (with_value(256, np.int64), "must lie in 0 .. 4 .*from 0 to 256"),
    "floats": (IMAGES.astype(np.float32), "scaling happens inside the model.*float32"),
    "no channel axis": (IMAGES[..., 0], r"images\[..., None\]. Received: shape"),
    "torch": (np.moveaxis(IMAGES, -1, 1), r"np.moveaxis\(images, 1, -1\). Received: shape"),
    "another size": (IMAGES[:, :3], r"\(batch, 4, 5, 1\).*Received: shape \(\w+, 3, 5, 1\)"),
}


@pytest.mark.parametrize("fault", BAD_IMAGES)
@pytest.mark.parametrize("carrier", [None, *STREAMS])
def test_bad_images(fault, carrier, plain):
    images, words = BAD_IMAGES[fault]
    with pytest.raises(ValueError, match=words):
        plain.log_prob(images)
    for call in (plain.fit, plain.evaluate, plain.predict):
        with pytest.raises(ValueError, match=words):
            call(carrier(images) if carrier else images, verbose=0)


@pytest.mark.parametrize("carrier", [None, as_dataset, as_generator])
def test_bad_images_in_validation(carrier, plain):
    images, words = BAD_IMAGES["too large"]
    data = carrier(images) if carrier else images
    with pytest.raises(ValueError, match=words):
        plain.fit(IMAGES, validation_data=data, verbose=0)


@pytest.mark.parametrize("carrier", STREAMS)
def test_a_bad_batch_in_the_middle(carrier, plain):
    images, words = BAD_IMAGES["too large"]
    with pytest.raises(ValueError, match=words):
        plain.evaluate(carrier(images[::-1]), verbose=0)


@pytest.mark.parametrize(
    ("raised", "come"),
    [
        (FileNotFoundError("disk on fire"), FileNotFoundError),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "disk on fire"), ValueError),
    ],
)
def test_what_a_pipeline_meets_comes_as_it_was_raised(raised, come, plain):
    def batches():
        yield IMAGES
        raise raised

    spec = tf.TensorSpec((None, *IMAGES.shape[1:]), tf.uint8)
    with pytest.raises(come, match="disk on fire") as found:
        plain.fit(tf.data.Dataset.from_generator(batches, output_signature=spec), verbose=0)
    assert "Traceback" not in str(found.value)


@pytest.mark.parametrize("fault", BAD_IMAGES)
def test_bad_images_in_one_batch(fault, plain):
    images, words = BAD_IMAGES[fault]
    for call in (plain.train_on_batch, plain.test_on_batch, plain.predict_on_batch, plain):
        with pytest.raises(ValueError, match=words):
            call(images)


def test_a_call_on_tensors_cuts_no_floats(plain):
    with pytest.raises(ValueError, match="scaling happens inside the model"):
        plain(tf.constant(IMAGES / 5))
    with pytest.raises(ValueError, match="scaling happens inside the model"):
        plain(keras.Input((4, 5, 1), dtype="float32"))
    assert plain(keras.Input((4, 5, 1), dtype="uint8")).shape == (None, 4, 5, 5)


BAD_LABELS = {
    "out of range": (LABELS + 1, r"label in 0 .. 2. Received: context with \[3"),
    "negative": (LABELS - 1, r"label in 0 .. 2. Received: context with \[-1"),
    "floats": (LABELS.astype(np.float32), r"labels are ints.*astype.*Received: context of dtype"),
    "names": (
        np.array(["a", "b", "c"])[LABELS],
        "Number names of classes: np.unique",
    ),
    "two columns": (
        np.zeros((6, 2), np.int64),
        "one-hot rows have 3 columns.*Received: context",
    ),
    "rows not one-hot": (np.ones((6, 3)), "must be one-hot"),
}


@pytest.mark.parametrize("fault", BAD_LABELS)
@pytest.mark.parametrize("carrier", [None, as_dataset, as_generator])
def test_bad_labels(fault, carrier, labelled):
    labels, words = BAD_LABELS[fault]
    with pytest.raises(ValueError, match=words):
        labelled.log_prob(IMAGES, context=labels)
    for call in (labelled.fit, labelled.evaluate):
        arguments = (carrier((IMAGES, labels)),) if carrier else (IMAGES, labels)
        with pytest.raises(ValueError, match=words):
            call(*arguments, verbose=0)


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        ([IMAGES, IMAGES], {}, "images alone, each one array or tensor: np.stack.*a list of 2"),
        (list(IMAGES), {}, "Received: a list of 6"),
        ({"image": IMAGES, "label": LABELS}, {}, r"dataset.map\(lambda d: d\['image'\]\)"),
        ({"picture": IMAGES}, {}, r"must hold 'image'.*Received: a dict with \['picture'\]"),
        (IMAGES, {"y": LABELS}, "not conditional"),
        (IMAGES, {"y": IMAGES[::-1]}, "these images themselves"),
        (IMAGES, {"class_weight": {0: 1.0}}, "`class_weight` goes with models"),
        (IMAGES, {"sample_weight": ONES[:3]}, "one finite number for each of 6 images"),
        (IMAGES, {"sample_weight": ONES * np.nan}, "one finite number for each of 6 images"),
        (IMAGES, {"sample_weight": np.ones((6, 4, 5))}, "one finite number for each"),
        (IMAGES, {"validation_data": (IMAGES, LABELS)}, "not conditional"),
        (as_dataset({"image": IMAGES, "label": LABELS}), {}, "A dict of inputs must hold 'image'"),
        (as_dataset((IMAGES, LABELS)), {}, "not conditional"),
        (as_dataset((IMAGES, IMAGES[::-1])), {}, "these images themselves"),
        (as_dataset((IMAGES, IMAGES, ONES * np.nan)), {}, "one finite number for each"),
        (IMAGES, {"sample_weight": ONES * 1e16}, r"magnitude of 1e\+15 at most.*Received: 1e\+16"),
        (
            as_dataset((IMAGES, IMAGES, ONES * 1j)),
            {},
            "`sample_weight` must be an array of numbers",
        ),
        (as_dataset((IMAGES, IMAGES, ONES.astype(str))), {}, "must be an array of numbers"),
        (as_dataset((IMAGES, IMAGES, ONES * -1e16)), {}, r"magnitude of 1e\+15 at most"),
        (tf.data.Dataset.from_tensor_slices(IMAGES), {}, r"dataset.batch\(n\)"),
        (as_dataset(IMAGES[:0]), {}, "one batch or more. Received: a tf.data.Dataset without"),
        (as_dataset(IMAGES).filter(lambda batch: False), {}, "ended before its first batch"),
        (tf.data.Dataset.from_tensors(IMAGES[:0]), {}, r"one image or more.*shape \(0, 4, 5, 1\)"),
        (
            IMAGES,
            {"validation_data": as_dataset(IMAGES).filter(lambda batch: False)},
            "ended before its first batch",
        ),
        (Empty(IMAGES), {}, "one batch or more. Received: a PyDataset of length 0"),
        ("my/images", {}, "keras_pixelrnn.data.load reads folders.*Received: 'my/images'"),
        (kp.data.load("digits"), {}, r"data.training\(batch_size=32\).*Received: ImageData"),
        (iter([IMAGES]), {}, r"\(batch for batch in iterator\)"),
        (lambda: as_generator(IMAGES), {}, r"pass what it returns"),
        (3, {}, "PyDataset or Grain data set does. Received: 3"),
        (IMAGES, {"steps_per_epoch": 0}, "`steps_per_epoch` must be an int, 1 or more"),
        (IMAGES, {"validation_data": IMAGES, "validation_steps": 0.5}, "`validation_steps` must"),
        (IMAGES, {"validation_data": IMAGES, "validation_freq": 0}, "`validation_freq` must"),
        (
            IMAGES,
            {"validation_data": IMAGES, "validation_batch_size": 0},
            "`validation_batch_size`",
        ),
    ],
)
def test_what_a_plain_model_refuses(x, options, words, plain):
    with pytest.raises(ValueError, match=words):
        plain.fit(x, verbose=0, **options)


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        (IMAGES, {}, r"data sets of \(image, context\)"),
        (as_dataset(IMAGES), {}, r"data sets of \(image, context\)"),
        ({"image": IMAGES, "labels": LABELS}, {}, r"\(d\['image'\], d\['label'\]\)"),
        (IMAGES, {"y": LABELS, "class_weight": {3: 1.0}}, r"labels in 0 .. 2 to finite"),
        (IMAGES, {"y": LABELS, "class_weight": {1: np.inf}}, r"labels in 0 .. 2 to finite"),
        (IMAGES, {"y": LABELS, "class_weight": {1: None}}, r"labels in 0 .. 2 to finite"),
        (IMAGES, {"y": LABELS, "class_weight": {1: [2.0]}}, r"labels in 0 .. 2 to finite"),
        (IMAGES, {"y": LABELS, "class_weight": [1.0, 2.0]}, r"labels in 0 .. 2 to finite"),
    ],
)
def test_what_a_conditional_model_refuses(x, options, words, labelled):
    with pytest.raises(ValueError, match=words):
        labelled.fit(x, verbose=0, **options)


def test_the_table_of_refusals_is_what_is_said():
    page = (Path(__file__).parents[1] / "benchmarks" / "README.md").read_text()
    assert "\n".join(refused.rows()) in page
