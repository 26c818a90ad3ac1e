"""What all models have in common: likelihood, drawing, and training on images alone."""

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import backend, losses, noise, raster
from keras_pixelrnn.distributions import PixelDistribution


class PixelModel(keras.Model):
    """A distribution over images, factorised pixel by pixel in raster order.

    `model(images)` takes uint8 images `(batch, height, width, channels)` and returns the float32
    parameters `(batch, height, width, P)` of the distribution of every sub-pixel given all earlier
    ones. It is a Keras functional model: compile, fit, evaluate, save and load it like any other.
    `fit` and `evaluate` take data sets of images alone; without a `loss`, `compile` uses the negative
    log-likelihood in nats per image.

    Args:
        image_shape: `(height, width, channels)`.
        distribution: a `PixelDistribution`.
        network: causal layer from scaled images to parameters.
        **kwargs: of `keras.Model`.
    """

    def __init__(self, image_shape, distribution, network, **kwargs):
        backend.name()
        image = keras.Input(image_shape, dtype="uint8", name="image")
        scaled = Scale(distribution.levels, name="scale")(image)
        super().__init__(inputs=image, outputs=network(scaled), **kwargs)
        self.image_shape = tuple(image_shape)
        self.distribution = distribution
        self.network = network
        self._functions = _Functions(self)

    # ---- likelihood and drawing -------------------------------------------------------------

    def log_prob(self, images):
        """Log-probability of images.

        Args:
            images: `(batch, height, width, channels)` integers in `0 .. levels-1`.

        Returns:
            `(batch,)` float32 array, nats per image.

        Raises:
            ValueError: wrong shape, no integers, or a value outside the distribution's levels.
        """
        images = self.check_images(images)
        return ops.convert_to_numpy(self._functions("log_prob")(images))

    def sample(self, n, *, seed):
        """Draw images, exactly and in about the time of one forward pass.

        Args:
            n: number of images.
            seed: int, or an array of `n` ints, one per image. An image depends on its own seed
                alone, whatever the batch it is drawn in.

        Returns:
            `(n, height, width, channels)` uint8 array.
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"`n` must be a positive number of images. Received: n={n!r}")
        uniform = noise.uniform(noise.image_seeds(seed, n), self.image_shape)
        return ops.convert_to_numpy(self._functions("sample")(uniform)[0])

    def complete(self, images, known, *, seed):
        """Draw the unknown sub-pixels of images, each given all earlier ones.

        Exact p(unknown | known) where the known sub-pixels come first in raster order (an upper half,
        say). Known sub-pixels that come later are kept, but do not act back on what is drawn before
        them: the usual approximation.

        Args:
            images: `(batch, height, width, channels)` integers; values not `known` do not matter.
            known: boolean, the same shape, or `(height, width)`, `(height, width, channels)` or
                `(batch, height, width)` for all that is left out.
            seed: int, or an array of one int per image.

        Returns:
            uint8 array like `images`.

        Raises:
            ValueError: wrong shapes, no booleans, or a known value outside the levels.
        """
        images, known = self.check_completion(images, known)
        uniform = noise.uniform(noise.image_seeds(seed, len(images)), self.image_shape)
        return ops.convert_to_numpy(self._functions("complete")(images, known, uniform)[0])

    # ---- the same as functions of tensors, for graphs and exports -----------------------------

    def nats_graph(self, images):
        """Log-probability `(batch, height, width, channels)` of every sub-pixel, nats."""
        return self.distribution.log_prob(self(images, training=False), images)

    def log_prob_graph(self, images):
        """Log-probability `(batch,)` of images, nats."""
        return ops.sum(self.nats_graph(images), axis=(1, 2, 3))

    def sample_graph(self, uniform):
        """Images and their nats per sub-pixel from `uniform` numbers of the same shape."""
        return raster.sample(self.network, self.distribution, uniform)

    def complete_graph(self, images, known, uniform):
        """Completed images and the nats of each sub-pixel drawn."""
        return raster.complete(self.network, self.distribution, images, known, uniform)

    # ---- training on images alone ---------------------------------------------------------------

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype)):
            raise ValueError(
                "Images must be integers in 0 .. levels-1; scaling happens inside the model. "
                f"Cast them to uint8. Received: images of dtype {x.dtype}"
            )
        y = x if y is None else y
        if self._compile_loss is None:
            loss = losses.NegativeLogLikelihood(self.distribution)
            return sum(self.losses, loss(y, y_pred, sample_weight=sample_weight))
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, x if y is None else y, y_pred, sample_weight)

    # ---- checks ------------------------------------------------------------------------------------

    def check_images(self, images):
        """`images` as a uint8 array, or `ValueError` saying what is wrong with them."""
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise ValueError(
                f"This model takes images of shape (batch, {', '.join(map(str, self.image_shape))})"
                f": batch, height, width, channels. Received: shape {images.shape}"
            )
        if images.dtype.kind not in "iu":
            raise ValueError(
                f"Images must be integers in 0 .. {self.distribution.levels - 1}; scaling happens "
                "inside the model. Quantise them and cast to uint8. "
                f"Received: dtype {images.dtype}"
            )
        low, high = (int(images.min()), int(images.max())) if images.size else (0, 0)
        if low < 0 or high >= self.distribution.levels:
            raise ValueError(
                f"Image values must lie in 0 .. {self.distribution.levels - 1} for "
                f"{self.distribution!r}. Quantise the images to its levels. "
                f"Received: values from {low} to {high}"
            )
        return images.astype(np.uint8)

    def check_completion(self, images, known):
        """`images` and `known` as uint8 and boolean arrays of one shape, or `ValueError`."""
        known = np.asarray(known)
        if known.dtype != bool:
            raise ValueError(
                "`known` must be boolean: True where a sub-pixel is given. "
                f"Received: dtype {known.dtype}"
            )
        images = np.asarray(images)
        height, width, channels = self.image_shape
        forms = {
            (height, width): (1, height, width, 1),
            (height, width, channels): (1, height, width, channels),
            images.shape[:1] + (height, width): (*images.shape[:1], height, width, 1),
            images.shape: images.shape,
        }
        if known.shape not in forms:
            raise ValueError(
                "`known` must have the shape of `images`, or that shape without its batch axis, its "
                f"channel axis, or both. Received: images {images.shape}, known {known.shape}"
            )
        known = np.broadcast_to(known.reshape(forms[known.shape]), images.shape)
        # What is not known never reaches the model, so it may hold anything, sentinels too.
        images = self.check_images(np.where(known, images, 0).astype(images.dtype))
        return images, np.ascontiguousarray(known)


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Scale(keras.layers.Layer):
    """Values `0 .. levels-1` to float32 in [-1, 1].

    Args:
        levels: number of values.
    """

    def __init__(self, levels, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.levels = levels

    def call(self, image):
        return raster.scale(image, self.levels)

    def get_config(self):
        return {**super().get_config(), "levels": self.levels}


class _Functions:
    """The compiled functions of a model, made when first used. Not an attribute that Keras tracks:
    they belong to the process, not to the saved model."""

    def __init__(self, model):
        self._model = model
        self._compiled = {}

    def __call__(self, name):
        if name not in self._compiled:
            function = getattr(self._model, f"{name}_graph")
            self._compiled[name] = backend.compiled(function, self._model.variables)
        return self._compiled[name]


def check_image_shape(image_shape):
    """`image_shape` as a tuple, or `ValueError`."""
    shape = tuple(image_shape) if isinstance(image_shape, (tuple, list)) else ()
    sizes_ok = all(isinstance(size, (int, np.integer)) and size > 0 for size in shape)
    if len(shape) != 3 or not sizes_ok or shape[2] > 4:
        raise ValueError(
            "`image_shape` must be (height, width, channels), positive ints with 1 to 4 channels. "
            f"Received: image_shape={image_shape!r}"
        )
    return tuple(int(size) for size in shape)


def check_distribution(distribution):
    """`distribution`, deserialised if need be, or `ValueError`."""
    if isinstance(distribution, dict):
        distribution = keras.saving.deserialize_keras_object(distribution)
    if not isinstance(distribution, PixelDistribution):
        raise ValueError(
            "`distribution` must be one of keras_pixelrnn.distributions, for example Bernoulli() or "
            f"Categorical(256). Received: distribution={distribution!r}"
        )
    return distribution
