"""How far what a network computes may differ on another machine, seen from two executions on this one.

With and without XLA a network's results differ as they do between machines: in the order of sums. The
differences of a pixel's parameters, pooled with those of its image, say how large that noise is there:
on CIFAR-10 ten times larger at some pixels than at most.
"""

import numpy as np
from keras import ops

FACTOR = 8.0  # of what is expected, to cover what is not
UNKNOWN = 4e-6  # where both executions are the same to the bit, as under JAX, and say nothing
LEAST = 2.5e-7  # two float32 numbers that are next to each other differ by up to half of it
OF_PMF = 1e-5  # of a step of the grid: what probabilities of the very same parameters differ by
POOLED = 16  # parameters that the mean of an image counts for
SPACING = {"bfloat16": 2.0**-7, "float16": 2.0**-10}  # of numbers from 1 on


def expected(model, inputs, params):
    """Noise of the parameters, in parts of `1 + |parameter|`, as `(n, height, width, 1)`.

    Args:
        model: a `PixelModel`.
        inputs: images and context, as it takes them; at least as many as `params` has.
        params: `(n, height, width, P)`, as computed with XLA.
    """
    other = ops.convert_to_numpy(model._functions("params", xla=False)(*inputs))[: len(params)]
    apart = np.square((np.float64(other) - params) / (1.0 + np.abs(params)))
    least = max(LEAST, FACTOR * max(map(_spacing, model._flatten_layers())))
    if not apart.any():
        return np.full((*params.shape[:-1], 1), max(UNKNOWN, least))
    size = params.shape[-1]
    of_image = apart.mean(axis=(1, 2, 3), keepdims=True)
    pooled = (size * apart.mean(axis=-1, keepdims=True) + POOLED * of_image) / (size + POOLED)
    return np.maximum(FACTOR * np.sqrt(pooled), least)


def in_float32(model):
    """The model, or its equal that computes in float32, which writes and reads for it: two machines of
    lower precision agree on little. A model of one's own that cannot be made of its configuration
    stays what it is; the noise of its precision then makes most of its blocks plain ones."""
    if not any(map(_spacing, model._flatten_layers())):
        return model
    config = model.get_config()
    if "dtype" in config:  # a model of one's own may have no such argument
        config["dtype"] = "float32"
    try:
        equal = type(model).from_config(config)
    except TypeError:
        return model
    equal.set_weights(model.get_weights())
    return equal


def _spacing(layer):
    """Of numbers that a layer computes with; 0 of those of float32, whose noise is measured."""
    return SPACING.get(layer.compute_dtype, 0.0)
