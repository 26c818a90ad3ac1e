"""The look-ahead: a small network that tells the particles what the known sub-pixels ask for."""

from typing import Any

import keras
from keras import ops

from keras_pixelrnn import checks, presets, raster
from keras_pixelrnn._types import Shape, Tensor
from keras_pixelrnn.distributions import check_distribution
from keras_pixelrnn.distributions.base import PixelDistribution
from keras_pixelrnn.layers import CausalStack, MaskedConv2D, Pointwise, ResidualBlock, kept
from keras_pixelrnn.layers.adapted import Conv2D, Dense
from keras_pixelrnn.layers.strict import StrictLayer

FILE = "lookahead.keras"  # in the folder of a preset that comes with one


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Lookahead(keras.Model):
    """What to add to a model's parameters so that it draws with later known sub-pixels in mind.

    A convolutional network reads all known sub-pixels, once an image. A small PixelCNN, which sees what
    is drawn so far and is told what the first one found, gives a correction to the parameters of the
    frozen model. Particles draw from the corrected distribution and are weighted for it, so that every
    estimate stays unbiased, however good or bad the look-ahead is; a good one needs fewer particles.
    (Doucet and Johansen 2009, "A tutorial on particle filtering and smoothing", section 4; a proposal
    learned as by Gu et al. 2015, "Neural adaptive sequential Monte Carlo", arXiv 1506.03338.)

    Made and trained by `fit_lookahead`. Save and load it as any Keras model.

    Args:
        image_shape: `(height, width, channels)` of the model's.
        distribution: the model's.
        units: hidden features h of the PixelCNN, whose residual path carries 2h.
        num_blocks: its residual blocks.
        reader_units: features of the network that reads the known sub-pixels.
        **kwargs: of `keras.Model`.

    Call arguments:
        image: uint8; known: boolean; params: the model's, float32 `(batch, height, width, P)`.

    Output shape:
        That of `params`.
    """

    def __init__(
        self,
        image_shape: Shape,
        distribution: PixelDistribution,
        units: int = 16,
        num_blocks: int = 2,
        reader_units: int = 48,
        **kwargs: Any,
    ):
        if unknown := sorted(set(kwargs) - {"name", "trainable"}):
            raise TypeError(f"Lookahead has no argument {unknown[0]!r}.")
        shape = checks.image_shape(image_shape)
        distribution = check_distribution(distribution)
        if distribution.embedding_size is not None:
            raise ValueError(
                "A look-ahead reads ordered values, and these are codes. Complete without one. "
                f"Received: distribution={distribution!r}"
            )
        units = checks.positive_int("units", units, checks.MOST_UNITS)
        num_blocks = checks.positive_int("num_blocks", num_blocks, checks.MOST_BLOCKS)
        reader_units = checks.positive_int("reader_units", reader_units, checks.MOST_UNITS)
        size = distribution.params_size(shape[2])
        colors = shape[2] if distribution.masks_channels else 1
        network = _network(units, num_blocks, colors, size)
        reader = Reader(reader_units, 2 * units, name="reader")
        image = keras.Input(shape, dtype=distribution.dtype, name="image")
        known = keras.Input(shape, dtype="bool", name="known")
        params = keras.Input((*shape[:2], size), dtype="float32", name="params")
        seen = KnownPixels(distribution.levels, name="known_pixels")(image, known)
        scaled = KnownPixels(distribution.levels, name="all_pixels")(image)
        super().__init__([image, known, params], params + network(scaled, reader(seen)), **kwargs)
        self.image_shape, self.distribution = shape, distribution
        self.network, self.reader = network, reader
        self._config = {
            "image_shape": shape,
            "units": units,
            "num_blocks": num_blocks,
            "reader_units": reader_units,
        }

    def read(self, image: Tensor, known: Tensor) -> Tensor:
        """The context `(batch, height, width, 2 units)` that the PixelCNN is told."""
        return self.reader(known_pixels(image, known, self.distribution.levels))

    def get_config(self):
        distribution = keras.saving.serialize_keras_object(self.distribution)
        own = {**self._config, "distribution": distribution, "name": self.name}
        return {**own, **kept.of_model(self)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return kept.remade(cls, config)

    @classmethod
    def from_preset(cls, name: str) -> "Lookahead":
        """The look-ahead that comes with a trained model of the package.

        Args:
            name: one of `keras_pixelrnn.presets.names()`.

        Raises:
            ValueError: there is no such model, or it comes without one.

        Example:

        >>> Lookahead.from_preset("binarized_mnist_diagonal_7x16").image_shape
        (28, 28, 1)
        """
        file = presets.folder(name) / FILE
        if not file.is_file():
            having = [
                other for other in presets.names() if (presets.folder(other) / FILE).is_file()
            ]
            raise ValueError(
                f"No look-ahead comes with this model. Train one by `fit_lookahead`; one comes with: "
                f"{', '.join(having)}. Received: {name!r}"
            )
        return keras.saving.load_model(file, compile=False)


def check_guidable(model):
    """`ValueError` unless a look-ahead can guide the model."""
    checks.pixel_model("model", model)
    if not hasattr(model.network, "stream"):
        raise ValueError(
            "A look-ahead guides a model that draws an image in one pass, not in two. "
            f"Received: a {type(model).__name__}"
        )


def check_fits(lookahead, model):
    """Raise unless `lookahead` is one for such models."""
    if not isinstance(lookahead, Lookahead):
        raise TypeError(
            "`lookahead` must be what `keras_pixelrnn.completion.fit_lookahead` returns. "
            f"Received: lookahead={lookahead!r}"
        )
    check_guidable(model)
    ours, theirs = (
        (x.image_shape, type(x.distribution), x.distribution.get_config())
        for x in (model, lookahead)
    )
    if ours != theirs:
        raise ValueError(
            f"The look-ahead was made for images {lookahead.image_shape} and "
            f"{lookahead.distribution!r}; this model has {model.image_shape} and "
            f"{model.distribution!r}. Train one for this model by `fit_lookahead`."
        )


def known_pixels(image, known, levels):
    """Scaled values where known, 0 elsewhere; and where they are known."""
    known = ops.cast(known, "float32")
    return ops.concatenate([raster.scale(image, levels) * known, known], axis=-1)


@keras.saving.register_keras_serializable("keras_pixelrnn")
class KnownPixels(StrictLayer, keras.layers.Layer):
    """`known_pixels` in a functional model; without `known` the scaled image.

    Args:
        levels: number of values.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, levels, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.levels = levels

    def call(self, image, known=None):
        if known is None:
            return raster.scale(image, self.levels)
        return known_pixels(image, known, self.levels)

    def get_config(self):
        return {**super().get_config(), "levels": self.levels}


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Reader(StrictLayer, keras.layers.Layer):
    """Convolutions at half the size, of growing reach, and back at full size.

    Args:
        units: features inside.
        out_units: features of the output.
        **kwargs: of `keras.layers.Layer`.

    Output shape:
        `(batch, height, width, out_units)`.
    """

    def __init__(self, units, out_units, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.units, self.out_units = units, out_units
        options = {"padding": "same", "data_format": "channels_last", "dtype": "float32"}
        self.halve = Conv2D(units, 5, strides=2, activation="relu", name="halve", **options)
        self.spread = [
            Conv2D(units, 3, dilation_rate=rate, name=f"spread_{index}", **options)
            for index, rate in enumerate((1, 2, 4, 2, 1))
        ]
        self.close_by = Conv2D(out_units, 3, name="close_by", **options)
        self.far = Dense(4 * out_units, name="far", dtype="float32")

    def build(self, shape):
        half = (shape[0], -(-shape[1] // 2), -(-shape[2] // 2), self.units)
        self.halve.build(shape)
        for layer in self.spread:
            layer.build(half)
        self.close_by.build(shape)
        self.far.build(half)

    def call(self, x):
        half = self.halve(x)
        for layer in self.spread:
            half = half + ops.relu(layer(half))
        # Each pixel of the half-size map says something to each of the four that it covers.
        far = self.far(half)
        rows, columns = half.shape[1:3]
        far = ops.reshape(far, (-1, rows, columns, 2, 2, self.out_units))
        far = ops.transpose(far, (0, 1, 3, 2, 4, 5))
        far = ops.reshape(far, (-1, 2 * rows, 2 * columns, self.out_units))
        return ops.relu(self.close_by(x) + far[:, : x.shape[1], : x.shape[2]])

    def get_config(self):
        return {**super().get_config(), "units": self.units, "out_units": self.out_units}


def _network(units, num_blocks, colors, size):
    """A small PixelCNN from scaled images to `size` parameters; every layer reads the context."""
    options = {"colors": colors, "dtype": "float32"}

    def block(index):
        inner = CausalStack(
            [
                Pointwise("relu", dtype="float32"),
                MaskedConv2D(units, 1, mask_type="B", activation="relu", name="down", **options),
                MaskedConv2D(
                    units, 3, mask_type="B", activation="relu", name="neighbours", **options
                ),
            ],
            dtype="float32",
            name="inner",
        )
        return ResidualBlock(inner, name=f"block_{index}", **options)

    return CausalStack(
        [
            MaskedConv2D(2 * units, 7, mask_type="A", name="first", **options),
            *(block(index) for index in range(num_blocks)),
            Pointwise("relu", dtype="float32"),
            MaskedConv2D(2 * units, 1, mask_type="B", activation="relu", name="head", **options),
            MaskedConv2D(
                size,
                1,
                mask_type="B",
                kernel_initializer=keras.initializers.VarianceScaling(0.01),
                name="correction",
                **options,
            ),
        ],
        dtype="float32",
        name="network",
    )
