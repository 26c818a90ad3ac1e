"""Autoregressive image models of the PixelRNN family for Keras."""

import importlib

from keras_pixelrnn import distributions, layers, losses, metrics, models
from keras_pixelrnn._version import __version__ as __version__

__all__ = [
    "check_serving",
    "checkpoint",
    "data",
    "distributions",
    "evaluation",
    "export",
    "layers",
    "losses",
    "metrics",
    "models",
    "visualize",
]


def __getattr__(name):
    if name in __all__:  # imported when first used: some of them need TensorFlow
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
