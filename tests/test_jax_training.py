"""What training does under JAX alone."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_pixelrnn as kp

ROOT = Path(__file__).parents[1]
# What each of these modules of `tests` does as a program, in this order in one process.
SCRIPTS = ["jax_fit", "jax_resuming", "jax_together", "jax_training"]
CODE = """
import os, pathlib, runpy, sys, traceback
sys.modules["tensorflow"] = None  # importing it fails
folder = pathlib.Path(sys.argv[1])
for script in sys.argv[2:]:
    (folder / script).mkdir()
    sys.argv = [script, str(folder / script)]
    try:
        runpy.run_module(f"tests.{script}", run_name="__main__", alter_sys=True)
        print(f"{script}: the same")
    except BaseException:
        traceback.print_exc()
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Output and errors of a process without TensorFlow, with four devices."""
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=4"
    out = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path_factory.mktemp("jax")), *SCRIPTS],
        env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return out.stdout.splitlines(), out.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_under_jax_without_tensorflow(script, ran):
    """A bad batch leaves the model as it was; a training that is killed goes on as if it had not been,
    also several steps in one dispatch, on data that the device holds; four devices train as one does."""
    lines, errors = ran
    assert f"{script}: the same" in lines, errors[-3000:]


def test_numbers_are_those_of_the_batches(rng):
    images = rng.integers(0, 17, (50, 4, 5, 1)).astype(np.uint8)
    data = kp.data.from_array(images, np.arange(50) % 3, values="integers", levels=17)
    whole, labels = data.whole("train", labels=True)
    np.testing.assert_array_equal(whole, data.whole("train"))
    numbers = data.numbers(7, seed=2, first_step=4).as_numpy_iterator()
    batches = data.training(7, seed=2, first_step=4, labels=True).as_numpy_iterator()
    for _, rows, (expected, expected_labels) in zip(range(9), numbers, batches):
        np.testing.assert_array_equal(whole[rows], expected)
        np.testing.assert_array_equal(labels[rows], expected_labels)
    dynamic = kp.data.from_array(images * 15, levels=2, binarization="dynamic")
    with pytest.raises(ValueError, match="drawn anew each epoch"):
        dynamic.whole("train")


def test_resident_data_needs_jax(tmp_path):
    """Said before anything is written."""
    model = kp.models.PixelCNN((4, 5, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1)
    model.compile("adam")
    data = kp.data.from_array(np.zeros((20, 4, 5, 1), np.uint8), values="binary")
    with pytest.raises(ValueError, match="`resident` needs the JAX backend"):
        kp.training.resumable_fit(
            model,
            lambda seen: data.numbers(4, first_step=seen),
            epochs=1,
            steps_per_epoch=4,
            validation_data=data.evaluation("validation", 4),
            folder=tmp_path / "nowhere",
            resident=(data.whole("train"),),
        )
    assert not list(tmp_path.iterdir())
