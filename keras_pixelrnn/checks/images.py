"""Images and masks that people pass: arrays that fit a model, or `ValueError`."""

import numpy as np

from keras_pixelrnn import mapped
from keras_pixelrnn.checks.numbers import shown


def as_array(name, value):
    """`value` as an array of numbers or booleans, or `ValueError`."""
    unmasked(f"`{name}`", value)
    try:
        array = np.asarray(value)
    except Exception as error:  # ragged, symbolic, sparse: each raises something else
        raise ValueError(
            f"`{name}` must be an array of numbers, of a known and regular shape. Inside a "
            "`tf.function` or `jax.jit`, call the method of the same name that ends in `_graph`. "
            f"Received: {name}={shown(value)}"
        ) from error
    if array.dtype.name.startswith(("bfloat", "float8")):  # NumPy knows them as no numbers
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        named = name == "context" and array.dtype.kind in "USTO"
        way_out = " Number names of classes: np.unique(names, return_inverse=True)[1]."
        raise ValueError(
            f"`{name}` must be an array of numbers.{way_out if named else ''} "
            f"Received: {name}={shown(value)}, "
            f"dtype {array.dtype}"
        )
    return array


def unmasked(where, array):
    """`ValueError` for a masked array, or a list of them: what is hidden would be taken for values."""
    if isinstance(array, (list, tuple)):
        for part in array:
            if isinstance(part, np.ma.MaskedArray):
                unmasked(where, part)
    if isinstance(array, np.ma.MaskedArray):
        raise ValueError(
            "Masked arrays are not taken: what a mask hides has no value here. Fill it in, "
            f"array.filled(0); what is to be drawn is said by `known` of `complete`. Received: {where}, "
            f"a masked array of shape {array.shape}"
        )


def tensor(name, value, words=None):
    """`value`, an array or tensor of numbers that is dense, also one in a graph; or `ValueError`.

    `words` call it so in the error, where it is part of an argument.
    """
    words = words or f"`{name}`"
    unmasked(words, value)
    if not (hasattr(value, "shape") and hasattr(value, "dtype")):
        return as_array(name, value)
    # Ragged and sparse ones of TensorFlow, JAX, SciPy and Keras' symbolic ones have these.
    ragged = getattr(value, "ragged", False) is True or hasattr(value, "row_splits")
    sparse = getattr(value, "sparse", False) is True or hasattr(value, "indices")
    if ragged or sparse or hasattr(value, "tocsr"):
        raise ValueError(
            f"{words} must be a dense array or tensor: make it one of its values, as `to_tensor()`, "
            f"`tf.sparse.to_dense` or `todense()` do. Received: {name}, a {type(value).__name__}"
        )
    dtype = getattr(value.dtype, "name", None) or str(value.dtype)
    if not dtype.startswith(("bool", "int", "uint", "float", "bfloat")):
        raise ValueError(
            f"{words} must be an array of numbers. Received: {name} of dtype {dtype}, a "
            f"{type(value).__name__}"
        )
    return value


def tensors(**values):
    """The same of several, by the names of the arguments: a tuple of them."""
    return tuple(tensor(name, value) for name, value in values.items())


def shaped(shapes, **values):
    """`tensors` of these values, each of the shape that `shapes` gives for its name.

    Sizes that a graph does not know yet fit any; None as the first of a shape is the batch, one number
    in all of them, and None elsewhere any size.
    """
    count = None
    for name, value in zip(values, tensors(**values), strict=True):
        values[name], wanted = value, shapes[name]
        found = None if getattr(value.shape, "rank", 0) is None else tuple(value.shape)
        if found is None or len(found) != len(wanted) or not all(map(_fits, found, wanted)):
            text = ", ".join("any" if size is None else str(size) for size in wanted[1:])
            way_out = _way_out(found, wanted[1:]) if found and name == "images" else ""
            raise ValueError(
                f"`{name}` must have the shape (batch{', ' if text else ','}{text}).{way_out} "
                f"Received: {name} of shape {'unknown' if found is None else found}"
            )
        if _fits(found[0], count):
            count = count if isinstance(count, int) else found[0]
        else:
            raise ValueError(
                f"`{name}` must have as many rows as `{next(iter(values))}`, one for each image. "
                f"Received: {name} of shape {found}, for {count} images"
            )
    return tuple(values.values())


def _fits(size, wanted):
    """Whether a size of an axis may be the one that is wanted: it is, or either is not known."""
    return not (isinstance(size, int) and isinstance(wanted, int)) or size == wanted


def is_float(tensor):
    """Whether a tensor, of any backend, is of floats."""
    import keras

    return keras.backend.is_float_dtype(keras.backend.standardize_dtype(tensor.dtype))


def image_array(shape, dtype, image_shape, distribution):
    """`ValueError` unless an array of that shape and dtype can hold images of a model."""
    shape = tuple(shape)
    if len(shape) != 4 or shape[1:] != image_shape:
        raise ValueError(
            f"This model takes `images` of shape (batch, {', '.join(map(str, image_shape))})"
            f": batch, height, width, channels.{_way_out(shape, image_shape)} "
            f"Received: shape {shape}"
        )
    dtype = getattr(dtype, "name", None) or str(dtype)  # of any byte order
    if not dtype.startswith(("int", "uint")):
        highest = distribution.levels - 1
        if distribution.embedding_size is not None:
            raise ValueError(
                f"`images` must be codes, integers in 0 .. {highest}; each is embedded in the model. "
                f"Pass the indices themselves, cast to {distribution.dtype}. Received: dtype {dtype}"
            )
        raise ValueError(
            f"`images` must be integers in 0 .. {highest}; scaling happens inside the model. Quantise "
            f"them and cast to {distribution.dtype}. Received: dtype {dtype}"
        )


def image_values(low, high, distribution):
    """`ValueError` unless values from `low` to `high` are levels of a distribution."""
    if low < 0 or high >= distribution.levels:
        way_out = "Quantise the images to its levels."
        if distribution.embedding_size is not None:  # any other number is another code
            way_out = "Make the model with as many levels as there are codes."
        raise ValueError(
            f"Values of `images` must lie in 0 .. {distribution.levels - 1} for "
            f"{distribution!r}. {way_out} Received: values from {low} to {high}"
        )


def images(images, image_shape, distribution):
    """`images` as an array of the distribution's dtype, or `ValueError` saying what is wrong."""
    images = as_array("images", images)
    image_array(images.shape, images.dtype, image_shape, distribution)
    low, high = mapped.extent(images) if images.size else (0, 0)
    image_values(int(low), int(high), distribution)
    return images.astype(distribution.dtype, copy=False)  # a large file stays where it is


def _way_out(shape, image_shape):
    """What to do about a shape that people often have."""
    height, width, channels = image_shape
    if shape == image_shape:
        return " For one image pass images[None], of a data set its batches: dataset.batch(n)."
    if channels == 1 and shape[1:] == (height, width):
        return " Grey images need a channel axis too: images[..., None]."
    if shape[1:] == (channels, height, width):
        return (
            " These look like PyTorch's (n, channels, height, width): np.moveaxis(images, 1, -1)."
        )
    if len(shape) == 4 and shape[3] == channels:
        return f" Images of another size are for another model: model.resized({shape[1:3]})."
    return ""


def known(known, shape, name="known", true="is given"):
    """`known` as booleans of the `shape` of the images, or `ValueError`.

    Args:
        known: array.
        shape: of the images, `(n, height, width, channels)`.
        name: of the argument.
        true: what its True says of a sub-pixel.
    """
    known = as_array(name, known)
    if known.dtype != bool:
        raise ValueError(
            f"`{name}` must be boolean: True where a sub-pixel {true}. Received: dtype {known.dtype}"
        )
    count, height, width, channels = shape
    forms = {
        (height, width): (1, height, width, 1),
        (height, width, channels): (1, height, width, channels),
        (count, height, width): (count, height, width, 1),
        (count, height, width, channels): shape,
    }
    if known.shape not in forms:
        raise ValueError(
            f"`{name}` must have the shape of `images`, or that shape without its batch axis, its "
            f"channel axis, or both. Received: images {shape}, {name} {known.shape}"
        )
    if known.shape == (count, height, width) == (height, width, channels):
        raise ValueError(
            f"`{name}` could be one mask for each image or one for each channel: there are as many "
            "images, rows, columns and channels. Pass it in the shape of `images`. "
            f"Received: images {shape}, {name} {known.shape}"
        )
    return np.broadcast_to(known.reshape(forms[known.shape]), shape)


def known_values(images, known, distribution):
    """`ValueError` unless what is known of images are levels of a distribution."""
    first, low, high = 0, 0, 0
    for part in mapped.chunks(images):
        part = part[known[first : first + len(part)]]
        first += len(part)
        if part.size:
            low, high = min(low, int(part.min())), max(high, int(part.max()))
    image_values(low, high, distribution)


def given(images, known, dtype):
    """What is known of images, else 0, which is all of them that may reach a model."""
    return np.where(known, images, 0).astype(dtype)
