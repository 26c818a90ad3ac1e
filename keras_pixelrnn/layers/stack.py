"""Causal layers one after the other."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_pixelrnn import checks
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.causal import CausalLayer, CompositeLayer
from keras_pixelrnn.layers.masked_conv import MaskedConv2D


@keras.saving.register_keras_serializable("keras_pixelrnn")
class CausalStack(CompositeLayer):
    """Causal layers one after the other.

    Args:
        layers: non-empty list of causal layers.
        skip: also send each layer's output to the end through a masked 1x1 convolution of its own
            and add all of them to the last output ("layer-to-output" connections: van den Oord et
            al. 2016, section 3.3 and figure 5). All layers then have as many output features.
        colors: number of colour groups of the skip connections.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: `(batch, height, width, features)`.
        context: optional `(batch, height, width, k)`, given to every layer.

    Output shape:
        That of the last layer.

    Example:

    >>> stack = CausalStack([MaskedConv2D(8, 7, mask_type="A"), MaskedConv2D(4, 1, mask_type="B")])
    >>> stack(keras.ops.ones((2, 5, 6, 1))).shape
    TensorShape([2, 5, 6, 4])
    """

    parts = ("layers",)

    def __init__(
        self, layers: Sequence[CausalLayer], *, skip: bool = False, colors: int = 1, **kwargs: Any
    ):
        super().__init__(**kwargs)
        fits = isinstance(layers, (list, tuple)) and len(layers) > 0
        if not fits or not all(isinstance(layer, CausalLayer) for layer in layers):
            raise ValueError(
                "`layers` must be a list of causal layers, at least one. "
                f"Received: layers={checks.shown(layers)}"
            )
        inside = Counter(part for layer in layers for part in layer._flatten_layers())
        part, times = inside.most_common(1)[0]
        if times > 1:
            raise ValueError(
                "`layers` must have no layer twice, nor one that is inside two of them: drawing keeps "
                "one state for each. Make another with the same arguments. "
                f"Received: layers with {part.name!r} {times} times"
            )
        self.layers = list(layers)
        self.skip = checks.switch("skip", skip)
        self.colors = checks.positive_int("colors", colors, checks.MOST_UNITS)
        self.skips = []

    @property
    def children(self) -> Sequence[CausalLayer]:
        return [*self.layers, *self.skips]

    def build(self, x_shape, context_shape=None):
        shape = x_shape
        for layer in self.layers:
            if not layer.built:  # a reload builds inner layers first
                layer.build(shape, context_shape)
            shape = layer.compute_output_shape(shape)
            if self.skip and layer is not self.layers[-1]:
                connection = MaskedConv2D(
                    shape[-1],
                    1,
                    mask_type="B",
                    colors=self.colors,
                    dtype=self.dtype_policy,
                    name=f"skip_{len(self.skips)}",
                )
                connection.build(shape)
                self.skips.append(connection)

    def run(self, x: Tensor, apply: Callable) -> Tensor:
        skipped = []
        for index, layer in enumerate(self.layers):
            x = apply(layer, x)
            if index < len(self.skips):
                skipped.append(apply(self.skips[index], x))
        return sum(skipped, x)

    def compute_output_shape(self, x_shape, context_shape=None):
        for layer in self.layers:
            x_shape = layer.compute_output_shape(x_shape)
        return x_shape

    def get_config(self):
        return {
            **super().get_config(),
            "layers": [keras.saving.serialize_keras_object(layer) for layer in self.layers],
            "skip": self.skip,
            "colors": self.colors,
        }
