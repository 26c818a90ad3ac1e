"""Training on several devices and in several processes."""

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import backend, training
from keras_pixelrnn.backend import devices
from keras_pixelrnn.training import schedule

ROOT = Path(__file__).parents[1]
CODE = """
import runpy, sys
sys.modules["tensorflow"] = None  # importing it fails
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def together(*arguments, count=2, devices_each=1):
    """`count` processes that know of each other."""
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices_each}"
    shared = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "XLA_FLAGS": flags,
        devices.ADDRESSES: f"127.0.0.1:{port()}",
        devices.COUNT: str(count),
    }
    return [
        subprocess.Popen(
            [sys.executable, "-c", CODE, *map(str, arguments)],
            env={**shared, devices.NUMBER: str(rank)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]


def ended(processes, timeout=300):
    """Output and exit code of each."""
    found = [process.communicate(timeout=timeout) for process in processes]
    return [(out, err, p.returncode) for (out, err), p in zip(found, processes)]


@pytest.mark.slow
def test_two_processes_train_as_one_device_does(tmp_path):
    """Losses of the first 20 steps, validation and weights, with dropout and clipped gradients.

    One process of four devices does it always: tests/test_jax_training.py."""
    first, second = ended(together("tests.jax_together", tmp_path, devices_each=2))
    assert (first[2], second[2]) == (0, 0), first[1][-3000:] + second[1][-3000:]
    assert first[0].endswith("the same\n")
    assert (tmp_path / "together" / "history.csv").is_file()


MIRRORED = """
import pathlib, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from keras_pixelrnn import backend
from tests.jax_together import assert_same, images, train
team, folder = backend.Team(), pathlib.Path(sys.argv[1])
assert team.devices == 2
together = train(team, folder / "together", images(), dropout=0.0)  # each device drops its own
assert_same(together, train(backend.Team(distribute=False), folder / "alone", images(), dropout=0.0))
print("the same")
"""


@pytest.mark.slow
def test_two_devices_of_tensorflow_train_as_one_does(tmp_path):
    """Gradients are clipped as those of the whole batch, which Keras alone does not."""
    command = [sys.executable, "-c", MIRRORED, str(tmp_path)]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr[-3000:]
    assert out.stdout.endswith("the same\n")


def test_what_devices_trained_together_loads_as_any_keras_model(tmp_path):
    model = kp.models.PixelCNN((3, 4, 1), kp.distributions.Bernoulli(), units=2, num_blocks=1)
    schedule.compile_model(training.Settings(distribute=True), model, 10)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.optimizer.get_config() == model.optimizer.get_config()


@pytest.mark.parametrize("part", [(0, 3), (2, 2), (-1, 2)])
def test_parts_of_a_batch(part, rng):
    data = kp.data.from_array(rng.integers(0, 2, (60, 4, 5, 1)).astype(np.uint8), values="binary")
    whole = data.training(8, first_step=3).as_numpy_iterator()
    halves = [data.training(8, first_step=3, part=(n, 2)).as_numpy_iterator() for n in (0, 1)]
    for _, batch, *parts in zip(range(9), whole, *halves):
        np.testing.assert_array_equal(batch, np.concatenate(parts))
    with pytest.raises(ValueError, match="one of equal parts of a batch of 8"):
        data.training(8, part=part)


def test_wrong_settings_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv(devices.COUNT, "2")
    with pytest.raises(ValueError, match=f"{devices.COUNT} alone"):
        backend.Team()
    monkeypatch.setenv(devices.ADDRESSES, "127.0.0.1:1")
    monkeypatch.setenv(devices.NUMBER, "1")
    with pytest.raises(ValueError, match="under JAX alone"):
        training.train(training.Settings(distribute=True, output=tmp_path / "run"))


def rows(path):
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_all_and_resumes(tmp_path, victim):
    """Told to stop, the first keeps its state; all end by themselves, and go on as if never stopped."""
    small = ["--model", "pixelcnn", "--units", "4", "--num-blocks", "1", "--batch-size", "128"]
    command = ["keras_pixelrnn", "train", *small, "--distribute", "--epochs", "30"]
    whole = ended(together(*command, "--output", tmp_path / "whole"))
    assert [code for *_, code in whole] == [0, 0], whole
    output = tmp_path / "killed"
    processes = together(*command, "--output", output)
    while len(rows(output / "history.csv")) < 3:
        assert all(process.poll() is None for process in processes)
        time.sleep(0.02)
    processes[victim].kill()
    found = ended(processes, timeout=150)
    assert found[1 - victim][2] not in (0, -signal.SIGKILL)
    if victim:
        assert "another one is gone" in found[0][1]
        assert "Traceback" not in found[0][1]
    done = len(rows(output / "history.csv"))
    assert 3 <= done < 30

    processes = together(*command, "--output", output, "--resume")
    while len(rows(output / "history.csv")) < done + 3:
        assert all(process.poll() is None for process in processes)
        time.sleep(0.02)
    for process in processes:
        process.terminate()
    found = ended(processes, timeout=60)
    assert found[0][2] == 128 + signal.SIGTERM, found
    assert found[1][2] in (1, 128 + signal.SIGTERM), found
    assert "no work is lost" in found[0][1]

    found = ended(together(*command, "--output", output, "--resume"))
    assert [code for *_, code in found] == [0, 0], found
    assert rows(output / "history.csv") == rows(tmp_path / "whole" / "history.csv")
    first, second = (kp.models.from_preset(str(tmp_path / name)) for name in ("whole", "killed"))
    for weight, value in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, value)
