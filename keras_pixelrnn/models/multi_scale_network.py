"""The network of a multi-scale model: one for the small image, one for the large one around it."""

import keras
import numpy as np
from keras import ops

from keras_pixelrnn.layers.adapted import Conv2D
from keras_pixelrnn.layers.strict import StrictLayer
from keras_pixelrnn.scores import features


@keras.saving.register_keras_serializable("keras_pixelrnn")
class MultiScaleNetwork(StrictLayer, keras.layers.Layer):
    """Two causal networks as one: parameters of every sub-pixel of an image.

    Args:
        coarse: causal layer for the small image.
        fine: causal layer for the large one, built with a context.
        factor: rows and columns per row and column of the small image.
        context_units: features of the small image brought to size.
        **kwargs: of `keras.layers.Layer`.
    """

    parts = ("coarse", "fine")

    def __init__(self, coarse, fine, factor, context_units, **kwargs):
        super().__init__(**kwargs)
        self.coarse, self.fine, self.factor = coarse, fine, factor
        self.widen = Conv2D(
            context_units,
            3,
            padding="same",
            activation="relu",
            dtype=self.dtype_policy,
            name="widen",
        )
        self.enlarge = keras.layers.Conv2DTranspose(
            context_units,
            2 * factor - 1,
            strides=factor,
            padding="same",
            dtype=self.dtype_policy,
            name="enlarge",
        )

    def build(self, x_shape, context_shape=None):
        batch, height, width, channels = x_shape
        small = (batch, -(-height // self.factor), -(-width // self.factor), channels)
        self.size = (height, width)
        extra = 0 if context_shape is None else context_shape[-1]
        if not self.coarse.built:  # a copy made from the configuration, as is the fine one
            self.coarse.build(small, (*small[:-1], extra) if extra else None)
        self.widen.build((*small[:-1], channels * getattr(self.coarse, "size", 1)))
        self.enlarge.build((*small[:-1], self.widen.filters))
        if not self.fine.built:
            self.fine.build(x_shape, (*x_shape[:-1], self.widen.filters + extra))

    def compute_output_shape(self, x_shape, context_shape=None):
        return self.fine.compute_output_shape(x_shape)

    def call(self, x, context=None):
        small = self.reduce(x)
        coarse = self.coarse(small, self.coarse_context(context))
        return self.merge(coarse, self.fine(x, self.fine_context(small, context)))

    def reduce(self, x):
        """Every `factor`-th row and column of a map."""
        return x[:, :: self.factor, :: self.factor]

    def merge(self, small, large):
        """`large` with every `factor`-th row and column from `small`."""
        height, width = self.size
        spread = ops.repeat(ops.repeat(small, self.factor, axis=1), self.factor, axis=2)
        is_small = np.zeros((1, height, width, 1), bool)
        is_small[:, :: self.factor, :: self.factor] = True
        return ops.where(is_small, spread[:, :height, :width], large)

    def coarse_context(self, context):
        """What the coarse network is told: the context at the small image's pixels."""
        return None if context is None else self.reduce(context)

    def fine_context(self, small, context):
        """What the fine network is told: the small image brought to size, and the context."""
        height, width = self.size
        small = getattr(self.coarse, "embed", lambda scaled: scaled)(small)  # of codes
        enlarged = ops.cast(self.enlarge(self.widen(small))[:, :height, :width], "float32")
        told = [enlarged]
        if context is not None:
            told.append(ops.zeros_like(enlarged[..., :1]) + ops.cast(context, "float32"))
        return ops.concatenate(told, axis=-1)

    @property
    def feature_layers(self):
        """Paths of the layers of both networks, "coarse/..." and "fine/..."."""
        parts = {"coarse": self.coarse, "fine": self.fine}
        return [f"{part}/{name}" for part, net in parts.items() for name in features.names(net)]

    def features(self, x, context, path):
        """Output of one of `feature_layers`, at the pixels of the small image or of the large one."""
        part, name = path.split("/", 1)
        if part == "coarse":
            return features.of_layer(
                self.coarse, self.reduce(x), self.coarse_context(context), name
            )
        told = self.fine_context(self.reduce(x), context)
        return features.of_layer(self.fine, x, told, name)

    def get_config(self):
        return {
            **super().get_config(),
            "coarse": keras.saving.serialize_keras_object(self.coarse),
            "fine": keras.saving.serialize_keras_object(self.fine),
            "factor": self.factor,
            "context_units": self.widen.filters,
        }
