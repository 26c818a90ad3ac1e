"""Likelihood as the field states it: nats per image and bits per dimension."""

import math
from typing import Any

import keras

from keras_pixelrnn import checks
from keras_pixelrnn._types import Policy, Shape
from keras_pixelrnn.distributions.base import (
    HoldsDistribution,
    PixelDistribution,
    check_distribution,
)


class _LikelihoodMetric(HoldsDistribution, keras.metrics.Mean):
    """Mean over images of a negative log-likelihood in some unit."""

    _direction = "down"  # for callbacks of Keras that monitor it

    def __init__(
        self, distribution: PixelDistribution, name: str | None, dtype: Policy | None = None
    ):
        super().__init__(name=name, dtype=dtype)
        self.distribution = check_distribution(distribution)

    def update_state(self, y_true, y_pred, sample_weight=None):
        nats = self.nats_per_image(y_true, y_pred)
        super().update_state(self._in_unit(nats, y_true.shape), sample_weight=sample_weight)


@keras.saving.register_keras_serializable("keras_pixelrnn")
class NatsPerImage(_LikelihoodMetric):
    """Mean negative log-likelihood in nats per image.

    Args:
        distribution: a `PixelDistribution`.
        name, dtype: of `keras.metrics.Metric`.

    Example:

    >>> metric = NatsPerImage(Bernoulli())
    >>> metric.update_state(keras.ops.ones((2, 4, 5, 1)), keras.ops.zeros((2, 4, 5, 1)))
    >>> float(metric.result())  # 20 ln 2
    13.862943649291992
    """

    def __init__(
        self,
        distribution: PixelDistribution,
        name: str | None = "nats",
        dtype: Policy | None = None,
    ):
        super().__init__(distribution, name, dtype)

    def _in_unit(self, nats, image_shape):
        return nats


@keras.saving.register_keras_serializable("keras_pixelrnn")
class BitsPerDimension(_LikelihoodMetric):
    """Mean negative log-likelihood in bits per sub-pixel: `nats / (ln 2 * H * W * C)`.

    Args:
        distribution: a `PixelDistribution`.
        name, dtype: of `keras.metrics.Metric`.

    Example:

    >>> metric = BitsPerDimension(Bernoulli())
    >>> metric.update_state(keras.ops.ones((2, 4, 5, 1)), keras.ops.zeros((2, 4, 5, 1)))
    >>> float(metric.result())
    1.0
    """

    def __init__(
        self,
        distribution: PixelDistribution,
        name: str | None = "bits_per_dim",
        dtype: Policy | None = None,
    ):
        super().__init__(distribution, name, dtype)

    def _in_unit(self, nats, image_shape):
        return bits_per_dim(nats, tuple(image_shape[1:]))  # no TensorShape


def bits_per_dim(nats: Any, image_shape: Shape) -> Any:
    """Nats per image (a negative log-likelihood) to bits per sub-pixel.

    Args:
        nats: number, array or tensor, also one in a graph.
        image_shape: `(height, width, channels)`.

    Returns:
        What `nats` is, divided by `ln 2 * height * width * channels`.

    Raises:
        ValueError: nats that are no numbers, another shape of images.

    Example:

    >>> bits_per_dim(np.array([44.361419555836499]), (8, 8, 1))
    array([1.])
    """
    shape = checks.image_shape(image_shape)
    if not (hasattr(nats, "shape") and hasattr(nats, "dtype")):
        nats = checks.as_array("nats", nats)[()]
    return nats / (math.log(2.0) * math.prod(shape))
