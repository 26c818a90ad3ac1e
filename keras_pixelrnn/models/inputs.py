"""What `fit`, `evaluate`, `predict` and a call take: images, with their context and weights."""

import numbers

import keras
import numpy as np

from keras_pixelrnn import checks, mapped


class Inputs:
    """The rules for the inputs of a model, the same as those of its `log_prob`.

    Args:
        image_shape: `(height, width, channels)`.
        distribution: a `PixelDistribution`.
        context: a `Context`.
    """

    def __init__(self, image_shape, distribution, context):
        self.image_shape, self.distribution, self.context = image_shape, distribution, context

    # ---- which part is what ---------------------------------------------------------------------

    def parts(self, x, y=None):
        """Image, context or None, and targets or None, from what Keras calls `x` and `y`."""
        if isinstance(x, dict):
            x = self._named(x)
        elif isinstance(x, (tuple, list)) and len(x) == 1:
            x = x[0]
        if isinstance(x, (tuple, list)):
            if not self.context.given or len(x) != 2:
                raise ValueError(
                    f"Expected {self._expected()}, each one array or tensor: np.stack makes one of a "
                    "list of images. "
                    f"Received: a {type(x).__name__} of {len(x)}"
                )
            return (*x, y)
        if not self.context.given:
            if y is not None and len(np.shape(y)) != 4:
                raise ValueError(
                    "The targets must be images. This model is not conditional: train it on images "
                    "alone, or make it with `num_classes` or `context_shape`. "
                    f"Received: targets of shape {tuple(np.shape(y))}"
                )
            return x, None, y
        if y is None:
            raise ValueError(
                f"This model is conditional: {self.context}. Train and evaluate it on data sets of "
                "(image, context). Received: images alone"
            )
        return x, y, None

    def _named(self, parts):
        """Image, or pair of image and context, of a dict such as TFDS gives."""
        names = ("image", self.context.name) if self.context.given else ("image",)
        if sorted(parts) == sorted(names):
            found = tuple(parts[name] for name in names)
            return found if self.context.given else found[0]
        if sorted(parts) == ["image"]:
            return parts["image"]
        made = ", ".join(f"d[{name!r}]" for name in names)
        made = f"({made})" if len(names) > 1 else made
        raise ValueError(
            f"A dict of inputs must hold {' and '.join(map(repr, names))}: this model is "
            f"{f'conditional {self.context}' if self.context.given else 'not conditional'}. Of a "
            f"tf.data.Dataset make it: dataset.map(lambda d: {made}). "
            f"Received: a dict with {sorted(map(str, parts))}"
        )

    def _expected(self):
        return (
            "images and their context, (image, context)" if self.context.given else "images alone"
        )

    # ---- arrays, and batches of streams -----------------------------------------------------------

    def arrays(self, x, y=None, weight=None, class_weight=None):
        """Checked arrays as `(x, weight)`: `x` the images, or a pair of images and context.

        Images are read in chunks and stay what they are; the context becomes an array of its own.
        """
        image, context, target = self.parts(x, y)
        image = image if hasattr(image, "shape") else checks.as_array("images", image)
        checks.unmasked("`images`", image)
        checks.image_array(image.shape, dtype_of(image), self.image_shape, self.distribution)
        self._check_values(image)
        if (
            isinstance(image, np.ndarray)
            and not image.dtype.isnative
            and not mapped.is_stored(image)
        ):
            image = image.astype(image.dtype.newbyteorder("="))
        if target is not None and target is not image:
            self._check_target(image, target)
        count = int(image.shape[0])
        if not count:
            raise ValueError(
                f"Expected one image or more. Received: `images` of shape {tuple(image.shape)}"
            )
        x = image
        if self.context.given:
            x = (image, *self.context.check(host(context), count))
        weight = self.weights(weight, count)
        if class_weight is not None:
            table = self.class_weights(class_weight)[x[1]]
            weight = table if weight is None else weight * table
        return x, weight

    def batch(self, element, class_weight=None):
        """An element of a stream, checked, as steps take it: `(x,)` or `(x, image, weight)`."""
        x, weight = self.arrays(*keras.utils.unpack_x_y_sample_weight(element), class_weight)
        return (x,) if weight is None else (x, self.parts(x)[0], weight)

    def weights(self, weight, count):
        """Weights of images as float32 `(count,)`, or None."""
        if weight is None:
            return None
        array = checks.as_array("sample_weight", host(weight))
        if array.shape not in ((count,), (count, 1)) or not np.isfinite(array).all():
            raise ValueError(
                f"`sample_weight` must hold one finite number for each of {count} images. "
                f"Received: shape {array.shape}, dtype {array.dtype}"
            )
        if (np.abs(array) > checks.MOST_WEIGHT).any():
            raise ValueError(
                f"`sample_weight` must be of a magnitude of {checks.MOST_WEIGHT:.0e} at most, as losses "
                f"are float32. Received: {np.abs(array).max():.3g}"
            )
        return array.reshape(count).astype(np.float32)

    def class_weights(self, class_weight):
        """Weight of each class, float32 `(num_classes,)`; 1 for those that are not named."""
        classes = self.context.num_classes
        if classes is None:
            raise ValueError(
                "`class_weight` goes with models that are conditional on a label; this model has "
                f"{self.context}. Pass `sample_weight`. Received: class_weight={class_weight!r}"
            )
        table = np.ones(classes, np.float32)
        given = class_weight.items() if isinstance(class_weight, dict) else [(None, None)]
        for label, value in given:
            is_class = checks.is_whole(label) and 0 <= label < classes
            number = isinstance(value, numbers.Real) and abs(value) <= checks.MOST_WEIGHT
            if not (is_class and number):
                raise ValueError(
                    f"`class_weight` must be a dict from labels in 0 .. {classes - 1} to finite "
                    f"numbers of a magnitude of {checks.MOST_WEIGHT:.0e} at most. "
                    f"Received: class_weight={checks.shown(class_weight)}"
                )
            table[label] = value
        return table

    def _check_values(self, image):
        limits = np.iinfo(dtype_of(image))
        if limits.min >= 0 and limits.max < self.distribution.levels:
            return
        low, high = 0, 0
        for part in mapped.chunks(host(image)):
            low, high = min(low, int(part.min())), max(high, int(part.max()))
        if low < 0 or high >= self.distribution.levels:  # say the range there is, 0 in it or not
            low, high = mapped.extent(host(image))
            checks.image_values(low, high, self.distribution)

    def _check_target(self, image, target):
        same = tuple(target.shape) == tuple(image.shape)
        both = (mapped.chunks(host(part)) for part in (image, target) if same)
        if not same or any((a != b).any() for a, b in zip(*both, strict=True)):
            raise ValueError(
                "The targets of images are these images themselves; leave `y` out. Received: targets "
                f"of shape {tuple(target.shape)} that differ from the images"
            )

    # ---- tensors in a graph, calls ------------------------------------------------------------------

    def static(self, image):
        """`ValueError` if shape or dtype of a tensor, as far as they are known, do not fit."""
        shape = tuple(image.shape)
        full = (None, *self.image_shape)
        known = shape
        if len(shape) == 4:
            known = tuple(b if a is None else a for a, b in zip(shape, full, strict=True))
        checks.image_array(known, dtype_of(image), self.image_shape, self.distribution)

    def called(self, inputs):
        """What a model is called with, checked: what is there wholly, in a graph as far as it is known.
        Returned as the network has it: images, or a list of images and context."""
        parts = self._named(inputs) if isinstance(inputs, dict) else inputs
        parts = parts if isinstance(parts, (tuple, list)) else (parts,)
        if len(parts) != 1 + self.context.given or isinstance(parts[0], (tuple, list)):
            given = type(inputs).__name__
            given += f" of {len(inputs)}" if isinstance(inputs, (tuple, list)) else ""
            raise ValueError(
                f"A call takes {self._expected()}, each one array or tensor. Received: `images`, "
                f"a {given}"
            )
        image, context = checks.tensor("images", parts[0]), None
        if self.context.given:
            context = checks.tensor("context", parts[1])
        values = _numbers(image)
        if values is not None:
            if not values.dtype.isnative:
                raise ValueError(
                    "A call takes numbers in the byte order of this machine: images.astype("
                    f"images.dtype.newbyteorder('=')). Received: dtype {values.dtype}"
                )
            if not len(checks.images(values, self.image_shape, self.distribution)):
                raise ValueError(  # TensorFlow's convolutions give other shapes then
                    f"A call takes one image or more. Received: `images` of shape {values.shape}"
                )
        elif getattr(image.shape, "rank", 4) is not None:  # it is None where nothing is known of it
            self.static(image)
        told = _numbers(context)
        if self.context.given and told is not None:
            count = len(values if values is not None else told) if told.ndim else 1
            self.context.check_array(told.shape, told.dtype, count)
            self.context.check(told, count)
            if told.ndim != 1 + len(self.context.shape):
                raise ValueError(
                    "A call takes a context for each image; repeat one that is for all by "
                    f"np.stack([context] * len(images)). Received: context of shape {told.shape}"
                )
        return [image, context] if self.context.given else image


def dtype_of(array):
    """Name of the dtype of an array or tensor of any library, such as "uint8"."""
    if isinstance(array, np.ndarray):
        return array.dtype.name
    return keras.backend.standardize_dtype(array.dtype)


def _numbers(x):
    """What numbers a tensor or array of any library holds, as NumPy's; None inside a graph."""
    if isinstance(x, np.ndarray):
        return x
    is_eager = hasattr(x, "numpy") or (hasattr(x, "devices") and not hasattr(x, "_trace"))
    return np.asarray(host(x)) if is_eager else None


def host(array):
    """An array or tensor of any library as NumPy's."""
    return keras.ops.convert_to_numpy(array) if keras.ops.is_tensor(array) else array
