"""What `fit`, `evaluate` and `predict` take, and that each comes to the same numbers."""

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pixelrnn import mapped
from keras_pixelrnn.models.stored_batches import StoredBatches
from tests.carriers import (
    IMAGES,
    LABELS,
    LEVELS,
    STREAMS,
    Batches,
    as_dataset,
    as_generator,
    made,
)


@pytest.fixture(scope="module")
def plain():
    return made()


@pytest.fixture(scope="module")
def labelled():
    return made(num_classes=3)


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


class Reused(keras.utils.PyDataset):
    """Batches of two that are written where the last one was."""

    def __init__(self):
        super().__init__()
        self.buffer = np.empty_like(IMAGES[:2])

    @property
    def num_batches(self):
        return len(IMAGES) // 2

    def __getitem__(self, number):
        self.buffer[...] = IMAGES[2 * number : 2 * number + 2]
        return self.buffer


def reused():
    batches = Reused()
    for number in range(batches.num_batches):
        yield batches[number]


@pytest.mark.parametrize("carrier", [Reused, reused])
def test_batches_that_are_written_over_are_kept(carrier, plain):
    count = len(IMAGES) // 2 * 2
    expected = plain.log_prob(IMAGES[:count])
    assert plain.evaluate(carrier(), verbose=0) == pytest.approx(-expected.mean(), rel=1e-5)
    params = plain.predict(carrier(), verbose=0)
    found = LEVELS.log_prob(params, IMAGES[:count]).numpy().sum((1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_generator_with_weights_now_and_then(plain):
    batches = (batch for batch in [IMAGES, (IMAGES, IMAGES, np.ones(len(IMAGES)))])
    with pytest.raises(ValueError, match="weights all or none"):
        plain.evaluate(batches, verbose=0)


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
    assert history["loss"] == pytest.approx([expected], rel=1e-5)
    assert history["val_loss"] == pytest.approx([expected], rel=1e-5)


@pytest.mark.parametrize("kind", ["npy", "h5", "big-endian"])
def test_arrays_in_files_are_arrays(kind, plain, labelled, tmp_path):
    path = tmp_path / "images.npy"
    if kind == "h5":
        stored = h5py.File(tmp_path / "images.h5", "w").create_dataset("images", data=IMAGES)
    else:
        np.save(path, IMAGES.astype(">u2") if kind == "big-endian" else IMAGES)
        stored = np.load(path, mmap_mode="r")
    nats = -plain.log_prob(IMAGES)
    assert plain.evaluate(stored, verbose=0, batch_size=4) == pytest.approx(nats.mean(), rel=1e-5)
    params = plain.predict(stored, verbose=0, batch_size=4)
    np.testing.assert_allclose(params, plain.predict(IMAGES, verbose=0), atol=1e-5)
    weight = np.arange(6.0)
    told = -labelled.log_prob(IMAGES, context=LABELS)
    history = labelled.fit(
        stored, LABELS, 4, validation_data=(stored, LABELS), sample_weight=weight, verbose=0
    ).history
    assert history["loss"] == pytest.approx([(told * weight).mean()], rel=1e-5)
    assert history["val_loss"] == pytest.approx([told.mean()], rel=1e-5)
    history = plain.fit(stored, validation_split=0.3, batch_size=3, verbose=0).history
    assert history["loss"] == pytest.approx([nats[:4].mean()], rel=1e-5)
    assert history["val_loss"] == pytest.approx([nats[4:].mean()], rel=1e-5)


def test_arrays_in_files_are_shuffled_and_read_in_batches(tmp_path, monkeypatch):
    numbered = np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1)
    np.save(tmp_path / "images.npy", numbered)
    batches = StoredBatches(np.load(tmp_path / "images.npy", mmap_mode="r"), batch_size=8)
    first, held = batches.parted(0.2, shuffle=True)
    orders = []
    for _ in range(2):
        orders.append(np.concatenate([first[n][0].ravel() for n in range(first.num_batches)]))
        first.on_epoch_end()
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(16))
    assert orders[0].tolist() != orders[1].tolist() != sorted(orders[1])
    assert held[0][0].ravel().tolist() == [16, 17, 18, 19]
    monkeypatch.setattr(mapped, "RELEASE_BYTES", 1)
    mapping = np.load(tmp_path / "images.npy", mmap_mode="c")
    mapping[0] = 7
    assert StoredBatches(mapping, batch_size=20)[0][0].ravel()[0] == 7, "written, and not dropped"


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


def test_a_step_is_traced_once(monkeypatch):
    model = made()
    model.compile("adam")
    step, traced = type(model).train_step, []
    monkeypatch.setattr(
        type(model), "train_step", lambda self, *args: traced.append(self) or step(self, *args)
    )
    model.fit(IMAGES, batch_size=3, epochs=2, verbose=0)
    assert len(traced) == 1


class Endless(Batches):
    """The same, again and again."""

    num_batches = None

    def __getitem__(self, number):
        return super().__getitem__(number % 2)


# Keras waits for the threads of an endless one, for 5 s each.
@pytest.mark.parametrize(
    "carrier", [as_dataset, Batches, pytest.param(Endless, marks=pytest.mark.slow)]
)
@pytest.mark.filterwarnings("error")
def test_keras_warns_of_no_shuffling_that_nobody_asked_for(plain, carrier):
    plain.fit(carrier(IMAGES), steps_per_epoch=2, verbose=0)
