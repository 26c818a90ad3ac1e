"""Paths of other machines are refused by name, wherever something is read or written: never taken for a
local folder called `gs:`."""

import re
from pathlib import Path

import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import cli, training
from keras_pixelrnn.training.checkpoints import Checkpoints
from keras_pixelrnn.training.resumable import resumable_fit
from tests.conformance import QUICK

TAKES_A_PATH = {
    "save_for_serving": lambda path, model: kp.export.save_for_serving(model, path),
    "save_to_preset": lambda path, model: model.save_to_preset(path),
    "from_preset": lambda path, model: kp.models.from_preset(path),
    "pack": lambda path, model: kp.data.pack("digits", f"{path}/digits.npz"),
    "load": lambda path, model: kp.data.load(path),
    "load-file": lambda path, model: kp.data.load(f"{path}/digits.npz"),
    "Checkpoints": lambda path, model: Checkpoints(path),
    "resumable_fit": lambda path, model: resumable_fit(
        model,
        lambda seen: None,
        epochs=1,
        steps_per_epoch=1,
        validation_data=None,
        folder=path,
        history=path,
    ),
    "train": lambda path, model: training.train(training.Settings(output=path, epochs=1)),
}


@pytest.mark.parametrize("scheme", ["gs", "s3", "memory"])
@pytest.mark.parametrize("name", TAKES_A_PATH)
def test_a_path_of_another_machine(name, scheme, model_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = f"{scheme}://bucket/folder"
    with pytest.raises(ValueError, match=re.escape(scheme) + ":/"):
        TAKES_A_PATH[name](kept, model_of(QUICK))
    assert not list(tmp_path.iterdir()), "a local folder of that name"


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "digits", "--out"],
        ["export", "digits", "--out"],
        ["train", "--epochs", "1", "--output"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_command_refuses_it_too(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="gs:/"):
        cli.pixelrnn.main([*arguments, "gs://bucket/m"], standalone_mode=False)
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_none(model_of):
    for path in (None, 5, b"bytes", "a\0b"):
        with pytest.raises(ValueError, match="`directory` must"):
            kp.export.save_for_serving(model_of(QUICK), path)
    assert kp.checks.local("directory", Path("C:/x")) == Path("C:/x")
