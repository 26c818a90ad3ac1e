"""Several training steps as one computation on the device (JAX)."""

import functools
import itertools

import keras
from keras import tree


def train_function(model, arrays=None):
    """What `fit` calls for each execution under JAX: all its steps in one dispatch.

    Keras itself starts them one by one, and so does this on a CPU, which has nothing to gain. What a
    step computes is the same, `model.train_step`.

    Args:
        model: compiled `keras.Model`; an execution has `model.steps_per_execution` steps.
        arrays: tuple of arrays `(n, ...)` that stay on the device; batches are then numbers of their
            rows, `(batch,)` ints, gathered there. None: batches are the data.

    Returns:
        Function of Keras' state and an iterator over batches, which gives the last step's logs and the
        new state; a value of `model.train_function`.
    """
    import jax
    import jax.numpy as jnp

    from keras_pixelrnn.backend import devices

    kept = None if arrays is None else tree.map_structure(devices.everywhere, arrays)
    count = model.steps_per_execution

    def step(state, batch, kept):
        if kept is not None:
            (rows,) = batch
            batch = tuple(array[rows] for array in kept)
        logs, after = model.train_step(state, batch)
        return logs, jax.tree.unflatten(jax.tree.structure(state), jax.tree.leaves(after))

    shardings = None
    if keras.distribution.distribution() is not None:
        shardings = (None, model._get_state_sharding_spec())

    @functools.partial(jax.jit, donate_argnums=0, out_shardings=shardings)
    def run(state, batches, kept):
        if len(batches) == 1:
            return step(state, batches[0], kept)
        stacked = tree.map_structure(lambda *parts: jnp.stack(parts), *batches)

        def next_step(state, batch):
            logs, state = step(state, batch, kept)
            return state, logs

        state, logs = jax.lax.scan(next_step, state, stacked)
        return {name: values[-1] for name, values in logs.items()}, state

    def execute(state, iterator):
        batches = tuple(itertools.islice(iterator, count))
        if not batches:
            raise StopIteration
        if looped():
            return run(state, batches, kept)
        for batch in batches:
            logs, state = run(state, (batch,), kept)
        return logs, state

    return execute


def looped():
    """Whether steps become a loop on the device. XLA runs convolutions in a loop slowly on a
    CPU."""
    import jax

    return jax.default_backend() != "cpu"
