"""Bernoulli distribution of binary sub-pixels."""

from typing import Any

import keras
from keras import ops

from keras_pixelrnn._types import Tensor
from keras_pixelrnn.distributions.base import PixelDistribution


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Bernoulli(PixelDistribution):
    """Binary sub-pixels; the one parameter of each is the logit of value 1.

    Example:

    >>> float(Bernoulli().log_pmf(keras.ops.zeros((1, 1)), None, 0)[0, 1])
    -0.6931471824645996
    """

    levels = 2

    def __init__(self):  # so that the error about an argument names it
        super().__init__()

    def params_size(self, channels: int) -> int:
        return channels

    def log_prob(self, params: Tensor, image: Tensor) -> Tensor:
        params = ops.cast(params, "float32")
        image = ops.cast(image, "float32")
        inside = ops.logical_or(image == 0.0, image == 1.0)
        log_prob = ops.log_sigmoid((2.0 * image - 1.0) * params)
        return ops.where(inside, log_prob, -float("inf"))

    def log_pmf(self, params: Tensor, pixel: Tensor, channel: int) -> Tensor:
        logit = ops.cast(params[:, channel : channel + 1], "float32")
        return ops.log_sigmoid(ops.concatenate([-logit, logit], axis=-1))

    def draw(self, params: Tensor, pixel: Tensor, channel: int, u: Tensor) -> Tensor:
        return _drawn(params[:, channel], u)

    def drawer(self, channels: int) -> Any:
        if channels > 1:
            return super().drawer(channels)
        # Nothing to be cut out: each operation counts at each pixel.
        return lambda params: lambda values, u: _drawn(params, u)


def _drawn(logit, u):
    return ops.cast(ops.sigmoid(-ops.cast(logit, "float32")) <= u, "float32")
