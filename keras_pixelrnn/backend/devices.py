"""The devices and processes that train together."""

import contextlib
import os
import sys

import keras
import numpy as np

from keras_pixelrnn.backend.compiling import name

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"  # what `keras.distribution.initialize` reads
COUNT, NUMBER = "KERAS_DISTRIBUTION_NUM_PROCESSES", "KERAS_DISTRIBUTION_PROCESS_ID"
WORDS = 1_000  # bytes of what the first process says to the others


class Team:
    """All devices of this process, and those of the processes it trains with; within `with`, models
    that are made and fitted use them.

    Each device has the whole model and works on its part of each batch (data parallelism).
    Under TensorFlow `tf.distribute.MirroredStrategy`, one process; under JAX
    `keras.distribution.DataParallel`, and several processes where the environment names them as
    `keras.distribution.initialize` wants it: KERAS_DISTRIBUTION_JOB_ADDRESSES (of the first,
    `host:port`), KERAS_DISTRIBUTION_NUM_PROCESSES, KERAS_DISTRIBUTION_PROCESS_ID.

    Attributes:
        devices: number of devices in all.
        processes: number of processes.
        rank: number of this process; 0 leads: it alone writes.

    Raises:
        ValueError: some of these variables are set and others are not; several processes are asked of
            TensorFlow.
    """

    def __init__(self, distribute=True):
        self.devices, self.processes, self.rank = 1, 1, 0
        self._within, self._scope = contextlib.ExitStack(), contextlib.nullcontext
        if not distribute:
            return
        told = [variable for variable in (ADDRESSES, COUNT, NUMBER) if os.environ.get(variable)]
        if told and len(told) < 3:
            raise ValueError(
                f"Several processes are told of each other by all of {ADDRESSES}, {COUNT} and {NUMBER}. "
                f"Received: {', '.join(told)} alone"
            )
        if name() == "jax":
            import jax

            if told:
                # JAX would take over SIGTERM, and only note it.
                jax.config.update("jax_enable_preemption_service", False)
                keras.distribution.initialize()
            self.processes, self.rank = jax.process_count(), jax.process_index()
            self.devices = jax.device_count()
            spread = keras.distribution.DataParallel(auto_shard_dataset=False)
            self._scope = spread.scope
            return
        if told:
            raise ValueError(
                "Several processes train under JAX alone: set KERAS_BACKEND=jax. Under TensorFlow one "
                f"process uses all of its devices. Received: {COUNT}={os.environ[COUNT]}"
            )
        import tensorflow as tf

        strategy = tf.distribute.MirroredStrategy(
            [device.name for device in tf.config.list_logical_devices(_kind(tf))]
        )
        self.devices = strategy.num_replicas_in_sync
        self._scope = strategy.scope

    def __enter__(self):
        self._within.enter_context(self._scope())
        return self

    def __exit__(self, *error):
        self._within.close()

    @property
    def part(self):
        """`(rank, processes)`: which part of each batch this process feeds."""
        return self.rank, self.processes

    @contextlib.contextmanager
    def led(self):
        """A block that the first process goes through first, and the others if it got through."""
        if self.rank:
            if failed := self._told(""):
                raise ValueError(f"The first process says: {failed}")
            yield
            return
        try:
            yield
        except Exception as error:
            self._told(str(error) or type(error).__name__)
            raise
        self._told("")

    def _told(self, words):
        """What the first process calls this with."""
        if self.processes == 1:
            return words
        from jax.experimental import multihost_utils

        said = words.encode()[:WORDS].ljust(WORDS, b"\0")
        said = multihost_utils.broadcast_one_to_all(np.frombuffer(said, np.uint8))
        return np.asarray(said, np.uint8).tobytes().rstrip(b"\0").decode(errors="replace")

    def disband(self):
        """Each process is on its own from here on."""
        if self.processes > 1:
            import jax

            jax.distributed.shutdown()

    def leave(self, code):
        """End this process now if it is one of several, which in good order end only together."""
        if self.processes > 1:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def everywhere(array):
    """`array` on the device; a copy of it on every device where training is distributed (JAX)."""
    import jax

    spread = keras.distribution.distribution()
    if spread is None:
        return jax.device_put(array)
    layout = keras.distribution.TensorLayout([None] * np.ndim(array), spread.device_mesh)
    return jax.make_array_from_callback(
        np.shape(array), layout.backend_layout, lambda where: array[where]
    )


def _kind(tf):
    return "GPU" if tf.config.list_logical_devices("GPU") else "CPU"


def over_devices(gradients):
    """The sums of gradients over the devices of a `tf.distribute` strategy, and how many these are."""
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradients, 1
    total = context.all_reduce(tf.distribute.ReduceOp.SUM, list(gradients))
    return total, context.num_replicas_in_sync


def by_share(loss, share):
    """`loss`, a mean over a device's images, with the gradient that makes the devices' average that of
    the whole batch. Keras' own counts every device alike, however few images it was given.

    Args:
        loss: scalar.
        share: scalar, what the mean was divided by: how many images, or the sum of their weights.
    """
    if name() != "tensorflow":
        return loss
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return loss
    own = tf.cast(share, loss.dtype)
    total = context.all_reduce(tf.distribute.ReduceOp.SUM, own)
    counted = loss * tf.math.divide_no_nan(own * context.num_replicas_in_sync, total)
    return counted + tf.stop_gradient(loss - counted)  # what is shown stays the loss
