"""Batches as a `tf.data.Dataset`."""


def batches(read, specs, first=0, last=None):
    """`tf.data.Dataset` of `read(step)` for the steps from `first` on, read ahead in parallel.

    Args:
        read: function from a step to a batch: an array, or a tuple of arrays.
        specs: `(shape, dtype)` of the batch, or a tuple of these; None in a shape: any size.
        first: first step.
        last: step to end before; None: never.
    """
    import tensorflow as tf

    several = isinstance(specs[0][0], tuple)
    parts = specs if several else (specs,)
    dtypes = [tf.as_dtype(dtype) for _, dtype in parts]

    def read_step(step):
        found = tf.numpy_function(
            lambda step: read(int(step)), [step], dtypes if several else dtypes[0]
        )
        found = found if several else [found]
        for tensor, (shape, _) in zip(found, parts, strict=True):
            tensor.set_shape(shape)
        return tuple(found) if several else found[0]

    if last is None:
        steps = tf.data.Dataset.counter(start=first)
    else:
        steps = tf.data.Dataset.range(first, last)
    return steps.map(read_step, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
