"""Codes as the input of a causal layer: each is looked up in a learned table."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_pixelrnn import checks
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.causal import CausalLayer, CompositeLayer, Stream


@keras.saving.register_keras_serializable("keras_pixelrnn")
class EmbeddedCodes(CompositeLayer):
    """A causal layer that reads codes `0 .. levels-1`, without order among them, through an embedding.

    Each channel has a table of its own. The features of a pixel are those of its first channel, then
    those of its second, and so on: colour groups of equal size, which the inner layer tells apart.

    Args:
        inner: causal layer that begins with one of mask type A.
        levels: number of codes.
        size: features of a code.
        **kwargs: of `keras.layers.Layer`. The tables are float32 under any policy.

    Call arguments:
        x: `(batch, height, width, channels)` codes, as integers or whole float32 numbers. What is no
            code counts as the nearest one.
        context: that of the inner layer.

    Output shape:
        That of the inner layer.

    Raises:
        ValueError: `inner` is no causal layer, or a size is no positive int.

    Example:

    >>> layer = EmbeddedCodes(MaskedConv2D(8, 3, mask_type="A"), levels=512, size=16)
    >>> layer(np.full((2, 5, 6, 1), 511)).shape
    TensorShape([2, 5, 6, 8])
    """

    parts = ("inner",)

    def __init__(self, inner: CausalLayer, levels: int, size: int, **kwargs: Any):
        checks.dtype_policy(kwargs.get("dtype"))
        super().__init__(**{**kwargs, "dtype": "float32"})
        if not isinstance(inner, CausalLayer):
            raise ValueError(
                f"`inner` must be a causal layer. Received: inner={checks.shown(inner)}"
            )
        self.inner = inner
        self.levels = checks.positive_int("levels", levels, checks.MOST_CODES)
        self.size = checks.positive_int("size", size, checks.MOST_FEATURES)

    @property
    def children(self) -> Sequence[CausalLayer]:
        return [self.inner]

    def build(self, x_shape, context_shape=None):
        self.channels = x_shape[-1]
        self.table = self.add_weight(
            name="table",
            shape=(self.channels * self.levels, self.size),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        if not self.inner.built:  # a reload builds inner layers first
            self.inner.build((*x_shape[:-1], self.channels * self.size), context_shape)

    def run(self, x: Tensor, apply: Callable) -> Tensor:
        return apply(self.inner, self.embed(x))

    def embed(self, codes: Tensor) -> Tensor:
        """Features `(..., channels * size)` of codes `(..., channels)`."""
        # A code outside the table would stop the whole batch, so it is moved inside.
        index = ops.clip(ops.cast(codes, "int32"), 0, self.levels - 1)
        index = index + ops.arange(self.channels, dtype="int32") * self.levels
        features = ops.take(self.table, index, axis=0)
        return ops.reshape(features, (-1, *codes.shape[1:-1], self.channels * self.size))

    def stream(
        self, batch_size: Any, height: int, width: int, context: Tensor | None = None
    ) -> Stream:
        inner = self.inner.stream(batch_size, height, width, context)
        return inner._replace(
            step=lambda x, above, left, color: inner.step(self.embed(x), above, left, color),
            close=lambda x, left: inner.close(self.embed(x), left),
        )

    def compute_output_shape(self, x_shape, context_shape=None):
        return self.inner.compute_output_shape((*x_shape[:-1], x_shape[-1] * self.size))

    def get_config(self):
        own = {"levels": self.levels, "size": self.size}
        return {
            **super().get_config(),
            "inner": keras.saving.serialize_keras_object(self.inner),
            **own,
        }
