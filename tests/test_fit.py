"""`fit`, `evaluate` and `predict` are as strict as `log_prob`, whatever carries the images."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from benchmarks import refused
from tests.test_jax_training import run

LEVELS = kp.distributions.Categorical(5)
IMAGES = np.random.default_rng(0).integers(0, 5, (6, 4, 5, 1)).astype(np.uint8)
LABELS = np.arange(6) % 3
ONES = np.ones(6, np.float32)


def made(**options):
    model = kp.models.PixelCNN((4, 5, 1), LEVELS, units=4, num_blocks=1, head_units=6, **options)
    # Nothing is learned, so that every number can be compared; no graph, as most of this is refused.
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def plain():
    return made()


@pytest.fixture(scope="module")
def labelled():
    return made(num_classes=3)


class Batches(keras.utils.PyDataset):
    """Batches of three of some arrays."""

    def __init__(self, parts, **options):
        super().__init__(**options)
        self.parts = parts

    def __len__(self):
        return 2

    def __getitem__(self, number):
        return keras.tree.map_structure(lambda a: a[3 * number : 3 * number + 3], self.parts)


def as_dataset(parts):
    return tf.data.Dataset.from_tensor_slices(parts).batch(3)


def as_dataset_of_any_shape(parts):
    specs = keras.tree.map_structure(lambda a: tf.TensorSpec(None, a.dtype), parts)
    return tf.data.Dataset.from_generator(lambda: iter(Batches(parts)), output_signature=specs)


def as_generator(parts):
    return (Batches(parts)[n] for n in range(2))


STREAMS = [as_dataset, as_dataset_of_any_shape, as_generator, Batches]


# ---- what is refused: the words of `log_prob` --------------------------------------------------


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
    "floats": (LABELS.astype(np.float32), "one for each. Received: context of shape"),
    "names": (np.array(["a", "b", "c"])[LABELS], "must be an array of numbers"),
    "two columns": (np.zeros((6, 2), np.int64), "one for each. Received: context of shape"),
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
        ([IMAGES, IMAGES], {}, "images alone, each one array or tensor. Received: a list of 2"),
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
        (tf.data.Dataset.from_tensor_slices(IMAGES), {}, r"dataset.batch\(n\)"),
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
        (IMAGES, {"y": LABELS, "class_weight": [1.0, 2.0]}, r"labels in 0 .. 2 to finite"),
    ],
)
def test_what_a_conditional_model_refuses(x, options, words, labelled):
    with pytest.raises(ValueError, match=words):
        labelled.fit(x, verbose=0, **options)


def test_the_table_of_refusals_is_what_is_said():
    page = (Path(__file__).parents[1] / "benchmarks" / "README.md").read_text()
    assert "\n".join(refused.rows()) in page


# ---- what is taken ----------------------------------------------------------------------------


@pytest.mark.parametrize("carrier", [*STREAMS, lambda parts: Batches(parts, workers=2)])
def test_streams_of_images(carrier, plain):
    expected = plain.log_prob(IMAGES)
    for form in [IMAGES, {"image": IMAGES}]:
        found = plain.evaluate(carrier(form), verbose=0)
        assert found == pytest.approx(-expected.mean(), rel=1e-5)
    params = plain.predict(carrier(IMAGES), verbose=0)
    np.testing.assert_allclose(
        LEVELS.log_prob(params, IMAGES).numpy().sum((1, 2, 3)), expected, rtol=1e-5
    )


def test_arrays_of_images(plain):
    expected = -plain.log_prob(IMAGES).mean()
    for form in [
        (IMAGES,),
        (IMAGES, IMAGES),
        ({"image": IMAGES},),
        ([IMAGES],),
        (IMAGES.astype(np.int64),),
        (tf.constant(IMAGES),),
    ]:
        assert plain.evaluate(*form, verbose=0) == pytest.approx(expected, rel=1e-5)
    history = plain.fit(IMAGES, validation_data=IMAGES, verbose=0).history
    assert history["loss"] == history["val_loss"] == pytest.approx([expected], rel=1e-5)


def test_a_memory_map_is_an_array(plain, tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    stored = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert plain.evaluate(stored, verbose=0) == pytest.approx(
        -plain.log_prob(IMAGES).mean(), rel=1e-5
    )


@pytest.mark.parametrize(
    "labels", [LABELS, LABELS[:, None], np.eye(3)[LABELS], LABELS.astype(np.uint8)]
)
def test_forms_of_labels(labels, labelled):
    expected = labelled.log_prob(IMAGES, context=LABELS)
    np.testing.assert_array_equal(labelled.log_prob(IMAGES, context=labels), expected)
    for form in [
        (IMAGES, labels),
        ((IMAGES, labels),),
        ({"image": IMAGES, "label": labels},),
        ([IMAGES, labels], IMAGES),
        (as_dataset((IMAGES, labels)),),
        (as_dataset({"image": IMAGES, "label": labels}),),
        (as_generator((IMAGES, labels)),),
        (Batches((IMAGES, labels)),),
    ]:
        assert labelled.evaluate(*form, verbose=0) == pytest.approx(-expected.mean(), rel=1e-5)
    assert labelled.predict((IMAGES, labels), verbose=0).shape == (6, 4, 5, 5)


def test_weights_of_images_count(plain):
    weights = np.linspace(0, 1, 6)
    expected = (-plain.log_prob(IMAGES) * weights).mean()
    for form in [
        {"x": IMAGES, "sample_weight": weights},
        {"x": IMAGES, "sample_weight": weights[:, None]},
        {"x": as_dataset((IMAGES, IMAGES, weights))},
        {"x": as_generator((IMAGES, IMAGES, weights))},
        {"x": Batches((IMAGES, IMAGES, weights))},
    ]:
        assert plain.fit(**form, verbose=0).history["loss"][0] == pytest.approx(expected, rel=1e-5)
    history = plain.fit(IMAGES, validation_data=(IMAGES, None, weights), verbose=0).history
    assert history["val_loss"][0] == pytest.approx(expected, rel=1e-5)


def test_weights_of_classes_count(labelled):
    weights = np.array([1.0, 0.0, 3.0])[LABELS]
    expected = (-labelled.log_prob(IMAGES, context=LABELS) * weights).mean()
    for form in [(IMAGES, LABELS), (as_dataset((IMAGES, LABELS)),), (Batches((IMAGES, LABELS)),)]:
        found = labelled.fit(*form, class_weight={1: 0.0, 2: 3.0}, verbose=0).history["loss"][0]
        assert found == pytest.approx(expected, rel=1e-5)


def test_vectors_as_context():
    model = made(context_shape=(2,))
    context = np.random.default_rng(1).normal(size=(6, 2))
    expected = -model.log_prob(IMAGES, context=context).mean()
    pairs = as_dataset((IMAGES, context))
    for form in [(IMAGES, context), (pairs,), ({"image": IMAGES, "context": context},)]:
        assert model.evaluate(*form, verbose=0) == pytest.approx(expected, rel=1e-5)
    context[1, 1] = np.nan
    for form in [(IMAGES, context), (as_dataset((IMAGES, context)),)]:
        with pytest.raises(ValueError, match=r"Received: context with \[nan"):
            model.fit(*form, verbose=0)


def test_a_bad_batch_costs_nothing_under_jax():
    """The model is what it was after the step before, weights and optimizer."""
    assert run("jax_fit").endswith("the same\n")


MIRRORED = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras, keras_pixelrnn as kp
images = np.random.default_rng(0).integers(0, 5, (16, 4, 5, 1)).astype(np.uint8)
labels = np.arange(16) % 3

def trained(strategy):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = kp.models.PixelCNN(
            (4, 5, 1), kp.distributions.Categorical(5), units=4, num_blocks=1, num_classes=3
        )
        model.compile(keras.optimizers.SGD(0.01))
    data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8)
    losses = model.fit(data, validation_data=data, epochs=2, verbose=0).history
    losses["arrays"] = model.evaluate(images, labels, batch_size=8, verbose=0)
    try:
        model.fit(tf.data.Dataset.from_tensor_slices((images + 3, labels)).batch(8), verbose=0)
    except ValueError as error:
        assert "Values of `images` must lie in 0 .. 4" in str(error)
    else:
        raise AssertionError("bad images went through")
    return np.hstack([losses[key] for key in sorted(losses)])

mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert mirrored.num_replicas_in_sync == 2
np.testing.assert_allclose(trained(mirrored), trained(tf.distribute.get_strategy()), rtol=1e-4)
"""


@pytest.mark.slow
def test_mirrored_training_is_the_same_training():
    out = subprocess.run([sys.executable, "-c", MIRRORED], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr[-3000:]


class Endless(Batches):
    """The same, again and again."""

    num_batches = None

    def __getitem__(self, number):
        return super().__getitem__(number % 2)


@pytest.mark.parametrize("carrier", [as_dataset, Batches, Endless])
@pytest.mark.filterwarnings("error")
def test_keras_warns_of_no_shuffling_that_nobody_asked_for(plain, carrier):
    plain.fit(carrier(IMAGES), steps_per_epoch=2, verbose=0)
