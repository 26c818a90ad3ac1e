"""What all models have in common."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import backend, checks, raster
from keras_pixelrnn._types import Array, Policy, Shape, Tensor
from keras_pixelrnn.completion import smc
from keras_pixelrnn.distributions import check_distribution
from keras_pixelrnn.distributions.base import PixelDistribution
from keras_pixelrnn.layers import kept
from keras_pixelrnn.layers.causal import CausalLayer
from keras_pixelrnn.models import blocks
from keras_pixelrnn.models.by_rows import ByRows
from keras_pixelrnn.models.context import Context
from keras_pixelrnn.models.drawing import Drawing
from keras_pixelrnn.models.functions import Functions
from keras_pixelrnn.models.graphs import Graphs
from keras_pixelrnn.models.likelihood import Likelihood
from keras_pixelrnn.models.pretrained import Pretrained
from keras_pixelrnn.models.refusals import Refusals
from keras_pixelrnn.models.resizing import Resizing
from keras_pixelrnn.models.scale import Scale
from keras_pixelrnn.models.scored import Scored
from keras_pixelrnn.models.trained import Trained


class PixelModel(
    Trained,
    Drawing,
    ByRows,
    Likelihood,
    Resizing,
    Pretrained,
    Scored,
    Refusals,
    Graphs,
    keras.Model,
):
    """A distribution over images, factorised pixel by pixel in raster order.

    `model(images)` takes images of integers `(batch, height, width, channels)`, uint8 up
    to 256 levels and uint16 beyond, and returns the float32
    parameters `(batch, height, width, P)` of the distribution of every sub-pixel given all earlier
    ones. It is a Keras functional model: compile, fit, evaluate, save and load it like any other.
    `fit` and `evaluate` take data sets of images alone; without a `loss`, `compile` uses the negative
    log-likelihood in nats per image.

    A conditional model, p(image | context), is told what to expect by `num_classes` or by
    `context_shape`: `model((images, context))`; `fit` and `evaluate` take data sets of
    `(image, context)`, and the methods below an argument `context`.

    Args:
        image_shape: `(height, width, channels)`.
        distribution: a `PixelDistribution`.
        network: causal layer from scaled images, and the context map, to parameters.
        num_classes: number of classes, where the context is a label `(batch,)` of ints.
        context_shape: `(k,)` where the context is a vector, `(height, width, k)` where it is a map.
        dtype: policy that the network was made with.
        name, trainable: of `keras.Model`.

    Raises:
        ValueError: an argument that does not fit.
    """

    def __init__(
        self,
        image_shape: Shape,
        distribution: PixelDistribution,
        network: CausalLayer,
        num_classes: int | None = None,
        context_shape: Shape | None = None,
        dtype: Policy | None = None,
        name: str | None = None,
        trainable: bool = True,
    ):
        backend.name()
        image_shape = checks.image_shape(image_shape)
        distribution = check_distribution(distribution)
        dtype = checks.dtype_policy(dtype)
        own = {"name": checks.layer_name(name), "trainable": checks.switch("trainable", trainable)}
        context = Context(image_shape, num_classes, context_shape)
        image = keras.Input(image_shape, dtype=distribution.dtype, name="image")
        scaled = Scale(distribution, name="scale")(image)
        given = [context.input()] if context.given else []
        inputs = [image, *given] if given else image
        super().__init__(inputs=inputs, outputs=network(scaled, *map(context.layer, given)), **own)
        self.dtype_policy = dtype  # by which Keras knows whether to scale the loss
        self.image_shape = image_shape
        self.distribution = distribution
        self.network = network
        self.context = context
        self._functions = Functions(self)

    # ---- likelihood and drawing as functions of tensors, for graphs and exports ---------------
    # `given` is the context of a conditional model, and nothing of any other.

    def params(self, images: Tensor, *given: Tensor) -> np.ndarray:
        """Parameters `(batch, height, width, P)` as an array, compiled; errors as of `log_prob`."""
        images = self.check_images(images)
        given = self.context.check(given[0] if given else None, len(images))
        return ops.convert_to_numpy(self._functions("params")(images, *given))

    def params_graph(self, images: Tensor, *given: Tensor) -> Tensor:
        """Parameters of the distribution of every sub-pixel; of float images with their gradient."""
        (images,), given = self._tensors(images=images), self.context.tensors(*given)
        images, *given = (ops.convert_to_tensor(x) for x in (images, *given))
        if not checks.is_float(images):
            return self([images, *given] if given else images, training=False)
        if self.distribution.embedding_size is not None:
            raise ValueError(
                "Codes have no order, and so no gradient by the image. Pass `images` as integers. "
                f"Received: images of dtype {images.dtype}"
            )
        # The model itself takes integers, and would cast these to some.
        context = [self.context.layer(*given)] if given else []
        return self.network(self.distribution.network_input(images), *context, training=False)

    def nats_graph(self, images: Tensor, *given: Tensor) -> Tensor:
        """Log-probability `(batch, height, width, channels)` of every sub-pixel, nats.

        Images of a float dtype, in `0 .. levels-1`, are for gradients: see `log_prob_graph`.
        """
        params = self.params_graph(images, *given)  # which checks them
        images = ops.convert_to_tensor(images)
        if checks.is_float(images):
            return self.distribution.log_prob_between(params, images)
        return self.distribution.log_prob(params, images)

    def log_prob_graph(self, images: Tensor, *given: Tensor) -> Tensor:
        """Log-probability `(batch,)` of images, nats.

        Of integers, or of floats in `0 .. levels-1`, which have a gradient: through the network and
        through the value whose probability it is. At whole values the result is that of integers;
        between them the latter is interpolated (see `PixelDistribution.log_prob_between`).

        Raises:
            ValueError: float images of a model of codes, which have no order.

        Example:

        >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
        >>> x = tf.Variable(images, dtype="float32")
        >>> with tf.GradientTape() as tape:
        ...     nats = model.log_prob_graph(x)
        >>> tape.gradient(nats, x).shape == x.shape
        True
        """
        return ops.sum(self.nats_graph(images, *given), axis=(1, 2, 3))

    def sample_graph(self, uniform: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        """Images and their nats per sub-pixel from `uniform` numbers of the same shape."""
        (uniform,) = self._tensors(uniform=uniform)
        return raster.sample(self.network, self.distribution, uniform, self.context.map(*given))

    def sample_with_graph(
        self, uniform: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, *given: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The same under sampling controls `(batch,)`; nats are still those of the model itself."""
        uniform, *controls = self._tensors(
            uniform=uniform, temperature=temperature, top_k=top_k, top_p=top_p
        )
        return raster.sample(
            self.network, self.distribution, uniform, self.context.map(*given), controls
        )

    def complete_graph(
        self, images: Tensor, known: Tensor, uniform: Tensor, *given: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Completed images and the nats of each sub-pixel drawn."""
        images, known, uniform = self._tensors(images=images, known=known, uniform=uniform)
        return raster.complete(
            self.network, self.distribution, images, known, uniform, self.context.map(*given)
        )

    def complete_with_graph(
        self,
        images: Tensor,
        known: Tensor,
        uniform: Tensor,
        temperature: Tensor,
        top_k: Tensor,
        top_p: Tensor,
        *given: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The same under sampling controls `(batch,)`; nats are still those of the model itself."""
        images, known, uniform, *controls = self._tensors(
            images=images,
            known=known,
            uniform=uniform,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )
        return raster.complete(
            self.network,
            self.distribution,
            images,
            known,
            uniform,
            self.context.map(*given),
            controls,
        )

    def complete_smc_graph(
        self,
        images: Tensor,
        known: Tensor,
        numbers: Tensor,
        threshold: Tensor,
        *given: Tensor,
        n_particles: int,
        **options: Any,
    ) -> dict[str, Tensor]:
        """Completion by particles, as a dict: see `keras_pixelrnn.completion.smc.complete`."""
        tensors = self._particles(images, known, numbers, threshold, n_particles)
        context, options = self.context.map(*given), {"n_particles": n_particles, **options}
        return smc.complete(self.network, self.distribution, *tensors, context, **options)

    def run_by_parts(self, name: str, arrays: Sequence[Any], size: int, **options: Any) -> Any:
        """What the graph function of that name returns: see `Functions.by_parts`."""
        return self._functions.by_parts(name, arrays, size, **options)

    def run_particles(
        self,
        arrays: Sequence[Any],
        most: int,
        groups: int,
        batch_size: int | None,
        progress: Any,
        **options: Any,
    ) -> Any:
        """What `complete_smc_graph` returns of any number of images.

        Args:
            arrays: its arguments, `groups` rows of each image.
            most: rows of a block without a `batch_size`.
            batch_size, progress: as of `complete`.
            **options: constants of the graph.
        """
        rows = len(arrays[0])
        size = blocks.particles_size(self, rows, most, batch_size)
        told = blocks.reporter(progress, rows // groups)
        return self._functions.by_parts(
            "complete_smc", arrays, size, told=lambda done: told(done // groups), **options
        )

    # ---- configuration --------------------------------------------------------------------------

    def get_config(self):
        """The constructor's arguments; subclasses list their own in `_config`."""
        return {
            **self._config,
            "name": self.name,
            "distribution": keras.saving.serialize_keras_object(self.distribution),
            **kept.of_model(self),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return kept.remade(cls, config)

    # ---- checks ----------------------------------------------------------------------------------

    def check_images(self, images: Array) -> np.ndarray:
        """`images` as an array of the distribution's dtype, or `ValueError` saying what is wrong."""
        return checks.images(images, self.image_shape, self.distribution)

    def check_completion(self, images: Array, known: Array) -> tuple[np.ndarray, np.ndarray]:
        """`images` and `known` as arrays, the latter boolean, of one shape, or `ValueError`. Images in
        files stay there; what is not known may hold anything, sentinels too: see `checks.given`."""
        images = checks.as_array("images", images)
        checks.image_array(images.shape, images.dtype, self.image_shape, self.distribution)
        known = checks.known(known, images.shape)
        checks.known_values(images, known, self.distribution)
        return images, known
