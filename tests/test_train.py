"""train.py as a user runs it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn import cli, training
from keras_pixelrnn.training.making import SIZES
from keras_pixelrnn.training.settings import MODELS

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.xdist_group("train")  # the tests share one training
SMALL = ["--model", "pixelcnn", "--units", "4", "--num-blocks", "1", "--batch-size", "256"]


def train(*arguments):
    """What `pixelrnn train` does, in this process and with its errors as they are raised."""
    cli.pixelrnn.main(["train", *map(str, arguments)], standalone_mode=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    output = tmp_path_factory.mktemp("train") / "new" / "digits"
    train(*SMALL, "--epochs", "2", "--output", output)
    return output


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_results(trained):
    metrics = json.loads((trained / "metrics.json").read_text())
    model = keras.models.load_model(trained / "model.keras")
    data = kp.data.load("digits")
    found = kp.evaluation.evaluate(model, data.evaluation("test", 100))
    assert metrics["test"]["nats"] == pytest.approx(found.nats, rel=1e-5)
    assert metrics["test"]["bits_per_dim"] == pytest.approx(found.bits_per_dim, rel=1e-5)
    assert metrics["test"]["images"] == 360
    assert metrics["protocol"] == data.protocol
    assert metrics["parameters"] == model.count_params()
    assert {"samples.png", "completions.png", "generation.gif"} <= set(os.listdir(trained))
    assert len(rows(trained / "history.csv")) == 2
    assert list((trained / "training" / "tensorboard").rglob("events*"))
    exported = tf.saved_model.load(trained / "1").signatures["log_prob"]
    images = np.asarray(next(iter(data.evaluation("test", 8))))
    np.testing.assert_allclose(
        exported(image=tf.constant(images))["log_prob"], model.log_prob(images), atol=1e-3
    )


def test_scoring_again(trained, capsys):
    cli.main(["evaluate", str(trained)])
    test, protocol, stated = capsys.readouterr().out.strip().splitlines()
    nats = json.loads((trained / "metrics.json").read_text())["test"]["nats"]
    assert test.split()[1] == stated.split()[1] == f"{nats:.3f}"
    assert protocol.endswith(kp.data.load("digits").protocol)


def test_a_second_training_writes_a_new_version(trained):
    train(*SMALL, "--epochs", "1", "--output", trained)
    assert (trained / "1").is_dir()
    assert (trained / "2").is_dir()


def command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *SMALL, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_a_killed_training_resumes(tmp_path):
    output = tmp_path / "run"
    process = command("--epochs", 500, "--output", output)
    deadline = time.monotonic() + 300
    history = output / "history.csv"
    while not (history.exists() and len(rows(history)) >= 2):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = rows(history)
    assert (output / "training" / "latest.weights.h5").exists()
    with pytest.raises(ValueError, match="interrupted training"):
        train(*SMALL, "--epochs", "3", "--output", output)
    epochs = len(before) + 2
    train(*SMALL, "--epochs", str(epochs), "--output", output, "--resume")
    after = rows(history)
    assert [int(row["epoch"]) for row in after] == list(range(epochs))
    assert after[: len(before) - 1] == before[:-1]  # the last row may be ahead of its checkpoint
    assert (output / "1").is_dir()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "transformer"], "Unknown model"),
        (["--distribution", "gamma"], "Unknown distribution"),
        (["--distribution", "bernoulli"], "holds 2 levels, the data has 17"),
        (["--recipe", "none"], "Unknown recipe"),
        (["--dataset", "no_such_data"], "Unknown data set"),
        (["--levels", "99"], "Received: levels=99"),
        (["--resume"], "no interrupted training"),
        (["--units", "0"], "Received: units=0"),
        (["--batch-size", "5000"], "Received: batch_size=5000"),
    ],
)
def test_bad_arguments(arguments, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        train("--epochs", "1", *arguments, "--output", str(tmp_path / "run"))


def test_errors_end_without_a_traceback(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    process = command("--epochs", 1, "--output", blocked / "run")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "pixelrnn: " in errors
    assert str(blocked) in errors
    assert blocked.read_text() == "in the way"


def test_a_corrupt_checkpoint_is_named(tmp_path):
    latest = tmp_path / "training" / "latest.weights.h5"
    latest.parent.mkdir()
    latest.write_bytes(b"not a checkpoint")
    history = tmp_path / "history.csv"
    history.write_text("epoch,val_bits_per_dim,seconds\n0,3.0,1.0\n")
    with pytest.raises(ValueError, match=r"cannot be read.*delete"):
        train(*SMALL, "--epochs", "3", "--output", tmp_path, "--resume")
    assert latest.read_bytes() == b"not a checkpoint"
    assert len(rows(history)) == 1


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
