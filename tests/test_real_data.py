"""One epoch on real data through train.py, export included. Slow: `make test-all` with TFDS_DATA_DIR."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.skipif("TFDS_DATA_DIR" not in os.environ, reason="set TFDS_DATA_DIR to prepared data")
@pytest.mark.parametrize(
    ("dataset", "model", "images", "worst"),
    [("binarized_mnist", "diagonal", 10_000, 0.35), ("cifar10", "pixelcnn", 10_000, 7.0)],
)
def test_one_epoch(dataset, model, images, worst, tmp_path):
    command = [sys.executable, ROOT / "train.py", "--dataset", dataset, "--model", model]
    sizes = ["--units", "6", "--num-blocks", "1", "--dropout", "0", "--batch-size", "128"]
    subprocess.run([*command, *sizes, "--epochs", "1", "--output", tmp_path], check=True)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["test"]["images"] == images
    assert metrics["test"]["bits_per_dim"] < worst
    drawn = tf.saved_model.load(tmp_path / "1").signatures["sample"](
        seed=tf.constant([1, 2], tf.int64)
    )
    assert drawn["image"].shape[0] == 2
