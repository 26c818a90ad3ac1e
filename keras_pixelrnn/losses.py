"""Negative log-likelihood."""

import keras

from keras_pixelrnn._types import Policy
from keras_pixelrnn.distributions.base import (
    HoldsDistribution,
    PixelDistribution,
    check_distribution,
)


@keras.saving.register_keras_serializable("keras_pixelrnn")
class NegativeLogLikelihood(HoldsDistribution, keras.losses.Loss):
    """Negative log-likelihood in nats per image, averaged over the batch.

    Args:
        distribution: a `PixelDistribution`.
        reduction, name, dtype: of `keras.losses.Loss`.

    Call arguments:
        y_true: images `(batch, height, width, channels)`.
        y_pred: parameters `(batch, height, width, distribution.params_size(channels))`.

    Example:

    >>> loss = NegativeLogLikelihood(Bernoulli())
    >>> float(loss(keras.ops.ones((2, 4, 5, 1)), keras.ops.zeros((2, 4, 5, 1))))  # 20 ln 2
    13.862943649291992
    """

    def __init__(
        self,
        distribution: PixelDistribution,
        reduction: str = "sum_over_batch_size",
        name: str | None = "negative_log_likelihood",
        dtype: Policy | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.distribution = check_distribution(distribution)

    def call(self, y_true, y_pred):
        return self.nats_per_image(y_true, y_pred)
