"""Gradients that are written out instead of traced."""

import weakref

import keras

from keras_pixelrnn.backend.compiling import name


def custom_gradient(function):
    """`keras.ops.custom_gradient` whose graphs can be forgotten.

    `tf.custom_gradient` enters the gradient of every graph into a register of the process, and with it
    all that the gradient refers to: the graph and the variables of the model, long after the last
    `del model`. Here the graph holds its gradient, and the register finds it for as long as the graph
    lives.

    Args:
        function: `function(*tensors) -> (tensor, gradient)`, as `keras.ops.custom_gradient` has it.

    Returns:
        `function(*tensors) -> tensor`.
    """
    wrapped = keras.ops.custom_gradient(function)
    if name() != "tensorflow":
        return wrapped

    def call(*tensors):
        result = wrapped(*tensors)
        graph = getattr(result, "graph", None)  # an eager tensor has none, nor an entry
        if graph is not None:
            _held_by(graph, result.op.get_attr("_gradient_op_type").decode())
        return result

    return call


def _held_by(graph, key):
    """Leaves the gradient `key` of the register to a graph."""
    from tensorflow.python.framework import ops

    register = ops.gradient_registry._registry
    gradient = register[key]["type"]
    graph._keras_pixelrnn_gradients = [*getattr(graph, "_keras_pixelrnn_gradients", ()), gradient]
    found = weakref.ref(gradient, lambda _: register.pop(key, None))
    register[key] = {**register[key], "type": lambda op, *upstream: found()(op, *upstream)}
