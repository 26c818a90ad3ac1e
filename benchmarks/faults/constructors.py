"""Every public constructor with arguments that fit, and what else would fit."""

from typing import NamedTuple

import keras_pixelrnn as kp
from benchmarks.faults.values import either, never, number, odd, optional, sizes, whole

D, L, M = kp.distributions, kp.layers, kp.models
BERNOULLI = D.Bernoulli()
SWITCH = either(True, False)
COUNT = whole(1, 4096)
DTYPE = either(None, "float32", "mixed_bfloat16", "mixed_float16")


class Constructor(NamedTuple):
    """A class, arguments that fit, and for each a function that says what may be meant."""

    make: type
    good: dict
    fits: dict


MODEL = {
    "image_shape": sizes((3,), 1, 4),
    "distribution": never,
    "units": COUNT,
    "num_blocks": whole(1, 1000),
    "head_units": optional(COUNT),
    "kernel_size": odd(),
    "dropout": number(0, 1),
    "num_classes": optional(whole(1, 100_000)),
    "context_shape": optional(lambda x: sizes((1,), 1, 4096)(x) or sizes((3,), 1, 4096)(x)),
    "dtype": DTYPE,
    "name": lambda x: x is None or (isinstance(x, str) and "/" not in x and x),
    "trainable": SWITCH,
}
TINY = {"image_shape": (4, 5, 1), "distribution": BERNOULLI, "units": 3, "num_blocks": 1}
RECURRENT = {"units": COUNT, "colors": COUNT, "learned_initial_state": SWITCH, "dtype": DTYPE}
RECURRENCE = either("diagonal", "row")
LEVELS = whole(2, 2**16)
MIXTURE = {"levels": LEVELS, "num_mixtures": whole(1, 1000)}

CONSTRUCTORS = [
    Constructor(M.PixelCNN, TINY, {**MODEL, "skip": SWITCH}),
    Constructor(
        M.PixelRNN,
        TINY,
        {**MODEL, "skip": SWITCH, "recurrence": RECURRENCE, "learned_initial_state": SWITCH},
    ),
    Constructor(
        M.GatedPixelCNN,
        TINY,
        {**MODEL, "kernel_size": lambda x: odd(3)(x) and isinstance(x, int)},
    ),
    Constructor(
        M.MultiScalePixelRNN,
        TINY,
        {**MODEL, "factor": whole(2, 4), "context_units": COUNT, "recurrence": RECURRENCE},
    ),
    Constructor(
        L.MaskedConv2D,
        {"filters": 4, "kernel_size": 3, "mask_type": "B"},
        {
            "filters": COUNT,
            "kernel_size": odd(),
            "mask_type": either("A", "B"),
            "colors": whole(1, 4),
            "gates": either(1, 2, 4),
            "dtype": DTYPE,
        },
    ),
    Constructor(L.RowLSTM, {"units": 3}, RECURRENT),
    Constructor(L.DiagonalBiLSTM, {"units": 3}, RECURRENT),
    Constructor(
        L.GatedStacks,
        {"units": 3, "num_blocks": 1},
        {
            "units": COUNT,
            "num_blocks": whole(1, 1000),
            "colors": whole(1, 3),
            "kernel_size": lambda x: odd(3)(x) and isinstance(x, int),
            "dropout": number(0, 1),
            "dtype": DTYPE,
        },
    ),
    Constructor(
        L.VerticalConv2D,
        {"filters": 3, "rows": 2, "columns": 3, "own_row": True},
        {
            "filters": COUNT,
            "rows": whole(1, 255),
            "columns": lambda x: odd()(x) and isinstance(x, int),
            "own_row": SWITCH,
            "dtype": DTYPE,
        },
    ),
    Constructor(
        L.ResidualBlock,
        {"inner": L.Pointwise("relu")},
        {"inner": never, "colors": COUNT, "dropout": number(0, 1), "dtype": DTYPE},
    ),
    Constructor(
        L.EmbeddedCodes,
        {"inner": L.MaskedConv2D(4, 3, mask_type="A"), "levels": 5, "size": 2},
        {"inner": never, "levels": whole(1, 2**16), "size": whole(1, 16384), "dtype": DTYPE},
    ),
    Constructor(
        L.CausalStack,
        {"layers": [L.Pointwise("relu")]},
        {"layers": never, "skip": SWITCH, "colors": COUNT, "dtype": DTYPE},
    ),
    Constructor(
        D.Categorical,
        {"levels": 5, "embedded": True},
        {"levels": LEVELS, "embedded": SWITCH, "embedding_size": optional(COUNT)},
    ),
    Constructor(D.DiscretizedLogisticMixture, {"levels": 5}, MIXTURE),
    Constructor(D.DiscretizedNormalMixture, {"levels": 5}, MIXTURE),
    Constructor(
        kp.losses.NegativeLogLikelihood, {"distribution": BERNOULLI}, {"distribution": never}
    ),
    Constructor(kp.metrics.NatsPerImage, {"distribution": BERNOULLI}, {"distribution": never}),
    Constructor(kp.metrics.BitsPerDimension, {"distribution": BERNOULLI}, {"distribution": never}),
]
