"""What all layers check of the arguments that they hand on to Keras."""

from typing import Any

from keras_pixelrnn import checks


class StrictLayer:
    """Mix-in before `keras.layers.Layer`: an unknown argument is a `TypeError`, and a dtype policy in
    which the layer would fail or lose precision a `ValueError`."""

    def __init__(self, *args: Any, **kwargs: Any):
        cls = type(self)
        checks.unknown(cls, kwargs, checks.taken_by(cls) | checks.OF_EVERY_LAYER)
        kwargs["dtype"] = checks.dtype_policy(kwargs.get("dtype"))
        super().__init__(*args, **kwargs)
