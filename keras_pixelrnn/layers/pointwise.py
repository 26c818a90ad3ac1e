"""Layers that treat every sub-pixel's features alone."""

from typing import Any

import keras

from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.causal import CausalLayer, RowState, Stream


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Pointwise(CausalLayer, keras.layers.Activation):
    """An activation function as a causal layer.

    Args:
        activation: name or function, applied to each feature alone.

    Example:

    >>> Pointwise("relu")(keras.ops.ones((2, 5, 6, 4))).shape
    TensorShape([2, 5, 6, 4])
    """

    def call(self, x, context=None):
        return self.activation(x)

    def reach(self, context: Tensor | None = None) -> int | None:
        return 0

    def stream(
        self, batch_size: Any, height: int, width: int, context: Tensor | None = None
    ) -> Stream:
        return Stream(RowState(), lambda x, above, left, color: (self.activation(x), left))
