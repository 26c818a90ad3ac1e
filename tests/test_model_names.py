"""A name that comes along is one model in all commands, a folder of that name another; what is printed
to go on with can be pasted into a shell."""

import json
import shlex
from pathlib import Path

import click
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import presets
from keras_pixelrnn.cli import bulk, names, serve, trainings
from keras_pixelrnn.presets.card import card
from tests.commands import run

NAME = "digits"
SHIPPED = presets.facts(NAME)
ODD = ["runs/mine", NAME, "-x", "my runs", "it's", 'a "b"', "a$HOME", "é 写", "a;b", "~a"]


@pytest.fixture
def shadowed(tmp_path, monkeypatch):
    """A folder with a training, a preset and an export of somebody, all in `digits`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME / "1").mkdir(parents=True)
    (tmp_path / NAME / "1" / "saved_model.pb").touch()
    for file in ("metrics.json", presets.FACTS):
        (tmp_path / NAME / file).write_text(json.dumps({"name": "mine", "test": {"nats": 1.0}}))


@pytest.fixture
def exported(monkeypatch):
    """`(model, folder)` of what is exported, which is not made."""
    found = []

    def save(model, out, *_, **__):
        found.append((model, Path(out)))
        return Path(out) / "1"

    monkeypatch.setattr("keras_pixelrnn.serving.export.save_for_serving", save)
    return found


def test_facts_are_those_of_the_model_that_is_loaded(shadowed):
    for stated in (presets.facts, trainings.stated):
        assert stated(NAME)["name"] == SHIPPED["name"]
        assert stated(NAME)["test"] == SHIPPED["test"]
        assert stated(f"./{NAME}")["test"] == {"nats": 1.0}
    assert presets.facts(Path(NAME))["name"] == "mine"
    assert json.loads(run("models", NAME, "--json")) == SHIPPED


def test_an_export_goes_beside_the_model_that_is_loaded(shadowed, exported):
    """Not into a folder, of pictures perhaps, that is called as the model."""
    run("export", NAME)
    ((model, out),) = exported
    assert out == Path("exports") / NAME
    assert model.count_params() == SHIPPED["parameters"]


def test_what_is_served_is_the_model_of_that_name(shadowed, exported, tmp_path):
    serve._export(NAME, tmp_path / "scratch")
    assert exported.pop()[1] == tmp_path / "scratch" / NAME
    assert serve._export(f"./{NAME}", tmp_path / "scratch") == tmp_path / NAME / "1"
    assert not exported


def test_a_name_is_no_export_to_run_on_beam(shadowed):
    with pytest.raises(click.UsageError, match=r"pixelrnn export digits\. .*digits is \./digits"):
        bulk.export_of(NAME)
    assert bulk.export_of(f"./{NAME}") == Path(NAME, "1")


@pytest.mark.parametrize("text", ODD)
def test_a_path_is_one_word_of_a_shell_that_means_it(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(text).mkdir(parents=True)
    Path(text, "config.json").touch()
    (word,) = shlex.split(presets.spelled(Path(text)))
    assert not word.startswith("-")
    assert not presets.comes_along(word)
    assert Path(word).samefile(text)
    assert Path(names.Model().convert(word, None, None)).samefile(text)


def test_commands_that_are_printed_can_be_pasted(tmp_path, monkeypatch, exported):
    monkeypatch.chdir(tmp_path)
    said = run("sample", NAME, "-n", 1, "--out", "my samples")
    assert Path(shlex.split(said.splitlines()[-1])[-1]).samefile("my samples")
    said = run("export", NAME, "--out", "my exports/it is")
    check, server, docker = map(shlex.split, said.splitlines()[1:])
    assert check[-1] == server[-1] == "my exports/it is/1"
    assert docker[docker.index("-v") + 1] == f"{tmp_path}/my exports/it is:/models/it is"
    assert docker[docker.index("-e") + 1 :] == ["MODEL_NAME=it is", "tensorflow/serving"]


def test_the_card_of_a_model_of_ones_own_does_not_name_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "`pixelrnn evaluate digits`" in card(SHIPPED)
    model = kp.models.PixelCNN((4, 5, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1)
    facts = {name: SHIPPED[name] for name in ("test", "training")}
    text = (model.save_to_preset(NAME, facts) / "README.md").read_text()
    assert "`pixelrnn evaluate ./digits`" in text
    assert 'from_preset("./digits")' in text
    assert 'from_preset("./digits")' in run("models", "./digits")
