"""Autoregressive image models of the PixelRNN family for Keras."""

import sys
from pathlib import Path

from keras_pixelrnn._lazy import lazily
from keras_pixelrnn._version import __version__ as __version__

__all__, __getattr__ = lazily(
    __name__,
    {
        "codec": "codec",
        "completion": "completion",
        "data": "data",
        "distributions": "distributions",
        "evaluation": "evaluation",
        "export": "serving.export",
        "layers": "layers",
        "losses": "losses",
        "metrics": "metrics",
        "models": "models",
        "presets": "presets",
        "scores": "scores",
        "serving": "serving",
        "training": "training",
        "visualize": "visualize",
    },
)


def _is_command():
    """Whether this is `pixelrnn` or `python -m keras_pixelrnn`, which answers --help without Keras."""
    return sys.argv[:1] == ["-m"] or Path(sys.argv[0] if sys.argv else "").stem == "pixelrnn"


if not _is_command():  # importing the package registers its classes with Keras
    from keras_pixelrnn import distributions, layers, losses, metrics, models  # noqa: F401
