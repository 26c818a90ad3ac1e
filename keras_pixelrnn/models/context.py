"""What a conditional model is told beside the image."""

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import checks
from keras_pixelrnn.layers.strict import StrictLayer


class Context:
    """A label, a vector or a map: its input, its checks, and the map that the network reads.

    Args:
        image_shape: `(height, width, channels)`.
        num_classes: number of classes, where the context is a label.
        context_shape: `(k,)` of a vector, `(height, width, k)` of a map.

    Raises:
        ValueError: both are given, or one that does not fit.
    """

    def __init__(self, image_shape, num_classes=None, context_shape=None):
        height, width, _ = image_shape
        if num_classes is not None and context_shape is not None:
            raise ValueError(
                "A model is conditional on a label or on `context_shape`, not on both. "
                f"Received: num_classes={num_classes!r}, context_shape={context_shape!r}"
            )
        most = checks.MOST_CLASSES
        num_classes = checks.optional(checks.positive_int, "num_classes", num_classes, most)
        if context_shape is not None:
            shape = tuple(context_shape) if isinstance(context_shape, (tuple, list)) else ()
            k_fits = shape and checks.is_whole(shape[-1]) and 0 < shape[-1] <= checks.MOST_FEATURES
            if not k_fits or shape[:-1] not in ((), (height, width)):
                raise ValueError(
                    f"`context_shape` must be (k,) or ({height}, {width}, k), with k an "
                    f"int from 1 to {checks.MOST_FEATURES}. "
                    f"Received: context_shape={checks.shown(context_shape)}"
                )
            context_shape = tuple(int(size) for size in shape)
        self.num_classes, self.config_shape = num_classes, context_shape
        self.shape = () if num_classes is not None else context_shape
        self.given = self.shape is not None
        self.name = "label" if num_classes is not None else "context"
        self.dtype = "int32" if num_classes is not None else "float32"
        self.layer = ContextMap(num_classes, name="context_map")

    def __repr__(self):
        if not self.given:
            return "no context"
        if self.num_classes is not None:
            return f"on a label in 0 .. {self.num_classes - 1}"
        return f"on a context of shape {self.shape}"

    def input(self):
        """The `keras.Input` of it."""
        return keras.Input(self.shape, dtype=self.dtype, name=self.name)

    def map(self, *given):
        """What the network reads: a map `(batch, height, width, k)`, `(batch, 1, 1, k)` where all pixels
        of an image are told the same, or None."""
        return self.layer(*self.tensors(*given)) if self.given or given else None

    def tensors(self, *given):
        """The context that a graph function is given, or `ValueError`."""
        if not self.given and given:
            self.check(given[0], 1)  # says that there is none to be given
        if self.given and (len(given) != 1 or given[0] is None):
            raise ValueError(
                f"This model is conditional {self}: pass it, and nothing else, behind the other "
                f"arguments. Received: {len(given)} arguments, {checks.shown(given)}"
            )
        shapes = {"context": (None, *(self.shape or ()))}
        return checks.shaped(shapes, context=given[0]) if given else ()

    def check(self, context, n):
        """`context` of `n` images, checked, as a tuple of one array, or of none."""
        if not self.given:
            if context is not None:
                raise ValueError(
                    "This model is not conditional; leave `context` out, or make the model with "
                    f"`num_classes` or `context_shape`. Received: context={checks.shown(context)}"
                )
            return ()
        if context is None:
            raise ValueError(f"This model is conditional {self}: pass it as `context`.")
        array = self.plain(checks.as_array("context", context))
        self.check_array(array.shape, array.dtype, n)
        if self.num_classes is None:  # what overflows a float32 is no number in the model
            with np.errstate(over="ignore"):
                array = array.astype(self.dtype)
        if self.num_classes is not None:
            fits = (array >= 0) & (array < self.num_classes)
        else:
            fits = np.isfinite(array)
        if not fits.all():
            wrong = array[~fits].reshape(-1)[:5]
            raise ValueError(f"This model is conditional {self}. Received: context with {wrong}")
        return (np.broadcast_to(array.astype(self.dtype), (n, *self.shape)),)

    def check_array(self, shape, dtype, n):
        """`ValueError` unless an array of that shape and dtype can hold the context of `n` images."""
        kinds = (
            ("int", "uint") if self.num_classes is not None else ("int", "uint", "float", "bfloat")
        )
        shape, name = tuple(shape), getattr(dtype, "name", None) or str(dtype)  # of any byte order
        if self.num_classes is not None and not name.startswith(kinds):
            raise ValueError(
                f"This model is conditional {self}: labels are ints, such as labels.astype('int32'); "
                "names of classes are numbered by np.unique(names, return_inverse=True)[1], or by "
                f"`kp.data.load`. Received: context of dtype {dtype}"
            )
        if shape not in (self.shape, (n, *self.shape)) or not name.startswith(kinds):
            raise ValueError(
                f"This model is conditional {self}, {self.dtype}: one for all {n} images or one for "
                f"each. Received: context of shape {shape}, dtype {dtype}"
            )

    def plain(self, array):
        """An array of labels as `(n,)`, where it is `(n, 1)` or has one-hot rows `(n, num_classes)`."""
        if self.num_classes is None or array.ndim != 2:
            return array
        if array.shape[1] == 1 and array.dtype.kind in "iu":
            return array[:, 0]
        if array.shape[1] != self.num_classes:
            raise ValueError(
                f"This model is conditional {self}: one-hot rows have {self.num_classes} columns, and "
                f"labels the shape (n,) or (n, 1). Received: context of shape {array.shape}"
            )
        if not (((array == 0) | (array == 1)).all() and (array.sum(1) == 1).all()):
            raise ValueError(
                f"This model is conditional {self}; rows of labels must be one-hot: one 1, else 0. "
                f"Received: context with rows such as {array[0]}"
            )
        return array.argmax(1)

    def valid(self, *given):
        """`(batch,)` booleans: is the label one of the classes, is all of the context finite?"""
        (context,) = given
        if self.num_classes is None:
            return ops.all(ops.isfinite(context), axis=tuple(range(1, 1 + len(self.shape))))
        return ops.logical_and(context >= 0, context < self.num_classes)


@keras.saving.register_keras_serializable("keras_pixelrnn")
class ContextMap(StrictLayer, keras.layers.Layer):
    """A label, as one of `num_classes` features, or a vector: once for all pixels; a map as it is.

    Layers multiply it by their kernel at that one place and add the product to every pixel.

    Args:
        num_classes: number of classes, where the context is a label.
        **kwargs: of `keras.layers.Layer`.

    Example:

    >>> ContextMap(num_classes=10)(np.array([3, 7])).shape
    TensorShape([2, 1, 1, 10])
    """

    def __init__(self, num_classes=None, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.num_classes = num_classes

    def call(self, context):
        if self.num_classes is not None:
            classes = ops.arange(self.num_classes, dtype="int32")
            context = ops.expand_dims(ops.cast(context, "int32"), -1) == classes
        context = ops.cast(context, "float32")
        return context if len(context.shape) == 4 else context[:, None, None, :]

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
