"""The examples in the docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp

MODULES = ["keras_pixelrnn"] + [
    info.name for info in pkgutil.walk_packages(kp.__path__, "keras_pixelrnn.")
]
SLOW = {"keras_pixelrnn.completion.fitting"}  # trains a look-ahead, as tests/test_lookahead.py does


@pytest.mark.parametrize(
    "name", [pytest.param(x, marks=[pytest.mark.slow] * (x in SLOW)) for x in MODULES]
)
def test_examples(name, tmp_path):
    if name.endswith("__main__"):
        pytest.skip("a command")
    module = importlib.import_module(name)
    names = {"keras": keras, "np": np, "tf": tf, "kp": kp, "directory": tmp_path / "export"}
    names |= {"folder": tmp_path, "images": np.zeros((4, 8, 8, 1), np.uint8)}
    for source in (kp.layers, kp.distributions, kp.models, kp.losses, kp.metrics, kp.evaluation):
        names |= {key: value for key, value in vars(source).items() if not key.startswith("_")}
    names |= vars(module)
    if name.endswith("resumable"):
        names["model"] = kp.models.PixelCNN((8, 8, 1), kp.distributions.Bernoulli(), units=4)
    failed, _ = doctest.testmod(
        module, extraglobs=names, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert failed == 0
