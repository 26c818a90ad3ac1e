"""The command `pixelrnn`, in this process where that shows the same."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import cli, presets, visualize
from keras_pixelrnn.cli import names
from keras_pixelrnn.models import PixelCNN
from tests.commands import fails, run
from tests.conformance import randomised

ROOT = Path(__file__).parents[1]
SHAPE, COLOUR = (6, 5, 1), (4, 5, 3)


def kept(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("models") / model.name
    return str(randomised(model).save_to_preset(folder))


@pytest.fixture(scope="module")
def grey(tmp_path_factory):
    """Folder of a model of 5 values: pictures show them as 0, 64, 128, 191, 255."""
    head = kp.distributions.Categorical(5)
    return kept(tmp_path_factory, PixelCNN(SHAPE, head, units=4, num_blocks=1, name="grey"))


@pytest.fixture(scope="module")
def colour(tmp_path_factory):
    """Folder of a model of colour images, given one of three labels."""
    model = PixelCNN(
        COLOUR, kp.distributions.Categorical(3), units=6, num_blocks=1, num_classes=3, name="colour"
    )
    return kept(tmp_path_factory, model)


@pytest.fixture(scope="module")
def loaded():
    return {}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch, loaded):
    """An empty folder; each model is loaded, and so compiled, but once."""

    def once(name):
        if name not in loaded:
            loaded[name] = load(name)
        return loaded[name]

    load = kp.models.from_preset
    monkeypatch.setattr(kp.models, "from_preset", once)
    monkeypatch.chdir(tmp_path)


def values_of(path, model):
    with Image.open(path) as picture:
        return visualize.to_values(picture, model.image_shape, model.distribution.levels)


@pytest.mark.parametrize("levels", [2, 3, 17, 28, 60, 128, 255, 256])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_picture_holds_the_values(levels, channels, tmp_path):
    image = np.random.default_rng(0).integers(0, levels, (16, 20, channels)).astype(np.uint8)
    image.reshape(-1)[:levels] = np.arange(levels)
    visualize.to_picture(image, levels).save(tmp_path / "image.png")
    with Image.open(tmp_path / "image.png") as picture:
        found = visualize.to_values(picture, image.shape, levels)
    np.testing.assert_array_equal(found, image)
    assert visualize.brightness([0, levels - 1], levels).tolist() == [0, 255]


def test_samples_are_those_of_the_model(grey):
    model = kp.models.from_preset(grey)
    said = run("sample", grey, "-n", 4, "--seed", 3, "--out", "drawn", "--batch-size", 2)
    assert f"pixelrnn score {grey} drawn" in said  # to be pasted
    assert said.startswith("4 images, seed 3: drawn")
    drawn = [values_of(f"drawn/{number:05}.png", model) for number in range(4)]
    np.testing.assert_array_equal(drawn, model.sample(4, seed=3))
    run("sample", grey, "-n", 4, "--seed", 3, "--npz", "--temperature", 0.5, "--top-k", 2)
    with np.load("samples/samples.npz") as file:
        assert file["levels"] == 5
        expected = model.sample(4, seed=3, temperature=0.5, top_k=2)
        np.testing.assert_array_equal(file["image"], expected)
        assert (expected != drawn).any()
    run("sample", grey, "-n", 2, "--seed", 3, "--npz", "--size", 3, 7)
    with np.load("samples/samples.npz") as file:
        assert file["image"].shape == (2, 3, 7, 1)


def test_grid_and_film(grey):
    assert run("sample", grey, "-n", 4, "--grid").strip().endswith("grid.png")
    run("sample", grey, "-n", 4, "--film", "--out", "deep/er")
    with Image.open("samples/grid.png") as grid, Image.open("deep/er/film.gif") as film:
        assert grid.size == film.size
        assert film.n_frames > 10


def test_labels(colour, capsys):
    model = kp.models.from_preset(colour)
    run("sample", colour, "-n", 4, "--npz")
    with np.load("samples/samples.npz") as file:
        expected = model.sample(4, seed=0, context=np.array([0, 1, 2, 0]))
        np.testing.assert_array_equal(file["image"], expected)
    run("sample", colour, "-n", 4, "--label", 2)
    expected = model.sample(4, seed=0, context=np.full(4, 2))
    np.testing.assert_array_equal(values_of("samples/00001.png", model), expected[1])
    code, text = fails(capsys, "sample", colour, "--label", 3)
    assert code == 2
    assert "--label must be below 3. Received: 3" in text
    code, text = fails(capsys, "score", colour, "samples")
    assert code == 2
    assert "pass --label" in text


def test_completion_keeps_what_is_given(grey):
    model = kp.models.from_preset(grey)
    image = model.sample(4, seed=9)[0]
    visualize.to_picture(image, 5).save("image.png")
    mask = np.zeros(SHAPE[:2], bool)
    mask[2:4, 1:3] = True
    Image.fromarray(mask).save("mask.png")
    run("complete", grey, "image.png", "--mask", "mask.png", "-n", 4, "--seed", 1)
    found = [values_of(f"completions/{number:05}.png", model) for number in range(4)]
    expected = model.complete(np.repeat(image[None], 4, axis=0), ~mask, seed=1)
    np.testing.assert_array_equal(found, expected)
    Path("lower").mkdir()
    Path("lower/00009.png").touch()
    said = run("complete", grey, "image.png", "--out", "lower")
    assert said.startswith("4 completions, seed 0: lower (and 1 older one); original")
    half = values_of("lower/00003.png", model)
    np.testing.assert_array_equal(half[:3], image[:3])
    assert (half[3:] != image[3:]).any()
    with Image.open("lower/grid.png") as grid:
        assert grid.width > 4 * grid.height


def test_scores_are_the_likelihood(grey, colour, capsys):
    model = kp.models.from_preset(grey)
    run("sample", grey, "-n", 4)
    images = model.sample(4, seed=0)
    table = list(csv.DictReader(io.StringIO(run("score", grey, "samples", "--maps", "maps"))))
    nats = [float(row["nats"]) for row in table]
    np.testing.assert_allclose(nats, model.log_prob(images), atol=1e-3)
    bits = [float(row["bits_per_dim"]) for row in table]
    np.testing.assert_allclose(bits, -np.array(nats) / np.log(2) / np.prod(SHAPE), atol=1e-4)
    assert table[1]["file"] == "samples/00001.png"
    assert sorted(os.listdir("maps")) == sorted(os.listdir("samples"))
    with Image.open("maps/00002.png") as shown:
        assert shown.size == (5, 6)
    run("sample", colour, "-n", 4, "--out", "other", "--label", 1)
    assert len(run("score", colour, "other", "--label", 1).splitlines()) == 5
    run("sample", grey, "-n", 4, "--grid")
    result = CliRunner().invoke(cli.pixelrnn, ["score", grey, "samples"])
    assert "left out, " in result.stderr
    assert len(result.stdout.splitlines()) == 5
    code, text = fails(capsys, "score", grey, "samples/grid.png", "samples/00000.png")
    assert (code, "differ in size (height width): 6 5, " in text) == (2, True)


def test_pictures_of_another_size(grey):
    model = kp.models.from_preset(grey).resized((4, 7))
    images = model.sample(2, seed=5)
    for number, image in enumerate(images):
        visualize.to_picture(image, 5).save(f"{number}.png")
    for arguments in (["0.png", "1.png"], [".", "--size", 4, 7]):
        result = CliRunner().invoke(cli.pixelrnn, ["score", grey, *map(str, arguments)])
        nats = [float(row["nats"]) for row in csv.DictReader(io.StringIO(result.stdout))]
        np.testing.assert_allclose(nats, model.log_prob(images), atol=1e-3)
        assert ("these have 4 x 7" in result.stderr) == ("0.png" in arguments)
    run("complete", grey, "0.png", "-n", 2)
    known = np.arange(4)[:, None] < np.full(7, 2)
    expected = model.complete(np.repeat(images[:1], 2, axis=0), known, seed=0)
    found = [values_of(f"completions/{number:05}.png", model) for number in range(2)]
    np.testing.assert_array_equal(found, expected)


def test_scores_of_strangeness(grey, capsys):
    model = kp.models.from_preset(grey)
    run("sample", grey, "-n", 30, "--seed", 4, "--out", "usual")
    run("sample", grey, "-n", 4)
    images, usual = model.sample(4, seed=0), model.sample(30, seed=4)
    said = run("score", grey, "samples", "--method", "complexity", "--threshold", "-3.5")
    table = list(csv.DictReader(io.StringIO(said)))
    found = [float(row["score"]) for row in table]
    np.testing.assert_allclose(found, model.score(images, method="complexity"), atol=1e-3)
    assert [row["strange"] for row in table] == [str(int(score > -3.5)) for score in found]
    said = run("score", grey, "samples", "--false-positive-rate", 0.1, "--validation", "usual")
    limit = kp.scores.threshold(model.score(usual), 0.1)
    rows = list(csv.DictReader(io.StringIO(said)))
    assert [row["strange"] for row in rows] == [str(int(x > limit)) for x in model.score(images)]
    said = run("score", grey, "samples", "--method", "ratio", "--background", grey)
    assert {row["score"] for row in csv.DictReader(io.StringIO(said))} == {"0.0000"}
    for wrong, words in [
        (["--method", "ratio"], "--background"),
        (["--validation", "usual"], "--false-positive-rate"),
        (["--threshold", "1", "--false-positive-rate", "0.1"], "not both"),
        (["--false-positive-rate", "0.1"], "pass --validation"),
        (
            ["--validation", "usual", "--false-positive-rate", "0.01"],
            "at least 99 by --validation. Received: --false-positive-rate 0.01, 30 of --validation",
        ),
    ]:
        code, text = fails(capsys, "score", grey, "samples", *wrong)
        assert code == 2
        assert words in text
    other = ["--method", "ratio", "--background", "binarized_mnist_pixelcnn", "--maps", "maps"]
    code, text = fails(capsys, "score", grey, "samples", *other)
    assert (code, "must be a model of images" in text) == (1, True)
    assert "Received: background 'binarized_mnist_pixelcnn', of images (28, 28, 1)" in text
    assert not Path("maps").exists(), "images were scored first"


def test_models(capsys):
    listed = run("models")
    for name in presets.names():
        facts = presets.facts(name)
        (line,) = (row for row in listed.splitlines() if row.split()[:1] == [name])
        assert f"{facts['parameters']:,}" in line
        assert f"{facts['test']['nats']:.2f} ± " in line
    assert {entry["name"] for entry in json.loads(run("models", "--json"))} == set(presets.names())
    assert "CC BY 4.0" in run("models", "digits")
    assert json.loads(run("models", "digits", "--json")) == presets.facts("digits")
    code, text = fails(capsys, "models", "digitz")
    assert code == 2
    assert "digits" in text


def test_evaluate(grey, capsys):
    said = run("evaluate", "digits")
    assert said.splitlines()[-1] == f"stated: {presets.facts('digits')['test']['nats']:.3f} nats"
    assert said.split()[1] == said.split()[-2]
    run("sample", grey, "-n", 4, "--out", "own/test")
    run("sample", grey, "-n", 4, "--out", "own/train")
    run("sample", grey, "-n", 4, "--out", "own/validation")
    said = run("evaluate", grey, "--dataset", "own")
    model = kp.models.from_preset(grey)
    nats = -model.log_prob(model.sample(4, seed=0)).mean()
    assert float(said.split()[1]) == pytest.approx(nats, abs=2e-3)
    code, text = fails(capsys, "evaluate", grey)
    assert code == 2
    assert "pass --dataset" in text


def test_export_and_check(grey, capsys):
    said = run("export", grey, "--out", "exports/grey")
    assert "pixelrnn check exports/grey/1" in said
    said = run("check", "exports/grey")
    assert said.startswith("exports/grey/1: servable\n")
    assert f"Written by TensorFlow {tf.__version__}" in said
    assert "MatMul" in said
    assert fails(capsys, "export", grey, "--out", "exports/grey", "--version", 1)[0] == 2
    Path("exports/grey/2").mkdir()
    code, text = fails(capsys, "check", "exports/grey")
    assert code == 1
    assert "exports/grey/2" in text or "saved_model.pb" in text


def test_a_packed_data_set_is_the_data_set(capsys):
    said = run("data", "pack", "digits", "packed.npz")
    source, packed = kp.data.load("digits"), kp.data.load("packed.npz")
    assert said.startswith("packed.npz: 1,257 train, 180 validation, 360 test images of 8 x 8 x 1")
    assert packed.protocol == source.protocol
    for step in (0, 3):
        first, second = (
            next(iter(data.training(64, first_step=step, labels=True).as_numpy_iterator()))
            for data in (source, packed)
        )
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
    code, text = fails(capsys, "data", "pack", "digits", "packed.zip")
    assert (code, "ends in .npz" in text) == (2, True)
    code, text = fails(capsys, "data", "pack", "digits", "absent/packed.npz")
    assert (code, "no such folder: absent" in text) == (1, True)


def test_the_newest_version_is_the_one_a_server_would_load(tmp_path):
    assert names.newest(tmp_path / "absent") is None
    assert names.newest(tmp_path) is None
    for version in ("2", "10", "11.tmp", "best", "9" * 20, "\u0663\u0663"):  # no int64, of others
        (tmp_path / version).mkdir()
    (tmp_path / "12").touch()
    assert (
        names.newest(tmp_path).name == "10"
    )  # empty, and so refused: never quietly the one before
    (tmp_path / "2" / "saved_model.pb").touch()
    assert names.newest(tmp_path).name == "10"
    assert names.newest(tmp_path / "2").name == "2"
