"""`--label`: a class by number or by name, in every command that has it."""

import json
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn.cli import labels
from tests.commands import fails, run
from tests.conformance import randomised


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def named(tmp_path):
    """Function making a folder that knows the names of its classes, in either file."""

    def make(*names, file="metrics.json"):
        (tmp_path / file).write_text(json.dumps({"class_names": names}))
        return str(tmp_path)

    return make


@pytest.mark.parametrize("file", ["metrics.json", "preset.json"])
def test_a_label_is_a_number_or_a_name(file, named):
    name = named("ant", "bee", file=file)
    for label in (1, "bee"):
        assert labels.number_of(name, label) == labels.number_of(f"{name}/model.keras", label) == 1
    assert labels.number_of(name, None) is None


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Bees", "one of ant, bee. Received: 'Bees'. Did you mean 'bee'?"),
        ("spider", "one of ant, bee. Received: 'spider'."),
        ("", "one of ant, bee. Received: ''."),
    ],
)
def test_unknown_names_are_refused_with_the_known(label, words, named):
    with pytest.raises(click.UsageError) as error:
        labels.number_of(named("ant", "bee"), label)
    assert str(error.value.message).endswith(words)


def test_no_more_than_ten_names_are_listed(named):
    name = named(*(f"n{number}" for number in range(12)))
    with pytest.raises(click.UsageError, match=r"of n0, .*, n9 and 2 more\. Received"):
        labels.number_of(name, "spider")


def test_a_number_goes_before_a_name(named, capsys):
    name = named("2", "1", "7")
    assert [labels.number_of(name, label) for label in (0, 1)] == [0, 1]
    assert not capsys.readouterr().err
    assert [labels.number_of(name, label) for label in (2, 7)] == [2, 7]
    assert "the class called '2' is --label 0\n--label 7 is a number" in capsys.readouterr().err


def test_names_that_are_not_known(named, capsys):
    said = "does not say what its classes are called"
    assert said in fails(capsys, "sample", "digits_conditional", "--label", "ant")[1]
    assert "leave --label out" in fails(capsys, "sample", "digits", "--label", "ant")[1]
    with pytest.raises(ValueError, match=r"metrics\.json is damaged: its class_names"):
        labels.number_of(named(3, 4), "ant")


@pytest.mark.parametrize(
    ("known", "given", "numbers", "said"),
    [
        (["ant", "bee"], ["ant", "bee"], [0, 1], ""),
        (["bee", "ant"], ["ant", "bee"], [1, 0], ""),  # a model of 1, 0 there
        (["ant", "bee", "cow"], ["bee", "cow"], [1, 2], ""),
        (["0", "1", "2", "3"], ["0", "1"], [0, 1], ""),
        (["0", "1", "2"], ["1", "2"], [1, 2], ""),
        (["1", "2", "0"], ["0", "1", "2"], [2, 0, 1], ""),
        (["3", "5"], ["5"], [1], ""),
        ([], ["ant", "bee"], [0, 1], "labels go by number: 0 for 'ant', 1 for 'bee'\n"),
        (["0", "1"], ["ant", "bee"], [0, 1], "labels go by number: 0 for 'ant', 1 for 'bee'\n"),
        (["ant", "bee"], ["0", "1"], [0, 1], "labels go by number: 0 for 'ant', 1 for 'bee'\n"),
        ([], ["0", "1"], [0, 1], ""),
    ],
)
def test_labels_of_data_go_by_the_names_of_classes(known, given, numbers, said, named, capsys):
    number = labels.renumbered(named(*known), tuple(given), "test")
    np.testing.assert_array_equal(number(np.arange(len(given))), numbers)
    assert capsys.readouterr().err == said


def test_classes_that_a_model_does_not_have_are_refused_where_images_have_them(named):
    number = labels.renumbered(named("ant", "bee"), ("bee", "cow"), "test")
    np.testing.assert_array_equal(number(np.array([0, 0])), [1, 1])
    np.testing.assert_array_equal(number(np.array([0, -1])), [1, -1])  # without a label
    with pytest.raises(click.UsageError, match=r"are ant, bee; .* test images of the class 'cow'"):
        number(np.array([0, 1]))


def test_evaluate_takes_the_classes_of_folders_by_name(monkeypatch):
    head = kp.distributions.Categorical(256)
    model = randomised(kp.models.PixelCNN((3, 4, 1), head, units=1, num_blocks=1, num_classes=2))
    model.save_to_preset("model", {"class_names": ["ant", "bee"]})
    monkeypatch.setattr(kp.models, "from_preset", lambda name: model)
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 1)).astype(np.uint8)
    for number, image in enumerate(images):
        split, name = ("test", "train", "validation")[number % 3], ("bee", "cow")[number == 4]
        folder = Path("insects", split, name)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{number}.png")
    nats = -model.log_prob(images[[0, 3]], context=[1, 1]).mean()  # bee, which is 0 in this folder
    assert f"test: {nats:.3f} " in run("evaluate", "model", "--dataset", "insects")


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "model"],
        ["score", "model", "0.png"],
        ["complete", "model", "0.png"],
        ["compress", "0.png", "a.kpz", "--model", "model"],
        ["decompress", "0.png", "--model", "model"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_every_command_refuses_unknown_names_at_once(arguments, capsys):
    Path("model").mkdir()
    Path("model/config.json").touch()  # looked for, not read
    Path("model/preset.json").write_text('{"class_names": ["ant", "bee"]}')
    Path("0.png").touch()
    code, text = fails(capsys, *arguments, "--label", "spider")
    assert (code, "one of ant, bee. Received: 'spider'" in text) == (2, True)


@pytest.mark.slow
def test_every_command_takes_a_name(monkeypatch):
    head = kp.distributions.Categorical(256)
    model = randomised(kp.models.PixelCNN((3, 4, 1), head, units=1, num_blocks=1, num_classes=2))
    model.save_to_preset("model", {"class_names": ["ant", "bee"]})
    monkeypatch.setattr(kp.models, "from_preset", lambda name: model)
    bee = ("--label", "bee")
    run("sample", "model", "-n", 1, *bee)
    drawn = np.asarray(Image.open("samples/00000.png"))[..., None]
    np.testing.assert_array_equal(drawn, model.sample(1, seed=0, context=[1])[0])
    scored = run("score", "model", "samples", *bee)
    assert scored == run("score", "model", "samples", "--label", 1)
    assert scored != run("score", "model", "samples", "--label", "ant")
    run("complete", "model", "samples/00000.png", "-n", 1, *bee)
    run("compress", "samples", "one.kpz", "--model", "model", *bee)
    run("decompress", "one.kpz", "--model", "model", *bee)
    np.testing.assert_array_equal(np.asarray(Image.open("images/00000.png"))[..., None], drawn)
