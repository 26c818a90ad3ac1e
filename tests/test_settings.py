"""Settings of a training: sizes, recipes, tables for a GPU."""

import json
import shlex

import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import cli, training
from keras_pixelrnn.training import report
from keras_pixelrnn.training.making import SIZES
from keras_pixelrnn.training.settings import MODELS

COMMAND = cli.pixelrnn.get_command(None, "train")


def test_sizes_reach_the_model():
    sizes = {"units": 4, "num_blocks": 1, "head_units": 6, "kernel_size": 5, "dropout": 0.1}
    settings = training.Settings(model="pixelcnn", skip=True, **sizes)
    config = training.make_model(settings, kp.data.load("digits")).get_config()
    assert {name: config[name] for name in SIZES} == {**sizes, "skip": True}


def test_recipes_are_known_settings():
    assert len(training.recipe_names()) > 5
    for name in training.recipe_names():
        settings = training.with_recipe({"recipe": name, "epochs": 7})
        assert settings.epochs == 7, "the command line wins"
        assert settings.model in MODELS
        assert settings.output.name == f"my-{name}"


def test_settings_for_a_gpu():
    name = "binarized_mnist_diagonal_7x16"
    usual, gpu = (training.with_recipe({"recipe": name, "gpu": gpu}) for gpu in (False, True))
    assert (usual.epochs, usual.batch_size, usual.gpu) == (4, 16, False)
    assert (gpu.epochs, gpu.batch_size, gpu.gpu, gpu.units) == (34, 64, True, usual.units)
    assert training.with_recipe({"recipe": name, "gpu": True, "batch_size": 7}).batch_size == 7
    with pytest.raises(ValueError, match=r"has no \[gpu\] table"):
        training.with_recipe({"recipe": "digits_conditional", "gpu": True})
    with pytest.raises(ValueError, match="name it by --recipe"):
        training.with_recipe({"gpu": True})


@pytest.mark.parametrize("output", ["images/results", "images", "link/results", None])
def test_results_do_not_become_images(output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "link").symlink_to("images")
    settings = training.Settings(dataset="." if output is None else "images", output=output)
    with pytest.raises(ValueError, match="Choose another --output"):
        training.train(settings)
    assert not list((tmp_path / "images").iterdir())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"units": "32"}, "`units` must be an int"),
        ({"num_blocks": 2.0}, "`num_blocks` must be an int"),
        ({"epochs": 0}, "`epochs` must be an int, 1 or more"),
        ({"model": 3}, "`model` must be a string"),
        ({"dataset": None}, "`dataset` must be a name or a path"),
        ({"skip": 1}, "`skip` must be True or False"),
        (3, "`given` must be a dict"),
    ],
)
def test_values_of_another_kind_are_refused_by_name(given, words):
    with pytest.raises(ValueError, match=words):
        training.with_recipe(given)


def test_unknown_settings_are_refused_by_name():
    with pytest.raises(TypeError, match=r"no argument `unit`\. Did you mean `units`"):
        training.with_recipe({"unit": 3})
    for wrong in (3, {}, None):
        with pytest.raises(ValueError, match="`settings` must be a `Settings`"):
            training.train(wrong)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"recurrence": "row"}, "`recurrence` is of model='multi_scale'. For a Row LSTM say"),
        ({"model": "pixelcnn", "factor": 4}, "`factor` is of .*Received: factor=4"),
        ({"model": "gated", "skip": True}, "`skip` is of the other models"),
        ({"num_mixtures": 9}, "`num_mixtures` is of distribution='logistic' or 'normal'"),
        ({"preset": "digits", "units": 8}, "`units` is that of preset='digits'.*units=8"),
        ({"preset": "digits", "model": "row"}, "`model` is that of preset='digits'"),
        ({"preset": "binarized_mnist_row", "units": 32}, "`units` is that of preset=.*units=32"),
        ({"num_mixtures": 5}, "`num_mixtures` is of distribution='logistic' or 'normal'"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        training.make_model(training.with_recipe(given), kp.data.load("digits"))


def test_what_a_recipe_says_of_another_model_is_left_out():
    given = {"recipe": "mnist_normal", "distribution": "categorical", "num_blocks": 1, "units": 4}
    training.make_model(training.with_recipe(given), kp.data.load("digits"))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--epochs 3 --units 4 --dropout 0 --ema 0",
        "--recipe binarized_mnist_row --gpu --batch-size 7 --dtype mixed_bfloat16",
        "--dataset 'my pictures/it'\"'\"'s.0' --image-size 24x32 --channels 1 --model pixelcnn --skip",
        "--dataset scans --value-range 0 1234567 --levels 64 --initial-weights ./digits --seed 5",
    ],
)
def test_the_command_that_a_card_states_has_the_same_settings(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "model.keras").touch()  # looked for, not read

    def settings_of(words):
        given = COMMAND.make_context("train", words).params
        return training.with_recipe({name: x for name, x in given.items() if x is not None})

    expected = settings_of(shlex.split(line)).to_dict()
    stored = json.loads(json.dumps(expected))
    program, command, *words = shlex.split(report.command_of(stored))
    assert (program, command) == ("pixelrnn", "train")
    assert settings_of(words).to_dict() == expected
    assert not line or len(words) <= len(shlex.split(line)), "nothing that is usual"


def test_what_no_option_takes_from_a_recipe_makes_no_command():
    for recipe, taken in (
        ("binarized_mnist_pixelcnn", {"skip": False}),
        ("cifar10_diagonal", {"distribution": None}),
    ):
        assert report.command_of(training.with_recipe({"recipe": recipe}).to_dict())
        settings = training.with_recipe({"recipe": recipe, **taken})
        assert report.command_of(settings.to_dict()) is None
