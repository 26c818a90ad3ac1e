"""Multi-scale PixelRNN."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import checks, raster
from keras_pixelrnn._types import Array, Policy, Seed, Shape, Tensor
from keras_pixelrnn.completion import particles, smc
from keras_pixelrnn.distributions import check_distribution
from keras_pixelrnn.distributions.base import PixelDistribution
from keras_pixelrnn.models.base import PixelModel
from keras_pixelrnn.models.context import Context
from keras_pixelrnn.models.multi_scale_network import MultiScaleNetwork
from keras_pixelrnn.models.pixel_rnn import PixelRNN


@keras.saving.register_keras_serializable("keras_pixelrnn")
class MultiScalePixelRNN(PixelModel):
    """Multi-Scale PixelRNN: a small image first, then the large one around it.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), section 3.6. The
    small image is every `factor`-th row and column of the large one. A PixelRNN of its own draws it;
    a second PixelRNN draws all other pixels, given those and the small image, brought to size by
    transposed convolutions. The likelihood is exact: log p(small) + log p(the rest | small).

    `model(images)` are the parameters of every sub-pixel, of the small image's given the earlier ones
    of the small image, of all others given it and the earlier pixels; everything that other models can
    do follows from them. `upscale` is super-resolution by the second network alone.

    Args:
        image_shape: `(height, width, channels)`.
        distribution: a `PixelDistribution`.
        factor: rows and columns per row and column of the small image.
        context_units: features that the small image is brought to size with.
        num_classes, context_shape: of a conditional model.
        dtype: policy, such as "mixed_bfloat16".
        name, trainable: of the model.
        **kwargs: of both `PixelRNN`s: `recurrence`, `units`, `num_blocks`, ...

    Raises:
        ValueError: shapes and sizes that do not fit.

    Example:

    >>> model = MultiScalePixelRNN((8, 8, 1), Categorical(17), factor=2, units=8, num_blocks=1)
    >>> model.upscale(np.zeros((3, 4, 4, 1), np.uint8), seed=0).shape
    (3, 8, 8, 1)
    """

    def __init__(
        self,
        image_shape: Shape,
        distribution: PixelDistribution,
        factor: int = 2,
        context_units: int = 16,
        num_classes: int | None = None,
        context_shape: Shape | None = None,
        dtype: Policy | None = None,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ):
        own = checks.taken_by(type(self), PixelModel)
        checks.unknown(type(self), kwargs, PixelRNN.arguments() | own)
        name, trainable = checks.layer_name(name), checks.switch("trainable", trainable)
        height, width, channels = checks.image_shape(image_shape)
        distribution = check_distribution(distribution)
        if min(height, width) < 2:
            raise ValueError(
                "`image_shape` must have two rows and columns at least, to have a small image inside. "
                f"Received: image_shape={image_shape!r}"
            )
        factor = checks.whole("factor", factor, 2, min(height, width))
        context_units = checks.positive_int("context_units", context_units, checks.MOST_FEATURES)
        dtype = checks.dtype_policy(dtype)
        small_shape = (-(-height // factor), -(-width // factor), channels)
        context = Context((height, width, channels), num_classes, context_shape)
        extra = (context.num_classes or context.shape[-1]) if context.given else 0

        def network(shape, context_features):
            context = (*shape[:2], context_features) if context_features else None
            return PixelRNN(
                shape, distribution, context_shape=context, dtype=dtype, **kwargs
            ).network

        both = MultiScaleNetwork(
            network(small_shape, extra),
            network((height, width, channels), context_units + extra),
            factor,
            context_units,
            dtype=dtype,
            name="network",
        )
        super().__init__(
            (height, width, channels),
            distribution,
            both,
            num_classes,
            context_shape,
            dtype=dtype,
            name=name,
            trainable=trainable,
        )
        self.factor, self.small_shape = factor, small_shape
        self._config = {
            "image_shape": (height, width, channels),
            "factor": factor,
            "context_units": context_units,
            "num_classes": num_classes,
            "context_shape": self.context.config_shape,
            "dtype": dtype.name,
            **kwargs,
        }

    def upscale(self, small: Array, *, seed: Seed, context: Array | None = None) -> np.ndarray:
        """Draw large images around small ones: super-resolution.

        Args:
            small: `(batch, small height, small width, channels)` integers.
            seed: int, or an array of one int per image.
            context: of a conditional model: one for all images, or one for each.

        Returns:
            `(batch, height, width, channels)` uint8 array; every `factor`-th row and column of it is
            the small image.

        Raises:
            ValueError: wrong shape, no integers, or a value outside the levels.
        """
        small = checks.as_array("small", small)
        if small.ndim != 4 or small.shape[1:] != self.small_shape:
            raise ValueError(
                f"Small images have the shape (batch, {', '.join(map(str, self.small_shape))}). "
                f"Received: small of shape {small.shape}"
            )
        images = np.zeros((len(small), *self.image_shape), small.dtype)
        images[:, :: self.factor, :: self.factor] = small
        known = np.zeros(self.image_shape, bool)
        known[:: self.factor, :: self.factor] = True
        return self.complete(images, known, seed=seed, context=context)

    def sample_graph(self, uniform: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        (uniform,) = self._tensors(uniform=uniform)
        return self._draw(*self._unknown(uniform), uniform, given)

    def sample_with_graph(
        self, uniform: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, *given: Tensor
    ) -> tuple[Tensor, Tensor]:
        uniform, *controls = self._tensors(
            uniform=uniform, temperature=temperature, top_k=top_k, top_p=top_p
        )
        return self._draw(*self._unknown(uniform), uniform, given, controls)

    def complete_graph(
        self, images: Tensor, known: Tensor, uniform: Tensor, *given: Tensor
    ) -> tuple[Tensor, Tensor]:
        tensors = self._tensors(images=images, known=known, uniform=uniform)
        return self._draw(*tensors, given)

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
        images, known, uniform, *controls = self._tensors(
            images=images,
            known=known,
            uniform=uniform,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )
        return self._draw(images, known, uniform, given, controls)

    def complete_smc_graph(
        self,
        images: Tensor,
        known: Tensor,
        numbers: Tensor,
        threshold: Tensor,
        *given: Tensor,
        n_particles: int,
        n: int = 1,
    ) -> dict[str, Tensor]:
        """Particles complete the small image first, are resampled once more, and go on in the large
        one, each around its own small image: there they are weighted and not resampled again."""
        network, context = self.network, self.context.map(*given)
        tensors = self._particles(images, known, numbers, threshold, n_particles)
        start = smc.Start(*tensors, n_particles)
        context = start.spread(context)
        coarse = particles.run(
            network.coarse,
            self.distribution,
            {key: network.reduce(x) for key, x in start.maps.items()},
            start.row_offsets[:, : self.small_shape[0]],
            start.threshold,
            start.log_weight,
            network.coarse_context(context),
        )
        coarse = particles.resampled(coarse, start.middle_offset, start.threshold)
        scaled = self.distribution.network_input(coarse.image)
        maps = {
            "uniform": start.maps["uniform"],
            "given": network.merge(coarse.image, start.maps["given"]),
            "known": network.merge(ops.ones_like(coarse.image), start.maps["known"]),
        }
        # What is known of the small image was weighed there; here it adds 0 nats to be weighed.
        fine = particles.run(
            network.fine,
            self.distribution,
            maps,
            start.row_offsets,
            start.threshold,
            coarse.log_weight,
            network.fine_context(scaled, context),
            counted=network.merge(ops.zeros_like(coarse.image), ops.ones_like(maps["known"])),
            resample=False,
        )
        fine = fine._replace(log_prob=fine.log_prob + coarse.log_prob)
        return particles.summary(fine, start.last_offset, n, self.distribution.dtype)

    def _unknown(self, uniform):
        nothing = ops.zeros_like(uniform, dtype=self.distribution.dtype)
        return nothing, ops.cast(nothing, "bool")

    @property
    def feature_layers(self) -> list[str]:
        return self.network.feature_layers

    def _features(self, scaled, context, path):
        return self.network.features(scaled, context, path)

    def _draw(self, images, known, uniform, given, controls=None):
        """First the small image, then what is left of the large one."""
        network, context = self.network, self.context.map(*given)
        images = ops.cast(images, self.distribution.dtype)
        small, small_nats = raster.complete(
            network.coarse,
            self.distribution,
            *(network.reduce(x) for x in (images, known, uniform)),
            network.coarse_context(context),
            controls,
        )
        images = network.merge(small, images)
        images, nats = raster.complete(
            network.fine,
            self.distribution,
            images,
            network.merge(ops.ones_like(small, dtype="bool"), known),
            uniform,
            network.fine_context(self.distribution.network_input(small), context),
            controls,
        )
        return images, network.merge(small_nats, nats)
