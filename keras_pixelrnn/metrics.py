"""Likelihood as the field states it: nats per image and bits per dimension."""

import math

import keras
from keras import ops


class _LikelihoodMetric(keras.metrics.Mean):
    """Mean over images of a negative log-likelihood in some unit."""

    def __init__(self, distribution, name, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.distribution = distribution

    def update_state(self, y_true, y_pred, sample_weight=None):
        nats = -ops.sum(self.distribution.log_prob(y_pred, y_true), axis=(1, 2, 3))
        super().update_state(self._in_unit(nats, y_true.shape), sample_weight=sample_weight)

    def get_config(self):
        return {
            **super().get_config(),
            "distribution": keras.saving.serialize_keras_object(self.distribution),
        }

    @classmethod
    def from_config(cls, config):
        distribution = keras.saving.deserialize_keras_object(config["distribution"])
        return cls(**{**config, "distribution": distribution})


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

    def __init__(self, distribution, name="nats", dtype=None):
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

    def __init__(self, distribution, name="bits_per_dim", dtype=None):
        super().__init__(distribution, name, dtype)

    def _in_unit(self, nats, image_shape):
        return bits_per_dim(nats, image_shape[1:])


def bits_per_dim(nats, image_shape):
    """Nats per image (a negative log-likelihood) to bits per sub-pixel of `(H, W, C)` images."""
    return nats / (math.log(2.0) * math.prod(image_shape))
