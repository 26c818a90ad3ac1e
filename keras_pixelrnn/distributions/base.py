"""The contract of a pixel distribution."""

import contextlib
import math
from typing import Any

import keras
from keras import ops

from keras_pixelrnn import backend, checks
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.distributions.between import between, inside

MANY_LEVELS = 64  # from here on a search in two levels is faster under XLA
BYTE_LEVELS = 256  # beyond them it is also more exact: a long running sum adds up its rounding
MOST_LEVELS = 65536  # what a uint16 image holds


class PixelDistribution:
    """What the value of a sub-pixel follows, given the parameters that the network predicts.

    One probability mass function serves likelihood and sampling. Subclasses are stateless, are
    registered with Keras, and rebuild themselves from `get_config`.

    Attributes:
        levels: number of values of a sub-pixel; values are `0 .. levels - 1`.
        dtype: of images: "uint8" up to 256 levels, "uint16" beyond.
        embedding_size: features of a value's embedding, where values are codes without order; None
            where they are ordered and scaled.
        masks_channels: whether the network must hide later colours from earlier ones. False where
            the distribution orders the colours of a pixel itself.
    """

    levels = 2
    masks_channels = True
    embedding_size = None

    @property
    def dtype(self) -> str:
        return "uint8" if self.levels <= BYTE_LEVELS else "uint16"

    def network_input(self, values: Tensor) -> Tensor:
        """Values as the network reads them: float32 in [-1, 1] where they are ordered; codes as int32,
        for the network to embed."""
        if self.embedding_size is not None:
            return ops.cast(values, "int32")
        return ops.cast(values, "float32") * (2.0 / (self.levels - 1)) - 1.0

    def params_size(self, channels: int) -> int:
        """Parameters per pixel of `channels` sub-pixels."""
        raise NotImplementedError

    def log_prob(self, params: Tensor, image: Tensor) -> Tensor:
        """Log-probability in nats of every sub-pixel.

        Args:
            params: `(batch, height, width, params_size(channels))`.
            image: `(batch, height, width, channels)`, any numeric dtype.

        Returns:
            `(batch, height, width, channels)` float32; -inf where a value is outside `0..levels-1`, and
            where it is not whole, but for mixtures, which give the mass of the step around it.
        """
        raise NotImplementedError

    def log_prob_between(self, params: Tensor, image: Tensor) -> Tensor:
        """`log_prob` of values that need not be whole, for gradients by the image.

        It is `log_prob` at whole values, and interpolated between them: see
        `keras_pixelrnn.distributions.between.between`. There it is no probability of anything.

        Args:
            params: `(batch, height, width, params_size(channels))`.
            image: `(batch, height, width, channels)`, in `0 .. levels-1`, float.

        Returns:
            `(batch, height, width, channels)` float32; -inf below 0 and above `levels-1`.

        Raises:
            ValueError: values are codes, which have no order and so nothing between them.

        Example:

        >>> params = keras.ops.ones((1, 1, 1, 1))
        >>> bernoulli = keras.saving.get_registered_object("keras_pixelrnn>Bernoulli")()
        >>> float(bernoulli.log_prob_between(params, keras.ops.ones((1, 1, 1, 1)) / 2)[0, 0, 0, 0])
        -0.8132616877555847
        """
        if self.embedding_size is not None:
            raise ValueError(
                "Codes have no order, so there is nothing between them and no gradient by the image. "
                f"Pass `image` as integers. Received: dtype {image.dtype}, {self!r}"
            )
        image = ops.cast(image, "float32")
        log_prob = between(lambda whole: self.log_prob(params, whole), image, self.levels)
        return ops.where(inside(image, self.levels), log_prob, -float("inf"))

    def log_pmf(self, params: Tensor, pixel: Tensor, channel: int) -> Tensor:
        """Log-probabilities of all values of one sub-pixel.

        Args:
            params: `(batch, params_size(channels))`.
            pixel: `(batch, channels)`; only channels before `channel` may matter.
            channel: int.

        Returns:
            `(batch, levels)` float32, normalised.
        """
        raise NotImplementedError

    def quantile(self, log_pmf: Tensor, u: Tensor) -> Tensor:
        """Smallest value k with CDF(k) > u.

        Args:
            log_pmf: `(batch, levels)`.
            u: `(batch,)` float32 in [0, 1).

        Returns:
            `(batch,)` float32 of whole numbers.
        """
        pmf = ops.exp(log_pmf)
        levels = pmf.shape[-1]
        if levels < MANY_LEVELS or (levels <= BYTE_LEVELS and not backend.under_xla()):
            return _first_above(pmf, u)[0]
        # XLA takes n**2 additions for a cumulative sum of n: look for the block of values first.
        size = math.ceil(math.sqrt(levels))
        blocks = -(-levels // size)
        pmf = ops.pad(pmf, [[0, 0], [0, blocks * size - levels]]) if levels % size else pmf
        pmf = ops.reshape(pmf, (-1, blocks, size))
        block, u = _first_above(ops.sum(pmf, axis=-1), u)
        here = ops.arange(blocks, dtype="float32") == block[:, None]
        within = ops.sum(ops.where(here[..., None], pmf, 0.0), axis=1)
        return block * size + _first_above(within, u)[0]

    def draw(self, params: Tensor, pixel: Tensor, channel: int, u: Tensor) -> Tensor:
        """Value of one sub-pixel: `quantile` of `log_pmf`, by a shorter way where there is one.

        Args:
            params, pixel, channel: as for `log_pmf`.
            u: as for `quantile`.

        Returns:
            `(batch,)` float32 of whole numbers.
        """
        return self.quantile(self.log_pmf(params, pixel, channel), u)

    def drawer(self, channels: int) -> Any:
        """A function that starts to draw the pixels of a stream, made once for all of them.

        Args:
            channels: of an image.

        Returns:
            `params -> draw`, called at each pixel, with its parameters `(batch, P)`; and `draw(values,
            u)` is the next value of the pixel, `(batch, 1)` float32 of whole numbers, given the list of
            the earlier ones, `(batch, 1)` each, and `u (batch, 1)`. It is what `draw` draws.
        """

        def start(params):
            def draw(values, u):
                pixel = in_one_pixel(values, channels) if values else ops.zeros_like(u)
                return self.draw(params, pixel, len(values), u[:, 0])[:, None]

            return draw

        return start

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "PixelDistribution":
        return cls(**checks.configuration(cls, config))

    def __repr__(self):
        arguments = ", ".join(f"{name}={value}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def in_one_pixel(values, channels):
    """Values `(batch, 1)` of the first channels as `(batch, channels)`, zeros in the others."""
    if channels == 1:
        return values[0]
    lacking = channels - len(values)
    rest = [ops.zeros_like(values[0])] * lacking if lacking else []
    return ops.concatenate([*values, *rest], axis=-1)


class HoldsDistribution:
    """Mix-in of the losses and metrics made for one distribution, `self.distribution`."""

    def nats_per_image(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Negative log-likelihood `(batch,)` of images, given the parameters `y_pred`.

        Raises:
            ValueError: they do not belong together; one would be stretched over the other.
        """
        (y_true,) = checks.shaped({"y_true": (None,) * 4}, y_true=y_true)
        *maps, channels = tuple(y_true.shape)
        size = None if channels is None else self.distribution.params_size(channels)
        (y_pred,) = checks.shaped({"y_pred": (*maps, size)}, y_pred=y_pred)
        return -ops.sum(self.distribution.log_prob(y_pred, y_true), axis=(1, 2, 3))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "distribution": keras.saving.serialize_keras_object(self.distribution),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = checks.configuration(cls, config)
        distribution = check_distribution(config.get("distribution"))
        return cls(**{**config, "distribution": distribution})


def check_levels(levels, owner):
    """Raise `ValueError` unless an image can hold `levels` values."""
    if not checks.is_whole(levels) or not 2 <= levels <= MOST_LEVELS:
        raise ValueError(
            f"{owner} holds between 2 and {MOST_LEVELS} levels, as an int, so that images fit uint8 or "
            f"uint16. "
            f"Received: levels={checks.shown(levels)}"
        )
    return int(levels)


def check_distribution(distribution: Any) -> PixelDistribution:
    """`distribution`, deserialised if need be, or `ValueError`."""
    if isinstance(distribution, dict) and "class_name" in distribution:
        with contextlib.suppress(TypeError, ValueError, KeyError, AttributeError):
            distribution = keras.saving.deserialize_keras_object(distribution)
    if not isinstance(distribution, PixelDistribution):
        raise ValueError(
            "`distribution` must be one of keras_pixelrnn.distributions, for example Bernoulli() or "
            f"Categorical(256). Received: distribution={checks.shown(distribution)}"
        )
    return distribution


def _first_above(weights, u):
    """The first place where the cumulative sum of `weights (batch, n)` exceeds the fraction `u (batch,)`
    of their sum, and what fraction of the weight at that place `u` takes.

    `u` counts from the end of the cumulative sum, which rounding moves a little off 1.
    """
    cdf = ops.cumsum(weights, axis=-1)
    end = cdf[:, -1:]
    # The second keeps the product below the end where it would be rounded up to it.
    reached = ops.minimum(u[:, None] * end, end * (1.0 - 2.0**-23))
    passed = cdf <= reached
    place = ops.sum(ops.cast(passed, "float32"), axis=-1)
    before = ops.max(ops.where(passed, cdf, 0.0), axis=-1)
    up_to = ops.min(ops.where(passed, end, cdf), axis=-1)
    return place, (reached[:, 0] - before) / (up_to - before)
