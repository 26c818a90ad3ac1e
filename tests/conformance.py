"""The table of everything that keeps the contracts. A new model, layer or distribution is one line
here, and then goes through the same tests as all others."""

import itertools
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


def _recurrent(recurrence):
    return lambda **o: kp.models.PixelRNN(recurrence=recurrence, **o)


ARCHITECTURES = {  # how it is made, and what it promises to see
    "diagonal": (_recurrent("diagonal"), lambda shape: seen.stack(shape, [seen.diagonal] * 2)),
    "row": (_recurrent("row"), lambda shape: seen.stack(shape, [seen.row] * 2)),
    "pixelcnn": (kp.models.PixelCNN, lambda shape: seen.stack(shape, [seen.convolution_3x3] * 2)),
    # Four layers reach across these images, and then there is no blind spot.
    "gated": (lambda **o: kp.models.GatedPixelCNN(**{**o, "num_blocks": 4}), seen.everything),
    "multi_scale": (
        kp.models.MultiScalePixelRNN,
        lambda shape: seen.multi_scale(shape, 2, [seen.diagonal] * 2),
    ),
}
HEADS = {
    "bernoulli": D.Bernoulli,
    "categorical": lambda: D.Categorical(5),
    "codes": lambda: D.Categorical(6, embedded=True, embedding_size=3),
    "logistic": lambda: D.DiscretizedLogisticMixture(5, num_mixtures=3),
    "normal": lambda: D.DiscretizedNormalMixture(5, num_mixtures=2),
}
VARIANTS = [  # architecture, head, image shape, options
    *((name, "bernoulli", MONO, {}) for name in ARCHITECTURES),
    ("diagonal", "codes", COLOR, {}),
    ("gated", "codes", MONO, {"context_shape": (*MONO[:2], 2)}),
    ("multi_scale", "codes", MONO, {}),
    *((name, "categorical", COLOR, {}) for name in ("diagonal", "pixelcnn")),
    ("gated", "categorical", COLOR, {"num_classes": 3}),
    ("multi_scale", "categorical", COLOR, {"num_classes": 3}),
    ("row", "logistic", COLOR, {"learned_initial_state": True}),
    ("pixelcnn", "logistic", COLOR, {}),
    ("diagonal", "normal", COLOR, {"num_classes": 3, "learned_initial_state": True}),
    ("row", "categorical", COLOR, {"context_shape": (2,)}),
    ("pixelcnn", "bernoulli", MONO, {"context_shape": (*MONO[:2], 2)}),
]


def _called(option, value):
    return option if option != "context_shape" else ("vector" if len(value) == 1 else "map")


def _models():
    for architecture, head, shape, own in VARIANTS:
        make, promised = ARCHITECTURES[architecture]
        kind = "".join(f"-{_called(name, value)}" for name, value in own.items())

        def build(make=make, head=head, shape=shape, own=own, **options):
            sizes = {"units": 8, "num_blocks": 2, "head_units": 20}
            settings = {"image_shape": shape, **sizes, **own, **options}
            return make(distribution=HEADS[head](), **settings)

        yield ModelCase(f"{architecture}-{head}-{shape[2]}{kind}", build, promised)


def _spanning(cases):
    """One case of each architecture, which together show all heads, numbers of channels and options."""
    words = {case: set(case.name.split("-")) for case in cases}
    each = [
        [case for case in cases if architecture in words[case]] for architecture in ARCHITECTURES
    ]
    every = set.union(*words.values())
    return next(c for c in itertools.product(*each) if set.union(*map(words.get, c)) == every)


MODELS = list(_models())
# Of a parametrised test the others are slow, unless it is marked `every_model`: an invariant.
SPANNING = _spanning(MODELS)
QUICK = next(case for case in MODELS if case.name == "pixelcnn-bernoulli-1")  # to compile


def _labelled(**options):
    sizes = {"units": 4, "num_blocks": 1, "head_units": 6, "kernel_size": 3, "num_classes": 3}
    return kp.models.PixelRNN((3, 4, 1), D.Categorical(5), "diagonal", **{**sizes, **options})


# Small, to export: both directions of an LSTM, and an input for the label.
LABELLED = ModelCase("diagonal-labelled", _labelled, ARCHITECTURES["diagonal"][1])

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
    "RowLSTM-initial": lambda colors: layers.RowLSTM(5, colors=colors, learned_initial_state=True),
    "DiagonalBiLSTM-initial": lambda colors: layers.DiagonalBiLSTM(
        5, colors=colors, learned_initial_state=True
    ),
    "GatedStacks": lambda colors: layers.GatedStacks(5, 3, colors=colors, kernel_size=5),
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
    "Logistic-250": D.DiscretizedLogisticMixture(250, num_mixtures=2),
    "Normal-5": D.DiscretizedNormalMixture(5, num_mixtures=1),
    "Normal-256": D.DiscretizedNormalMixture(256, num_mixtures=4),
}


def context_of(model, count, seed=0):
    """The arguments `context=...` for some images: none where the model takes none."""
    if not model.context.given:
        return {}
    rng = np.random.default_rng(seed)
    if model.context.num_classes:
        return {"context": rng.integers(0, model.context.num_classes, count).astype(np.int32)}
    return {"context": rng.normal(size=(count, *model.context.shape)).astype(np.float32)}


def given_of(model, count, seed=0):
    """The same as positional arguments, for the methods on tensors and for `model.context.map`."""
    return tuple(context_of(model, count, seed).values())


def randomised(model, scale=0.5, seed=0):
    """`model` with random weights large enough that every dependence shows in float32."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) * scale for w in model.get_weights()])
    return model


def random_images(model, count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, model.distribution.levels, (count, *model.image_shape)).astype(np.uint8)
