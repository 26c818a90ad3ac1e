"""Autoregressive image models of the PixelRNN family for Keras."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from keras_pixelrnn._lazy import lazily
from keras_pixelrnn._version import __version__ as __version__

if TYPE_CHECKING:  # who reads types cannot follow `__getattr__`
    from keras_pixelrnn import codec as codec
    from keras_pixelrnn import completion as completion
    from keras_pixelrnn import data as data
    from keras_pixelrnn import distributions as distributions
    from keras_pixelrnn import evaluation as evaluation
    from keras_pixelrnn import layers as layers
    from keras_pixelrnn import losses as losses
    from keras_pixelrnn import metrics as metrics
    from keras_pixelrnn import models as models
    from keras_pixelrnn import presets as presets
    from keras_pixelrnn import scores as scores
    from keras_pixelrnn import serving as serving
    from keras_pixelrnn import training as training
    from keras_pixelrnn import visualize as visualize
    from keras_pixelrnn.serving import export as export

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
    from keras_pixelrnn import distributions as distributions
    from keras_pixelrnn import layers as layers
    from keras_pixelrnn import losses as losses
    from keras_pixelrnn import metrics as metrics
    from keras_pixelrnn import models as models
