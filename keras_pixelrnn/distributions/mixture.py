"""Mixtures of discretized logistic or normal distributions."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import backend, checks
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.distributions.base import PixelDistribution, check_levels
from keras_pixelrnn.distributions.between import between, inside
from keras_pixelrnn.distributions.mixture_drawer import MixtureDrawer

LOG_SCALE_LIMIT = 7.0  # a scale of e^-7 is a ninth of a step of 256 levels; e^7 is flat


class DiscretizedMixture(PixelDistribution):
    """Body of the mixtures; subclasses say how much a component puts between two points.

    A pixel has `num_mixtures` components; their weights are shared by its channels. Component j gives
    channel c a location, a scale, and one coefficient for each earlier channel, whose value moves the
    location linearly: R, then G given R, then B given R and G. A component spreads over the whole line,
    and each level gets what falls within half a step of it, the first and the last all that is beyond.

    Parameters of zero spread the components evenly, each as wide as its share of the range: those that
    start alike are slow to part.

    What an earlier channel turned out to be weighs the components of the later ones: component j of
    channel c has the weight pi_j times the product of p(x_c' | j) over the channels c' before.

    Args:
        levels: 2 to 65,536.
        num_mixtures: number of components.

    Raises:
        ValueError: `levels` does not fit an image, or there is no component.
    """

    masks_channels = False

    def __init__(self, levels: int, num_mixtures: int = 5):
        self.levels = check_levels(levels, type(self).__name__)
        self.num_mixtures = checks.positive_int("num_mixtures", num_mixtures, checks.MOST_MIXTURES)

    def params_size(self, channels: int) -> int:
        return self.num_mixtures * (1 + 2 * channels + channels * (channels - 1) // 2)

    def log_prob(self, params: Tensor, image: Tensor) -> Tensor:
        return self._log_prob(params, image, self._log_mass)

    def log_prob_between(self, params: Tensor, image: Tensor) -> Tensor:
        # Channel by channel: what is whole of one must not hide how it moves the next.
        def log_mass(value, location, log_scale):
            return between(lambda x: self._log_mass(x, location, log_scale), value, self.levels)

        return self._log_prob(params, image, log_mass)

    def _log_prob(self, params, image, log_mass_of):
        image = ops.cast(image, "float32")
        channels = [image[..., channel, None] for channel in range(image.shape[-1])]
        weights, parts = self._split(params, len(channels))
        log_probs = []
        for channel, value in enumerate(channels):
            log_mass = log_mass_of(value, *self._component(parts, channels, channel))
            log_probs.append(ops.logsumexp(weights + log_mass, axis=-1))
            weights = ops.log_softmax(weights + log_mass, axis=-1)
        log_prob = ops.stack(log_probs, axis=-1)
        return ops.where(inside(image, self.levels), log_prob, -float("inf"))

    def log_pmf(self, params: Tensor, pixel: Tensor, channel: int) -> Tensor:
        weights, location, log_scale = self._given_earlier(params, pixel, channel)
        values = ops.reshape(ops.arange(self.levels, dtype="float32"), (1, self.levels, 1))
        log_mass = self._log_mass(values, location[:, None], log_scale[:, None])
        return ops.logsumexp(weights[:, None] + log_mass, axis=-1)

    def draw(self, params: Tensor, pixel: Tensor, channel: int, u: Tensor) -> Tensor:
        # The distribution function at a value is a short sum: no need for that of every value.
        weights, location, log_scale = self._given_earlier(params, pixel, channel)
        weights, inverse = ops.exp(weights)[:, None], ops.exp(-log_scale)[:, None]

        def passed(values):
            """How many of some values, `(batch or 1, n)`, have a distribution function up to `u`."""
            upper = self._scaled(values) + 1.0 / (self.levels - 1)
            below = self._below((upper[..., None] - location[:, None]) * inverse)
            up_to_u = ops.sum(weights * below, axis=-1) <= u[:, None]
            up_to_u = ops.logical_and(up_to_u, values < self.levels - 1)  # the last value has all
            return ops.sum(ops.cast(up_to_u, "float32"), axis=-1)

        size = math.ceil(math.sqrt(self.levels))
        first = ops.arange(size, dtype="float32")[None]
        block = size * passed(first * size + (size - 1))
        return block + passed(block[:, None] + first[:, : size - 1])

    def _given_earlier(self, params, pixel, channel):
        """Log-weights, locations and log-scales of a channel's components, `(batch, num_mixtures)`,
        given the channels before."""
        # How many channels there are follows from the size of the parameters.
        channels = next(n for n in range(1, 5) if self.params_size(n) == params.shape[-1])
        weights, parts = self._split(params, channels)
        values = [pixel[:, before, None] for before in range(channel)]
        for before, value in enumerate(values):
            log_mass = self._log_mass(value, *self._component(parts, values, before))
            weights = ops.log_softmax(weights + log_mass, axis=-1)
        return weights, *self._component(parts, values, channel)

    def get_config(self) -> dict[str, Any]:
        return {"levels": self.levels, "num_mixtures": self.num_mixtures}

    def _split(self, params, channels):
        """Log-weights `(..., num_mixtures)`, and the other parameters by name, one per entry."""
        params = ops.cast(params, "float32")
        count = 1 + 2 * channels + channels * (channels - 1) // 2
        weights, *parts = ops.split(params, count, axis=-1)
        names = ["location"] * channels + ["log_scale"] * channels
        named = {"location": [], "log_scale": [], "coefficient": []}
        for name, part in zip(
            names + ["coefficient"] * (count - 1 - len(names)), parts, strict=True
        ):
            named[name].append(part)
        return ops.log_softmax(weights, axis=-1), named

    def _component(self, parts, values, channel):
        """Location and log-scale of every component of a channel, given the earlier values."""
        centres = (2.0 * np.arange(self.num_mixtures, dtype=np.float32) + 1.0) / self.num_mixtures
        location = parts["location"][channel] + (centres - 1.0)
        first = channel * (channel - 1) // 2
        for before in range(channel):
            coefficient = ops.tanh(parts["coefficient"][first + before])
            location = location + coefficient * self._scaled(values[before])
        log_scale = parts["log_scale"][channel] - math.log(self.num_mixtures)
        return location, ops.clip(log_scale, *self._log_scale_limits())

    def _log_scale_limits(self):
        # Beyond 256 levels the narrowest component narrows with their step.
        return -LOG_SCALE_LIMIT - max(0.0, math.log((self.levels - 1) / 255)), LOG_SCALE_LIMIT

    def _scaled(self, value):
        return value * (2.0 / (self.levels - 1)) - 1.0

    def _log_mass(self, value, location, log_scale):
        """Log of what each component puts on a value, `(..., num_mixtures)`."""
        half_step = 1.0 / (self.levels - 1)
        inverse = ops.exp(-log_scale)
        centred = self._scaled(value) - location
        lower, upper = (centred - half_step) * inverse, (centred + half_step) * inverse
        inner = self._log_between(lower, upper, 2.0 * half_step * inverse)
        edges = ops.where(value <= 0.0, self._log_below(upper), self._log_below(-lower))
        at_edge = ops.logical_or(value <= 0.0, value >= self.levels - 1)
        return ops.where(at_edge, edges, inner)

    def _below(self, x):
        """The standard distribution function."""
        raise NotImplementedError

    def _log_below(self, x):
        """Log of the standard distribution function, which is symmetric: above is below of -x."""
        raise NotImplementedError

    def _log_between(self, lower, upper, width):
        """Log of what the standard distribution puts between two points `width` apart."""
        raise NotImplementedError


@keras.saving.register_keras_serializable("keras_pixelrnn")
class DiscretizedLogisticMixture(DiscretizedMixture):
    """Mixture of discretized logistic distributions.

    Salimans et al. 2017, "PixelCNN++" (arXiv 1701.05517), sections 2.1 and 2.2.

    Args:
        levels: 2 to 65,536.
        num_mixtures: number of components.

    Example:

    >>> DiscretizedLogisticMixture(256, num_mixtures=10).params_size(channels=3)
    100
    """

    def drawer(self, channels: int) -> Any:
        if backend.under_xla():
            return super().drawer(channels)
        return MixtureDrawer(self, channels, self._log_scale_limits())

    def _below(self, x):
        return ops.sigmoid(x)

    def _log_below(self, x):
        return ops.log_sigmoid(x)

    def _log_between(self, lower, upper, width):
        # s(u) - s(l) = s(u) s(-l) (1 - e^(l-u)): no difference of nearly equal numbers.
        return ops.log_sigmoid(upper) + ops.log_sigmoid(-lower) + _log1mexp(width)


@keras.saving.register_keras_serializable("keras_pixelrnn")
class DiscretizedNormalMixture(DiscretizedMixture):
    """Mixture of discretized normal distributions.

    The continuous density that the PixelRNN paper (arXiv 1601.06759, section 1) sets its discrete
    distribution against, made discrete the way of PixelCNN++ (arXiv 1701.05517, section 2.1).

    Args:
        levels: 2 to 65,536.
        num_mixtures: number of components.

    Example:

    >>> DiscretizedNormalMixture(256, num_mixtures=10).params_size(channels=1)
    30
    """

    def _below(self, x):
        return 0.5 * (1.0 + ops.erf(x * math.sqrt(0.5)))

    def _log_below(self, x):
        below = _log_lower_tail(-ops.abs(x))
        return ops.where(x > 0.0, ops.log1p(-ops.exp(below)), below)

    def _log_between(self, lower, upper, width):
        # By symmetry moved to where the tail is, which is known to full relative precision.
        middle = 0.5 * (lower + upper)
        flip = middle > 0.0
        lower, upper = ops.where(flip, -upper, lower), ops.where(flip, -lower, upper)
        above = self._log_below(upper)
        wide = above + _log1mexp(ops.maximum(above - self._log_below(lower), 1e-30))
        # A narrow step is a difference of nearly equal numbers; Taylor at its middle is exact there.
        bend = ops.maximum(width * width * (middle * middle - 1.0) / 24.0, -0.5)
        density = -0.5 * middle * middle - 0.5 * math.log(2.0 * math.pi)
        narrow = density + ops.log(width) + ops.log1p(bend)
        return ops.where(width * (1.0 + ops.abs(middle)) < 0.2, narrow, wide)


def _log1mexp(x):
    """log(1 - exp(-x)) for x > 0."""
    return ops.log(-ops.expm1(-x))


# Numerical Recipes' Chebyshev fit of erfc: relative error below 1.2e-7 everywhere.
_ERFC = (-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806)
_ERFC += (0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277)


def _log_lower_tail(x):
    """Log of the standard normal distribution function at x <= 0."""
    z = -x * math.sqrt(0.5)
    t = 1.0 / (1.0 + 0.5 * z)
    fit = 0.0
    for coefficient in reversed(_ERFC):
        fit = fit * t + coefficient
    return math.log(0.5) + ops.log(t) - z * z + fit
