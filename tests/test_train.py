"""train.py as a user runs it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn import cli, training
from keras_pixelrnn.training import run
from tests.commands import fails

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.xdist_group("train")  # the tests share one training
SMALL = ["--model", "pixelcnn", "--units", "4", "--num-blocks", "1", "--batch-size", "256"]


def train(*arguments):
    """What `pixelrnn train` does, in this process and with its errors as they are raised."""
    cli.pixelrnn.main(["train", *map(str, arguments)], standalone_mode=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, graphs):
    output = tmp_path_factory.mktemp("train") / "new" / "digits"
    train(*SMALL, "--epochs", "2", "--output", output)
    return output


@pytest.fixture
def unexported(monkeypatch):
    """A training that neither draws nor exports: its SavedModel is an empty folder."""

    def export(model, folder, version):
        path = folder / str(version)
        path.mkdir(exist_ok=True)
        return path

    monkeypatch.setattr("keras_pixelrnn.training.results._export", export)
    monkeypatch.setattr("keras_pixelrnn.training.results.draw_pictures", lambda *_: None)


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


def test_weights_of_a_trained_model_to_begin_with(trained, tmp_path, capsys, unexported):
    given = [*SMALL, "--epochs", "1", "--learning-rate", "1e-9", "--ema", "0"]
    train(*given, "--initial-weights", trained, "--output", tmp_path / "on")
    assert f"weights of {trained}: copied" in capsys.readouterr().out
    before, after = (
        json.loads((folder / "metrics.json").read_text()) for folder in (trained, tmp_path / "on")
    )
    assert after["test"]["nats"] == pytest.approx(before["test"]["nats"], rel=1e-5)
    assert after["settings"]["initial_weights"] == str(trained)
    facts = training.report.facts_of(
        "on", keras.models.load_model(tmp_path / "on" / "model.keras"), after
    )
    assert facts["training"]["began"] == str(trained)
    with pytest.raises(click.BadParameter, match=r"'digitz' is none.*Did you mean 'digits'"):
        train("--initial-weights", "digitz", *given, "--output", tmp_path / "other")


def test_more_epochs_after_the_end(trained, capsys, unexported):
    train("--output", trained, "--resume")
    assert "is finished: 2 epochs" in capsys.readouterr().out
    before = rows(trained / "history.csv")
    train("--epochs", "3", "--output", trained, "--resume")
    assert "SavedModel stays, model.keras, metrics.json and the pictures" in capsys.readouterr().out
    assert rows(trained / "history.csv")[:2] == before
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["settings"]["epochs"] == len(rows(trained / "history.csv")) == 3
    assert metrics["settings"]["units"] == 4, "what is not asked for is as it was begun"
    assert metrics["version"] == 2
    with pytest.raises(ValueError, match=r"has seen 3 epochs already.*epochs=2"):
        train("--epochs", "2", "--output", trained, "--resume")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ema", "0"], r"ema=0\.0, begun with ema=0\.99"),
        (
            ["--batch-size", "64", "--seed", "9", "--learning-rate", "0.1"],
            r"batch_size=64, begun with batch_size=256; learning_rate=0\.1, begun .*; seed=9, begun",
        ),
        (["--recipe", "digits_conditional"], "conditional=True, begun with conditional=False"),
    ],
)
def test_other_settings_are_refused_by_name(trained, arguments, words):
    with pytest.raises(ValueError, match=words):
        train(*arguments, "--output", trained, "--resume")
    same = training.Settings(output=trained, resume=True, units=4)
    with pytest.raises(ValueError, match="model='diagonal', begun with model='pixelcnn'"):
        training.train(same)


def test_a_killed_results_stage_is_repeated(trained, unexported):
    """The last file was not yet written: the same files again, and no further version."""
    plan = trained / "training" / "results.json"
    plan.write_text(json.dumps({**json.loads(plan.read_text()), "finished": False}))
    before = json.loads((trained / "metrics.json").read_text())
    versions = {entry.name for entry in trained.iterdir() if entry.name.isdecimal()}
    (trained / "metrics.json").unlink()
    (trained / "model.keras").write_bytes(b"")
    (trained / ".writing-half_d0w").mkdir()
    with pytest.raises(ValueError, match="interrupted training"):
        train(*SMALL, "--output", trained)
    train("--output", trained, "--resume")
    assert json.loads((trained / "metrics.json").read_text()) == before
    assert versions == {entry.name for entry in trained.iterdir() if entry.name.isdecimal()}
    assert not (trained / ".writing-half_d0w").exists()
    assert keras.models.load_model(trained / "model.keras").count_params() == before["parameters"]


def test_an_output_that_is_a_file_is_said_before_anything_is_begun(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("kept")
    code, error = fails(capsys, "train", *SMALL, "--output", tmp_path / "notes.txt")
    assert code == 2
    assert "notes.txt' is a file" in error
    assert (tmp_path / "notes.txt").read_text() == "kept"


def test_results_that_are_gone_or_damaged_are_written_again(trained, capsys, unexported):
    metrics, model = trained / "metrics.json", trained / "model.keras"
    before, data = metrics.read_bytes(), bytearray(model.read_bytes())
    metrics.unlink()
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    (trained / "README.md").write_text("my own words")
    train("--output", trained, "--resume")
    assert "written: model.keras, metrics.json; written again" in capsys.readouterr().out
    assert json.loads(metrics.read_bytes()) == json.loads(before)
    assert keras.models.load_model(model).count_params() == json.loads(before)["parameters"]
    train("--output", trained, "--resume")
    assert "is finished: 3 epochs" in capsys.readouterr().out


@pytest.mark.slow
def test_a_second_training_writes_a_new_version(trained, capsys, unexported):
    train(*SMALL, "--epochs", "1", "--output", trained)
    assert "The results of 3 epochs are there: their SavedModel stays" in capsys.readouterr().out
    assert (trained / "2").is_dir()
    assert (trained / "3").is_dir()
    assert len(rows(trained / "history.csv")) == 1


def command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *SMALL, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def until(condition, process):
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_training_resumes(tmp_path, unexported):
    """As processes; in this one: tests/test_resume.py."""
    output = tmp_path / "run"
    history = output / "history.csv"
    process = command("--epochs", 500, "--output", output)
    until(lambda: history.exists() and len(rows(history)) >= 2, process)
    with pytest.raises(ValueError, match="Another process trains into"):
        train("--output", output, "--resume")
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = rows(history)
    with pytest.raises(ValueError, match="interrupted training"):
        train(*SMALL, "--epochs", "3", "--output", output)

    process = command("--output", output, "--resume")
    until(lambda: len(rows(history)) > len(before) + 1, process)
    process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    _, errors = process.communicate()
    assert time.monotonic() - told < 10
    assert process.returncode == 128 + signal.SIGTERM
    assert "stopped by SIGTERM" in errors
    assert "Traceback" not in errors
    again = rows(history)
    assert again[: len(before)] == before

    epochs = len(again) + 1
    train("--epochs", epochs, "--output", output, "--resume")
    after = rows(history)
    assert [int(row["epoch"]) for row in after] == list(range(epochs))
    assert after[: len(again)] == again
    assert (output / "1").is_dir()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "transformer"}, "Unknown model"),
        ({"distribution": "gamma"}, "Unknown distribution"),
        ({"distribution": "bernoulli"}, "holds 2 levels, the data has 17"),
        ({"recipe": "none"}, "Unknown recipe"),
        ({"dataset": "no_such_data"}, "Unknown data: no such folder"),
        ({"levels": 99}, "Received: levels=99"),
        ({"resume": True}, "no training to resume"),
        ({"checkpoint_minutes": 0}, "Received: checkpoint_minutes=0"),
        ({"units": 0}, "Received: units=0"),
        ({"batch_size": 5000}, "Received: batch_size=5000"),
        ({"initial_weights": "none"}, "Unknown preset"),
    ],
)
def test_bad_settings(settings, words, tmp_path):
    """Before a folder is made. Of values that the command line takes for such: tests/test_cli.py."""
    with pytest.raises(ValueError, match=words):
        training.train(training.with_recipe({"epochs": 1, "output": tmp_path / "run", **settings}))
    with pytest.raises(ValueError, match=words):  # also where nobody looked before
        training.train(training.Settings(**{"epochs": 1, "output": tmp_path / "run", **settings}))
    assert not (tmp_path / "run").exists()


def test_told_to_stop_it_leaves_with_the_code_of_the_signal(tmp_path, monkeypatch, capsys):
    def told(settings):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(run, "load_data", told)
    with pytest.raises(SystemExit) as left:
        cli.main(["train", *SMALL, "--output", str(tmp_path / "run")])
    assert left.value.code == 128 + signal.SIGTERM
    errors = capsys.readouterr().err
    assert "stopped by SIGTERM; nothing was begun" in errors
    assert "Traceback" not in errors


def test_errors_end_without_a_traceback(tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    code, error = fails(capsys, "train", "--epochs", 1, "--output", blocked / "run")
    assert code == 2
    assert str(blocked) in error
    assert blocked.read_text() == "in the way"
    script = command("--epochs", "many")
    _, errors = script.communicate()
    assert script.returncode == 2
    assert errors.startswith("pixelrnn: ")
    assert "--epochs" in errors
