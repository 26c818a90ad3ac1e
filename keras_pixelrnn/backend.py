"""What `keras.ops` has no word for: compiling a function, and a scan that is lean without XLA."""

import contextvars

import keras
from keras import tree

_XLA = contextvars.ContextVar("xla", default=False)


def name():
    """Name of the Keras backend in use; `ValueError` for one this package does not run on."""
    backend = keras.config.backend()
    if backend not in ("tensorflow", "jax"):
        raise ValueError(
            "keras_pixelrnn runs on the TensorFlow and JAX backends of Keras. Set the "
            "environment variable KERAS_BACKEND to 'tensorflow' or 'jax' before importing keras. "
            f"Received: KERAS_BACKEND={backend!r}"
        )
    return backend


def compiled(function, variables, xla=True):
    """`function` as a compiled function of tensors, traced once per input shape.

    Args:
        function: takes and returns nested tensors; may read `variables`, must not write them.
        variables: every Keras variable that `function` reads.
        xla: compile with XLA (always so on JAX).

    Returns:
        A callable that sees the values the variables have when it is called.
    """
    if name() == "tensorflow":
        import tensorflow as tf

        def traced(*args):
            token = _XLA.set(xla)
            try:
                return function(*args)
            finally:
                _XLA.reset(token)

        return tf.function(traced, jit_compile=xla, autograph=False)

    import jax

    def with_values(values, *args):
        # jax.jit would freeze variables that the function closes over; as arguments they stay live.
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*args)

    jitted = jax.jit(with_values)
    return lambda *args: jitted([variable.value for variable in variables], *args)


def under_xla():
    """Whether the function being traced by `compiled` is for XLA; a hint which of two ways to the same
    result is faster, never more."""
    return name() == "jax" or _XLA.get()


def scan(function, carry, inputs, like, reverse=False):
    """`jax.lax.scan` on both backends: `function(carry, x) -> (carry, y)` along the first axis.

    `keras.ops.scan` on TensorFlow moves the carry through a TensorArray at each step and needs
    outputs shaped like it. Here the carry is a loop variable and outputs are free.

    Args:
        function: one step. Every leaf of the carry keeps its shape and dtype.
        carry: nested tensors, the state before the first step.
        inputs: nested tensors `(length, ...)`, one slice per step.
        like: nested tensors with the structure, shapes and dtypes of one step's `y`.
        reverse: walk from the last slice to the first; outputs keep the order of `inputs`.

    Returns:
        The final carry, and the outputs stacked along a new first axis.
    """
    if name() == "jax":
        import jax

        return jax.lax.scan(function, carry, inputs, reverse=reverse)

    import tensorflow as tf

    first = tree.flatten(inputs)[0]
    length = first.shape[0] if first.shape[0] is not None else tf.shape(first)[0]

    def array(x, shape):
        return tf.TensorArray(x.dtype, length, element_shape=shape)

    sources = [array(x, x.shape[1:]).unstack(x) for x in tree.flatten(inputs)]
    sinks = [array(y, y.shape) for y in tree.flatten(like)]

    def step(count, carry, sinks):
        index = length - 1 - count if reverse else count
        x = tree.pack_sequence_as(inputs, [source.read(index) for source in sources])
        carry, y = function(carry, x)
        sinks = [s.write(index, leaf) for s, leaf in zip(sinks, tree.flatten(y), strict=True)]
        return count + 1, carry, sinks

    _, carry, sinks = tf.while_loop(
        lambda count, *_: count < length,
        step,
        (0, tree.map_structure(tf.convert_to_tensor, carry), sinks),
        maximum_iterations=length,  # XLA sizes the stacks by it
    )
    return carry, tree.pack_sequence_as(like, [sink.stack() for sink in sinks])
