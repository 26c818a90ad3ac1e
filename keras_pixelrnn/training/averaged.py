"""The averaged weights of an optimizer, in the model for a while."""

from contextlib import contextmanager

import numpy as np
from keras import ops


@contextmanager
def averaged(model):
    """`model` with the averaged weights that its optimizer keeps, if it does; then as before.

    `keras.callbacks.SwapEMAWeights` swaps by adding and subtracting, which moves the last bits.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema:
        yield
        return
    weights = optimizer._trainable_variables
    raw = [np.array(ops.convert_to_numpy(weight)) for weight in weights]
    for weight, average in zip(weights, optimizer._model_variables_moving_average):
        weight.assign(ops.convert_to_numpy(average))
    try:
        yield
    finally:
        for weight, value in zip(weights, raw):
            weight.assign(value)
