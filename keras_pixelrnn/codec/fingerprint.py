"""What tells one model's probabilities from another's."""

import hashlib
import json

import keras
import numpy as np
from keras import ops

from keras_pixelrnn.layers import kept
from keras_pixelrnn.models.variables import values_by_path

# Of the configuration: what a model is called and how it is trained.
WITHOUT_MEANING = ("name", "trainable", "dropout", kept.LAYERS, kept.WEIGHTS)


def fingerprint(model) -> bytes:
    """8 bytes of the SHA-256 of a model's class, configuration and weights, the same on every backend.

    Example:

    >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
    >>> len(fingerprint(model)), fingerprint(model) == fingerprint(model)
    (8, True)
    """
    config = keras.saving.serialize_keras_object(model)["config"]
    meant = {key: value for key, value in config.items() if key not in WITHOUT_MEANING}
    if kept.ADAPTERS not in meant:
        meant.pop(kept.PLACES, None)  # of what is frozen, which adds them; adapters have them, too
    found = hashlib.sha256(type(model).__name__.encode())
    found.update(json.dumps(meant, sort_keys=True, default=str).encode())
    for variable in values_by_path(model).values():
        value = np.ascontiguousarray(ops.convert_to_numpy(ops.cast(variable, "float32")), "<f4")
        found.update(str(value.shape).encode() + value.tobytes())
    return found.digest()[:8]
