"""Arguments that people pass: each comes back as what it was meant to be, or raises an error that says
what was expected. `ValueError` for values, `TypeError` for names of arguments."""

from keras_pixelrnn.checks.arguments import OF_EVERY_LAYER, taken_by, unknown
from keras_pixelrnn.checks.controls import SMALLEST, controls
from keras_pixelrnn.checks.dtypes import POLICIES, dtype_policy
from keras_pixelrnn.checks.images import (
    as_array,
    image_array,
    image_values,
    images,
    is_float,
    known,
)
from keras_pixelrnn.checks.numbers import (
    MOST_BLOCKS,
    MOST_CLASSES,
    MOST_FEATURES,
    MOST_KERNEL,
    MOST_MIXTURES,
    MOST_UNITS,
    choice,
    drawn,
    fraction,
    image_shape,
    is_whole,
    kernel_size,
    layer_name,
    odd,
    optional,
    positive_int,
    rate,
    shown,
    switch,
    whole,
)
from keras_pixelrnn.checks.paths import local

__all__ = [
    "MOST_BLOCKS",
    "MOST_CLASSES",
    "MOST_FEATURES",
    "MOST_KERNEL",
    "MOST_MIXTURES",
    "MOST_UNITS",
    "OF_EVERY_LAYER",
    "POLICIES",
    "SMALLEST",
    "as_array",
    "choice",
    "controls",
    "drawn",
    "dtype_policy",
    "fraction",
    "image_array",
    "image_shape",
    "image_values",
    "images",
    "is_float",
    "is_whole",
    "kernel_size",
    "known",
    "layer_name",
    "local",
    "odd",
    "optional",
    "positive_int",
    "rate",
    "shown",
    "switch",
    "taken_by",
    "unknown",
    "whole",
]
