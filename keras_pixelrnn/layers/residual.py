"""The residual block."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_pixelrnn import backend, checks, geometry
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.causal import CausalLayer, CompositeLayer, RowState, Stream
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

    def stream(
        self, batch_size: Any, height: int, width: int, context: Tensor | None = None
    ) -> Stream:
        inner = self.inner.stream(batch_size, height, width, context)
        is_linear = self.activation is keras.activations.linear
        if backend.under_xla() or inner.apart is None or not is_linear:
            return self.joined([inner, self.up.stream(batch_size, height, width, context)])
        # What the rows above add to the inner features goes through `up` once per row. XLA adds it at
        # each pixel in passing.
        kernel, near, bias, spans = self.up.pointwise_weights()

        def wrapped(state):
            above, added = inner.apart.split(state.above)
            above = {"inner": above, "up": geometry.row_product(added, kernel) + bias}
            return RowState(above, (state.left, ()), state.memory)

        def unwrapped(state):
            return RowState((), state.left[0], state.memory)

        def step(x, above, left, color):
            inner_left, so_far = left
            h, inner_left = inner.apart.step(x, above["inner"], inner_left, color)
            so_far = (*so_far, h)
            added = above["up"] if self.colors == 1 else above["up"][:, spans[color]]
            y = backend.total([x, backend.product(so_far, near[color]), added])
            return y, (inner_left, so_far)

        def close(x, left):
            inner_left, record = inner.close(x, left[0])
            return (inner_left, ()), record

        return Stream(
            wrapped(inner.state),
            step,
            close=close,
            row_inputs=lambda state, row: inner.row_inputs(unwrapped(state), row),
            row_lstms=inner.row_lstms,
            next_row=lambda state, row, swept: wrapped(
                inner.next_row(unwrapped(state), row, swept)
            ),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "inner": keras.saving.serialize_keras_object(self.inner),
            "colors": self.colors,
            "dropout": self.dropout.rate,
            "activation": keras.activations.serialize(self.activation),
        }
