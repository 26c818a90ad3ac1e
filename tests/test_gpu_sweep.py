"""The kernel of a GPU, interpreted on the CPU, against the loop: one process of JAX for all of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_kernel_is_the_loop():
    jax = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)}
    script = Path(__file__).with_name("interpreted_sweep.py")
    out = subprocess.run([sys.executable, script], env=jax, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
