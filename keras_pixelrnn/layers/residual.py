"""The residual block."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_pixelrnn import checks
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.causal import CausalLayer, CompositeLayer
from keras_pixelrnn.layers.dropout import Dropout
from keras_pixelrnn.layers.masked_conv import MaskedConv2D


@keras.saving.register_keras_serializable("keras_pixelrnn")
class ResidualBlock(CompositeLayer):
    """`x + up(activation(dropout(inner(x))))`, where `up` is a masked 1x1 convolution.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), section 3.3 and
    figure 5: `inner` works on h features, the residual path carries 2h.

    Args:
        inner: causal layer.
        colors: number of colour groups.
        dropout: rate of the features dropped in training.
        activation: of the inner features; None for an LSTM, "relu" for convolutions.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: `(batch, height, width, features)`.
        context: optional `(batch, height, width, k)`, given to `inner`.

    Output shape:
        That of the input.

    Example:

    >>> ResidualBlock(RowLSTM(16))(keras.ops.ones((2, 5, 6, 32))).shape
    TensorShape([2, 5, 6, 32])
    """

    parts = ("inner",)

    def __init__(
        self,
        inner: CausalLayer,
        *,
        colors: int = 1,
        dropout: float = 0.0,
        activation: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(inner, CausalLayer):
            raise ValueError(
                f"`inner` must be a causal layer. Received: inner={checks.shown(inner)}"
            )
        self.inner = inner
        self.colors = checks.positive_int("colors", colors, checks.MOST_UNITS)
        dropout = checks.rate("dropout", dropout)
        # Without autocast: the map comes in the policy's dtype, a stream in float32, and stays so.
        self.dropout = Dropout(dropout, dtype=self.dtype_policy, autocast=False)
        self.activation = keras.activations.get(activation)

    @property
    def children(self) -> Sequence[CausalLayer]:
        return [self.inner, self.up]

    def build(self, x_shape, context_shape=None):
        if not self.inner.built:  # a reload builds inner layers first
            self.inner.build(x_shape, context_shape)
        self.up = MaskedConv2D(
            x_shape[-1],
            1,
            mask_type="B",
            colors=self.colors,
            dtype=self.dtype_policy,
            name="up",
        )
        self.up.build(self.inner.compute_output_shape(x_shape))

    def run(self, x: Tensor, apply: Callable) -> Tensor:
        h = self.activation(self.dropout(apply(self.inner, x)))
        return x + apply(self.up, h)

    def get_config(self):
        return {
            **super().get_config(),
            "inner": keras.saving.serialize_keras_object(self.inner),
            "colors": self.colors,
            "dropout": self.dropout.rate,
            "activation": keras.activations.serialize(self.activation),
        }
