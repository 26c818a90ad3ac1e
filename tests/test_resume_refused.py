"""A training that is called with what it cannot be, or gone on with as another, is refused by name,
before any work, and what a failure finds done is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn.data.digest import digest
from keras_pixelrnn.training import given, progress, resuming
from keras_pixelrnn.training.checkpoints import Checkpoints
from keras_pixelrnn.training.fit import stored
from keras_pixelrnn.training.resumable import resumable_fit
from keras_pixelrnn.training.run import load_data
from keras_pixelrnn.training.settings import Settings, as_given
from tests import resuming as small


@pytest.fixture(scope="module")
def model():
    return small.Training().model


def fit(model, folder, **given):
    return resumable_fit(
        model,
        given.pop("batches", small.batches),
        **{
            "epochs": 1,
            "steps_per_epoch": 2,
            "validation_data": small.images(4),
            "folder": folder,
            "verbose": 0,
            **given,
        },
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, bad) for name in ("epochs", "steps_per_epoch") for bad in (0, -1, True, "3", 2.5, None)]
    + [("minutes", bad) for bad in (0, -1, "x", float("nan"))]
    + [
        ("monitor", 3),
        *(("validation_data", bad) for bad in (None, 3, "images")),
        *(("callbacks", bad) for bad in (None, 3, [print], "x")),
        *(("stopping", bad) for bad in (3, True)),
        ("batches", None),
        ("writes", "no"),
        ("settings", object()),
    ]
    + [("batches", lambda seen: tf.data.Dataset.from_tensors(small.images(4)))],
)
def test_arguments_are_refused_before_any_work(name, value, model, tmp_path):
    with pytest.raises(ValueError, match=f"`{name}`.*Received"):
        fit(model, tmp_path, **{name: value})


@pytest.mark.parametrize("wrong", [None, 3, "model", keras.Sequential()])
def test_what_is_no_compiled_model(wrong, tmp_path):
    with pytest.raises(ValueError, match=r"`model` must be a compiled keras\.Model"):
        fit(wrong, tmp_path)


def failing(model, callbacks):
    raise RuntimeError("no memory")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"monitor": "bits"}, "`monitor` must be one of: .*loss"),
        ({"validation_data": failing}, "no m"),
    ],
)
def test_an_epoch_that_cannot_be_judged_is_kept(wrong, words, model, tmp_path):
    with pytest.raises((ValueError, RuntimeError), match=words):
        fit(model, tmp_path, **wrong)
    seen = []
    reached = fit(model, tmp_path, batches=lambda at: seen.append(at) or small.batches(at))
    assert (reached.epoch, reached.batches) == (1, 2)
    assert seen in ([], [2]), "the epoch is trained again"


def test_a_training_does_not_go_on_as_another(model, tmp_path):
    fit(model, tmp_path, epochs=2, settings={"rate": 0.1})
    for other, words in [
        ({"epochs": 1}, "epochs=1, 2 of which are done"),
        ({"epochs": 3, "steps_per_epoch": 3}, "3 steps an epoch, begun with 2"),
        ({"epochs": 2, "settings": {"rate": 0.2}}, "rate=0.2, begun with rate=0.1"),
    ]:
        with pytest.raises(ValueError, match=words):
            fit(model, tmp_path, **other)
    assert fit(model, tmp_path, epochs=2, settings={"rate": 0.1}).epoch == 2


def test_checkpoints_of_others_are_named(tmp_path):
    settings = Settings(output=tmp_path, resume=True)
    manifest = progress.Progress().manifest(None)
    Checkpoints(settings.state).save(0, manifest, {})
    with pytest.raises(ValueError, match="begun from Python"):
        given.resumed({"output": tmp_path, "resume": True})
    Checkpoints(settings.state).save(1, {**manifest, "format": 99, "settings": {}}, {})
    with pytest.raises(ValueError, match="format 99"):
        resuming.check_folder(settings, {})


def test_channels_that_nobody_said_are_stored_as_before(tmp_path):
    """As 3, which digits would refuse if it were said."""
    begun = Settings(output=tmp_path)
    manifest = progress.Progress().manifest({**begun.to_dict(), "channels": 3})
    Checkpoints(begun.state).save(0, manifest, {})
    again = given.resumed({"output": tmp_path, "resume": True})
    assert load_data(again).image_shape == (8, 8, 1)
    assert again.to_dict() == begun.to_dict() == {**begun.to_dict(), "channels": 3}
    said = given.resumed({"output": tmp_path, "resume": True, "channels": 3})
    with pytest.raises(ValueError, match="Received: channels=3, images of 1"):
        load_data(said)
    with pytest.raises(ValueError, match="channels=1, begun with channels=3"):
        given.resumed({"output": tmp_path, "resume": True, "channels": 1})
    grey = Settings(output=tmp_path, channels=1)
    assert Settings(**as_given(grey.to_dict())).channels == 1


def test_broken_pictures_are_left_out_again(tmp_path):
    """And are an error to a training that was begun before one could say so."""
    begun = Settings(dataset="pictures", output=tmp_path, on_error="skip")
    stored = begun.to_dict()
    older = {name: value for name, value in stored.items() if name != "on_error"}
    asked = {"output": tmp_path, "resume": True}
    for number, (settings, expected) in enumerate(((stored, "skip"), (older, "raise"))):
        manifest = progress.Progress().manifest(settings)
        Checkpoints(begun.state).save(number, manifest, {})
        assert given.resumed(asked).on_error == expected
        if settings is stored:
            with pytest.raises(ValueError, match="on_error='raise', begun with on_error='skip'"):
                given.resumed({**asked, "on_error": "raise"})
    with pytest.raises(ValueError, match="`on_error` must be one of"):
        Settings(on_error="ignore")


def one_more(array, at):
    changed = array.copy()
    changed[at] += 1
    return changed


def test_other_images_of_the_same_number_are_another_training(tmp_path):
    images = np.random.default_rng(0).integers(0, 9, (30, 4, 5, 1)).astype(np.uint8)
    labels = np.arange(30) % 3
    settings = Settings(output=tmp_path, resume=True)

    def of(images, labels):
        return kp.data.load((images, labels), values="integers", levels=10)

    Checkpoints(settings.state).save(
        0, progress.Progress().manifest(stored(settings, of(images, labels))), {}
    )
    assert resuming.check_folder(settings, stored(settings, of(images.copy(), labels))).batches == 0
    for other in (
        of(one_more(images, (3, 1, 1, 0)), labels),
        of(one_more(images, (29, 3, 4, 0)), labels),  # a test image
        of(images, one_more(labels, 0)),
    ):
        with pytest.raises(ValueError, match="data_digest="):
            resuming.check_folder(settings, stored(settings, other))


def test_large_data_are_looked_at_here_and_there(monkeypatch):
    monkeypatch.setattr("keras_pixelrnn.data.digest.LOOKED_AT", 4)
    images = np.zeros((30, 4, 5, 1), np.uint8)
    data = kp.data.load(images)
    far = kp.data.ImageData(data.source._replace(at_hand=False), data.values)
    whole = digest(data)
    read = {name: [] for name in far.source.splits}
    for name, split in far.source.splits.items():
        monkeypatch.setattr(
            split, "read", lambda n, name=name, of=split.read: read[name].extend(n) or of(n)
        )
    assert digest(far) != whole
    assert read == {"train": [0, 6, 12, 18], "validation": [0, 1, 2], "test": [0, 1, 2]}
