"""Pixel distributions: what the value of a sub-pixel follows."""

from keras_pixelrnn.distributions.base import PixelDistribution, check_distribution
from keras_pixelrnn.distributions.bernoulli import Bernoulli
from keras_pixelrnn.distributions.categorical import Categorical
from keras_pixelrnn.distributions.mixture import (
    DiscretizedLogisticMixture,
    DiscretizedNormalMixture,
)

__all__ = [
    "Bernoulli",
    "Categorical",
    "DiscretizedLogisticMixture",
    "DiscretizedNormalMixture",
    "PixelDistribution",
    "check_distribution",
]
