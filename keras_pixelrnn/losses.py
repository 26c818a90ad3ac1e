"""Negative log-likelihood."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_pixelrnn")
class NegativeLogLikelihood(keras.losses.Loss):
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
        distribution,
        reduction="sum_over_batch_size",
        name="negative_log_likelihood",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.distribution = distribution

    def call(self, y_true, y_pred):
        return -ops.sum(self.distribution.log_prob(y_pred, y_true), axis=(1, 2, 3))

    def get_config(self):
        return {
            **super().get_config(),
            "distribution": keras.saving.serialize_keras_object(self.distribution),
        }

    @classmethod
    def from_config(cls, config):
        distribution = keras.saving.deserialize_keras_object(config["distribution"])
        return cls(**{**config, "distribution": distribution})
