"""What training does under JAX alone."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_pixelrnn as kp

ROOT = Path(__file__).parents[1]


CODE = """
import runpy, sys
sys.modules["tensorflow"] = None  # importing it fails
runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
"""


def run(script, *arguments, **environment):
    out = subprocess.run(
        [sys.executable, "-c", CODE, f"tests.{script}", *map(str, arguments)],
        env={**os.environ, "KERAS_BACKEND": "jax", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert out.returncode == 0, out.stderr[-3000:]
    return out.stdout


def test_several_steps_in_one_dispatch(tmp_path):
    """On data that the device holds: the weights of one step at a time; killed and resumed, the same."""
    assert run("jax_training", tmp_path).endswith("the same\n")


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


def test_resident_data_needs_jax():
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
            folder="nowhere",
            resident=(data.whole("train"),),
        )
