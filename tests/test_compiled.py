"""Losses and metrics of `compile` mean something for parameters of a model's distribution."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

import keras_pixelrnn as kp

IMAGES = np.zeros((2, 4, 5, 1), np.uint8)
OTHER = kp.distributions.Categorical(4)
NLL = kp.losses.NegativeLogLikelihood
BITS = kp.metrics.BitsPerDimension


def made(**options):
    model = kp.models.PixelCNN((4, 5, 1), kp.distributions.Categorical(6), units=3, num_blocks=1)
    model.compile("sgd", run_eagerly=True, **options)
    return model


def own(images, params):
    """A loss of somebody's own."""
    return -ops.sum(kp.distributions.Categorical(6).log_prob(params, images), axis=(1, 2, 3))


class Own(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return own(y_true, y_pred)


WRONG = {
    "text": {"loss": "mse"},
    "text that is none": {"loss": "nll"},
    "function": {"loss": keras.losses.mean_squared_error},
    "object": {"loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
    "in a list": {"loss": ["mae"]},
    "in part": {"loss": functools.partial(keras.losses.mean_squared_error)},
    "other levels": {"loss": NLL(OTHER)},
    "other distribution": {"loss": NLL(kp.distributions.Bernoulli())},
    "metric by text": {"metrics": ["accuracy"]},
    "metric object": {"metrics": [keras.metrics.MeanSquaredError()]},
    "metric of other levels": {"metrics": [BITS(OTHER)]},
    "weighted": {"weighted_metrics": ["mae"]},
    "one of two": {"metrics": [BITS(kp.distributions.Categorical(6)), "mse"]},
}


@pytest.mark.parametrize("fault", WRONG)
@pytest.mark.parametrize("name", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_what_reads_parameters_as_pixels_is_refused(fault, name):
    argument = next(iter(WRONG[fault]))
    with pytest.raises(ValueError, match=f"`{argument}` of `compile` must"):
        getattr(made(**WRONG[fault]), name)(IMAGES)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"loss": own},
        {"loss": lambda images, params: own(images, params)},
        {"loss": functools.partial(own)},
        {"loss": Own()},
        {"loss": NLL(kp.distributions.Categorical(6))},
        {"metrics": [own, BITS(kp.distributions.Categorical(6))], "weighted_metrics": [own]},
        {"metrics": [keras.metrics.MeanMetricWrapper(own)]},
    ],
)
def test_what_takes_parameters_is_taken(given):
    assert np.isfinite(made(**given).test_on_batch(IMAGES)).all()


def test_the_way_out_that_is_told_is_one():
    model = made(loss="mse")
    with pytest.raises(
        ValueError, match=r"Compile with .*NegativeLogLikelihood\(model.distribution"
    ):
        model.test_on_batch(IMAGES)
    model.compile("sgd", loss=NLL(model.distribution), run_eagerly=True)
    assert np.isfinite(model.test_on_batch(IMAGES))
