"""Which backend runs, and compiling a function for it."""

import contextlib
import contextvars
import functools
import os

import keras

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


def accelerated():
    """Whether there is an accelerator, which works on a whole batch at once."""
    if name() == "tensorflow":
        import tensorflow as tf

        return any(d.device_type != "CPU" for d in tf.config.get_visible_devices())
    import jax

    return jax.default_backend() != "cpu"


def cores():
    """How many loops it is worth to run at the same time: one per core of the processor that this
    process may use, and a single one on an accelerator."""
    if accelerated():
        return 1
    usable = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    return len(usable(0))


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
            with tracing(xla):
                return function(*args)

        # TensorFlow warns of code that is traced often; all that is compiled here is of the same code.
        own = functools.partial(traced)
        return tf.function(own, jit_compile=xla, autograph=False)

    import jax

    def with_values(values, *args):
        # jax.jit would freeze variables that the function closes over; as arguments they stay live.
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*args)

    jitted = jax.jit(with_values)
    return lambda *args: jitted([variable.value for variable in variables], *args)


@contextlib.contextmanager
def tracing(xla):
    """Within it `under_xla` answers as in a function that `compiled` traces."""
    token = _XLA.set(xla)
    try:
        yield
    finally:
        _XLA.reset(token)


def trace(function, *args):
    """Trace what `compiled` returned for arguments like these, without running it, where that can be
    done apart: in the thread that it is called in, whose scopes it sees. It is compiled when run."""
    if name() == "tensorflow":
        function.get_concrete_function(*args)


def under_xla():
    """Whether the function being traced by `compiled` is for XLA; a hint which of two ways to the same
    result is faster, never more."""
    return name() == "jax" or _XLA.get()
