"""Autoregressive image models of the PixelRNN family for Keras."""

import importlib

from keras_pixelrnn import distributions, layers, losses, metrics, models
from keras_pixelrnn._version import __version__ as __version__

__all__ = [
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
_ON_DEMAND = {
    "checkpoint",
    "data",
    "evaluation",
    "export",
    "visualize",
}  # data and export need TensorFlow


def __getattr__(name):
    if name in _ON_DEMAND:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
