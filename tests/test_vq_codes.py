"""The example with a VQ-VAE, in small: one SavedModel that draws codes and their pictures."""

import subprocess
import sys

import numpy as np
import pytest

from tests.served import example

LOAD = """
import sys
import numpy as np
import tensorflow as tf
sys.modules["keras_pixelrnn"] = sys.modules["keras"] = None  # importing them fails
draw = tf.saved_model.load(sys.argv[1]).signatures["draw"]
seed, label = np.arange(6), np.arange(6, dtype="int32")
out = draw(seed=tf.constant(seed), label=tf.constant(label))
part = draw(seed=tf.constant(seed[2:4]), label=tf.constant(label[2:4]))
np.savez(sys.argv[2], part=part["codes"], **out)
"""


@pytest.mark.slow
def test_codes_and_pictures_without_the_package(tmp_path, capsys):
    arguments = ["--out", str(tmp_path), "--codes", "16", "--vq-epochs", "1", "--prior-epochs", "1"]
    example("vq_codes").main(arguments)
    assert "codes in use" in capsys.readouterr().out
    command = [sys.executable, "-c", LOAD, str(tmp_path / "1"), str(tmp_path / "drawn.npz")]
    subprocess.run(command, check=True, cwd=tmp_path)
    drawn = np.load(tmp_path / "drawn.npz")
    assert drawn["codes"].shape == (6, 4, 4, 1)
    assert drawn["codes"].max() < 16
    assert drawn["image"].shape == (6, 8, 8, 1)
    assert 0 <= drawn["image"].min() < drawn["image"].max() <= 1
    np.testing.assert_array_equal(drawn["part"], drawn["codes"][2:4])
