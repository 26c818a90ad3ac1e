"""Paths of other machines are refused by name, wherever something is read or written: never taken for a
local folder called `gs:`."""

import os
import re
from pathlib import Path

import click
import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import cli, training
from keras_pixelrnn.training.checkpoints import Checkpoints, sweep_up
from keras_pixelrnn.training.resumable import resumable_fit
from tests.commands import run
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
    with pytest.raises(click.UsageError, match="gs:/"):
        cli.pixelrnn.main([*arguments, "gs://bucket/m"], standalone_mode=False)
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_none(model_of):
    for path in (None, 5, b"bytes", "a\0b"):
        with pytest.raises(ValueError, match="`directory` must"):
            kp.export.save_for_serving(model_of(QUICK), path)
    assert kp.checks.local("directory", Path("C:/x")) == Path("C:/x")


def test_a_link_stays_and_what_it_points_to_is_written(tmp_path):
    (tmp_path / "large_disk").mkdir()
    real, link = tmp_path / "large_disk" / "file", tmp_path / "file"
    for text in (b"one", b"two"):  # not there yet; there
        if not link.is_symlink():
            link.symlink_to(real)
        kp.checks.replace(link, lambda file, text=text: file.write(text))
        assert link.is_symlink()
        assert real.read_bytes() == text
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        kp.checks.replace(tmp_path / "a", lambda file: None)


@pytest.mark.parametrize(
    "name",
    ["n" * 251 + ".kpz", "\u00fc" * 125 + ".kpz", "n" * 230 + ".kpz"],
    ids=["longest", "umlauts", "long"],
)
def test_any_name_that_a_file_may_have_can_be_written(name, tmp_path):
    kp.checks.replace(tmp_path / name, lambda file: file.write(b"kept"))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"kept")]


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    with kp.checks.moved_to(tmp_path / "file") as one, kp.checks.moved_to(tmp_path / "file") as two:
        one.write_bytes(b"one")
        two.write_bytes(b"two")
    assert (tmp_path / "file").read_bytes() == b"one"


def test_only_what_this_package_left_is_swept_up(tmp_path):
    for theirs in ("writing-desk", "writing-2024-notes", ".writing-me", "writing-7-0123abcd-x"):
        (tmp_path / theirs).mkdir()
    (tmp_path / "writing-1.png").write_bytes(b"kept")
    before = sorted(os.listdir(tmp_path))
    (tmp_path / ".writing-a1_b2c3d").mkdir()
    with kp.checks.moved_to(tmp_path / "model.keras") as left:
        left.write_bytes(b"half")
        os.link(left, tmp_path / left.name.replace("-model", "-other"))
    (tmp_path / "model.keras").unlink()
    sweep_up(tmp_path)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_tilde_is_the_home_folder(model_of, tmp_path, monkeypatch):
    """Wherever a path is taken: never a folder called `~` here."""
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    model = model_of(QUICK)
    assert model.save_to_preset("~/preset") == home / "preset"
    assert kp.models.from_preset("~/preset").count_params() == model.count_params()
    assert kp.models.from_preset(Path("~/preset")).count_params() == model.count_params()
    kp.visualize.save_png("~/a.png", np.zeros((2, 2, 3), np.uint8))
    assert (home / "a.png").is_file()
    assert training.Settings(output="~/run").output == home / "run"
    assert Checkpoints("~/state").folder == home / "state"
    kp.data.load(kp.data.pack("digits", "~/digits.npz"))
    kp.data.load("~/digits.npz")
    run("sample", "~/preset", "-n", 1, "--out=~/drawn")
    assert (home / "drawn" / "00000.png").is_file()
    # In quotes, as behind the `=` of an option, no shell makes a path of it.
    assert "drawn" in run("score", "~/preset", "~/drawn")
    picture, mask = "~/drawn/00000.png", "--mask=~/drawn/00000.png"
    run("complete", "~/preset", picture, mask, "-n", 1, "--out=~/completed")
    assert (home / "completed" / "00000.png").is_file()
    assert not list(here.iterdir())
    with pytest.raises(ValueError, match="no such folder or file"):
        kp.data.load("~nobody-of-that-name/images")
    with pytest.raises(ValueError, match="Unknown preset"):
        kp.presets.facts("~nobody-of-that-name/preset")
