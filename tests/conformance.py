"""The table of everything that keeps the contracts. A new model, layer or distribution is one line
here, and then goes through the same tests as all others."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import keras_pixelrnn as kp
from keras_pixelrnn import layers
from tests import context_map as seen

D = kp.distributions
MONO, COLOR = (5, 7, 1), (4, 3, 3)  # height differs from width, units from multiples of channels


class ModelCase(NamedTuple):
    """A model, and the sub-pixels it promises to see."""

    name: str
    make: Callable
    promised: Callable  # image_shape -> (n, n) bool, [earlier, later]

    def __str__(self):
        return self.name


def _models():
    architectures = {
        "diagonal": (
            lambda **o: kp.models.PixelRNN(recurrence="diagonal", **o),
            lambda shape: seen.stack(shape, [seen.diagonal] * 2),
        ),
        "row": (
            lambda **o: kp.models.PixelRNN(recurrence="row", **o),
            lambda shape: seen.stack(shape, [seen.row] * 2),
        ),
        "pixelcnn": (
            kp.models.PixelCNN,
            lambda shape: seen.stack(shape, [seen.convolution_3x3] * 2),
        ),
    }
    heads = {
        "bernoulli": (MONO, D.Bernoulli),
        "categorical": (COLOR, lambda: D.Categorical(5)),
        "logistic": (COLOR, lambda: D.DiscretizedLogisticMixture(5, num_mixtures=3)),
    }
    pairs = [(name, head) for name in architectures for head in ("bernoulli", "categorical")]
    for architecture, head in [*pairs, ("row", "logistic")]:
        make, promised = architectures[architecture]
        shape, distribution = heads[head]
        yield ModelCase(
            f"{architecture}-{head}-{shape[2]}",
            lambda make=make, shape=shape, distribution=distribution, **options: make(
                image_shape=shape,
                distribution=distribution(),
                units=8,
                num_blocks=2,
                head_units=20,
                **options,
            ),
            promised,
        )


MODELS = list(_models())

# name: (factory of colours, input features, one changed value for every constructor argument)
LAYERS = {
    "MaskedConv2D": lambda colors: layers.MaskedConv2D(7, (3, 5), mask_type="B", colors=colors),
    "MaskedConv2D-A": lambda colors: layers.MaskedConv2D(7, (5, 3), mask_type="A", colors=colors),
    "MaskedConv2D-A-1x1": lambda colors: layers.MaskedConv2D(7, 1, mask_type="A", colors=colors),
    "MaskedConv2D-gates": lambda colors: layers.MaskedConv2D(
        12, 1, mask_type="B", colors=colors, gates=4, activation="relu"
    ),
    "MaskedConv2D-tall": lambda colors: layers.MaskedConv2D(
        4, (3, 1), mask_type="B", colors=colors
    ),
    "Pointwise": lambda colors: layers.Pointwise("relu"),
    "RowLSTM": lambda colors: layers.RowLSTM(5, colors=colors),
    "DiagonalBiLSTM": lambda colors: layers.DiagonalBiLSTM(5, colors=colors),
    "ResidualBlock": lambda colors: layers.ResidualBlock(
        layers.RowLSTM(4, colors=colors), colors=colors, dropout=0.5, activation="relu"
    ),
    "CausalStack": lambda colors: layers.CausalStack(
        [
            layers.ResidualBlock(layers.DiagonalBiLSTM(4, colors=colors), colors=colors),
            layers.ResidualBlock(layers.DiagonalBiLSTM(3, colors=colors), colors=colors),
        ],
        skip=True,
        colors=colors,
    ),
}

DISTRIBUTIONS = {
    "Bernoulli": D.Bernoulli(),
    "Categorical-2": D.Categorical(2),
    "Categorical-17": D.Categorical(17),
    "Categorical-256": D.Categorical(256),
    "Logistic-17": D.DiscretizedLogisticMixture(17, num_mixtures=3),
    "Logistic-256": D.DiscretizedLogisticMixture(256, num_mixtures=2),
    "Normal-5": D.DiscretizedNormalMixture(5, num_mixtures=1),
    "Normal-256": D.DiscretizedNormalMixture(256, num_mixtures=4),
}


def randomised(model, scale=0.5, seed=0):
    """`model` with random weights large enough that every dependence shows in float32."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) * scale for w in model.get_weights()])
    return model


def random_images(model, count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, model.distribution.levels, (count, *model.image_shape)).astype(np.uint8)
