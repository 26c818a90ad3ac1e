"""`tf.data.Dataset`s whose batches are looked at in their own graph, before a step sees them."""

import keras
import numpy as np


def is_dataset(x):
    """Whether this is a `tf.data.Dataset`; needs no TensorFlow to know."""
    return _is_one(x, "DatasetV2", "tensorflow.python.")


def passes_through(x):
    """Whether this is a loader that cannot be looked into: distributed, PyTorch's or Grain's."""
    return any(
        _is_one(x, name, module)
        for name, module in [
            ("DistributedDataset", "tensorflow.python."),
            ("DistributedDatasetsFromFunction", "tensorflow.python."),
            ("DataLoader", "torch.utils.data"),
            ("DataLoader", "grain"),
        ]
    )


def is_grain(x):
    """Whether this is a Grain data set, which has a `map`."""
    return _is_one(x, "MapDataset", "grain") or _is_one(x, "IterDataset", "grain")


def _is_one(x, name, module):
    return any(c.__name__ == name and c.__module__.startswith(module) for c in type(x).__mro__)


def checked(dataset, inputs, levels, most_weight, class_weights=None):
    """The same batches as `(x,)` or `(x, image, weight)`; a bad one raises what `inputs` says of it.

    A good batch costs some comparisons; Python runs only for one that is bad, or whose shape is not
    known before.

    Args:
        dataset: of batches.
        inputs: `models.inputs.Inputs`, or the like: `parts(x, y)` says what is what, `static(image)`
            checks what is known beforehand, `arrays(x, y, weight)` checks and converts arrays.
        levels: number of values of a sub-pixel.
        most_weight: magnitude that the weight of an image may have.
        class_weights: float32 `(classes,)`, or None.
    """
    import tensorflow as tf

    context_ = inputs.context

    def look(*element):
        element = element if isinstance(dataset.element_spec, tuple) else element[0]
        x, y, weight = keras.utils.unpack_x_y_sample_weight(element)
        image, context, target = inputs.parts(x, y)
        for part in (image, context, target, weight):
            if part is not None and not isinstance(part, tf.Tensor):
                raise ValueError(
                    "Batches must be dense tensors. Received: a data set with elements "
                    f"{dataset.element_spec}"
                )
        known = image.shape.rank is not None
        if known:
            inputs.static(image)
        fine = [tf.constant(known)]
        if known:
            fine.append(tf.shape(image)[0] > 0)
            fine += _fit(tf, image, inputs.image_shape, levels)
        if target is not None:
            same = known and target.shape.rank is not None and target.dtype == image.dtype
            if same and image.shape[1:].is_compatible_with(target.shape[1:]):
                fine.append(tf.reduce_all(tf.equal(image, target)))
            else:
                fine.append(tf.constant(False))
        as_it_is = context is None or (
            context.shape.rank == 1 + len(context_.shape) and context.dtype != tf.string
        )
        if context is not None and as_it_is:
            fine += _context_fits(tf, context, image, context_)
        if weight is not None:
            real = weight.dtype.is_floating or weight.dtype.is_integer or weight.dtype.is_bool
            known_rank = weight.shape.rank == 1 and real
            fine.append(tf.constant(known_rank))
            if known_rank:
                magnitude = tf.abs(tf.cast(weight, tf.float32))  # nan is not below either
                fine.append(tf.reduce_all(magnitude <= most_weight))
                fine.append(tf.equal(tf.shape(weight)[0], tf.shape(image)[0]))
        dtype = context_.dtype if context is not None else "float32"
        given = [part for part in (image, context, target, weight) if part is not None]
        has = [part is not None for part in (context, target, weight)]

        def slow():
            def check(image, *others):
                others = iter(others)
                context, target, weight = (next(others) if one else None for one in has)
                x = image if context is None else (image, context)
                x, weight = inputs.arrays(x, target, weight)
                return (
                    np.zeros(0, np.float32) if context is None else x[1],
                    np.zeros(0, np.float32) if weight is None else weight,
                )

            return tuple(tf.numpy_function(check, given, [tf.as_dtype(dtype), tf.float32]))

        def fast():
            nothing = tf.zeros([0], tf.float32)
            return (
                nothing if context is None else tf.cast(context, dtype),
                nothing if weight is None else tf.reshape(tf.cast(weight, tf.float32), [-1]),
            )

        if as_it_is and (weight is None or real):
            found, weights = tf.cond(tf.reduce_all(tf.stack(fine)), fast, slow)
        else:  # labels of another form, weights that are no numbers
            found, weights = slow()
        with tf.control_dependencies([found]):
            image = tf.ensure_shape(tf.identity(image), [None, *inputs.image_shape])
        batch = image.shape[0]
        x = image
        if context is not None:
            found.set_shape([batch, *context_.shape])
            x = (image, found)
        if weight is None and class_weights is None:
            return (x,)
        weights.set_shape([batch if weight is not None else None])
        if class_weights is not None:
            of_class = tf.gather(class_weights, found)
            weights = of_class if weight is None else weights * of_class
        return (x, image, weights)

    return dataset.map(tf.autograph.experimental.do_not_convert(look))


def _fit(tf, image, image_shape, levels):
    """Conditions that a batch of images of known rank meets."""
    if not image.shape[1:].is_fully_defined():
        yield tf.reduce_all(tf.equal(tf.shape(image)[1:], image_shape))
    if image.dtype.min < 0 or image.dtype.max >= levels:
        yield tf.reduce_min(image) >= 0
        yield tf.reduce_max(image) <= tf.cast(levels - 1, image.dtype)


def _context_fits(tf, context, image, expected):
    """Conditions that a batch of contexts of the expected rank meets."""
    yield tf.equal(tf.shape(context)[0], tf.shape(image)[0])
    if expected.shape:
        yield tf.reduce_all(tf.equal(tf.shape(context)[1:], expected.shape))
    if expected.num_classes is None:
        real = context.dtype.is_floating or context.dtype.is_integer
        yield tf.constant(real)
        if real:
            yield tf.reduce_all(tf.math.is_finite(tf.cast(context, tf.float32)))
    else:
        whole = context.dtype.is_integer
        yield tf.constant(whole)
        if whole:
            label = tf.cast(context, tf.int64)
            yield tf.reduce_all((label >= 0) & (label < expected.num_classes))
