"""What models say of images beside their likelihood."""

from typing import Any

import numpy as np
from keras import ops

from keras_pixelrnn import checks, scores
from keras_pixelrnn._types import Array, Seed, Tensor
from keras_pixelrnn.scores import entropy, features
from keras_pixelrnn.scores import restore as restoring


class Scored:
    """Scores of images, as methods of all models."""

    def score(
        self,
        images: Array,
        *,
        method: str = "nats",
        background: Any = None,
        context: Array | None = None,
        batch_size: int | None = None,
    ) -> np.ndarray:
        """How strange images are to the model: the larger, the stranger.

        Args:
            images: `(n, height, width, channels)` integers.
            method: "nats", -log p(x); "complexity", that minus the size of the image under general
                compressors; "ratio", log q(x) - log p(x), where q is the `background`. See
                `keras_pixelrnn.scores.score`.
            background: of "ratio": a model of the same images, trained on noised ones.
            context: of a conditional model: one for all images, or one for each.
            batch_size: images scored at the same time; None to choose it.

        Returns:
            `(n,)` float64, nats per image. `keras_pixelrnn.scores.threshold` says from which value on
            to call an image strange.

        Raises:
            ValueError: images that the model does not take, an unknown method, or a background that
                is missing, not wanted, or of other images.
        """
        return scores.score(
            self,
            images,
            method=method,
            background=background,
            context=context,
            batch_size=batch_size,
        )

    def restore(
        self,
        images: Array,
        *,
        seed: Seed,
        nats_threshold: float | None = None,
        mask: Array | None = None,
        context: Array | None = None,
        **options: Any,
    ) -> scores.Restoration:
        """Draw anew what is strange about images, and say where that was.

        Args:
            images: `(batch, height, width, channels)` integers.
            seed: int, or an array of one int per image.
            nats_threshold: nats of a pixel from which on to draw it anew, and what is around it, by
                sequential Monte Carlo given all other pixels; several rounds, until no pixel is added.
            mask: boolean, True where to draw anew. Either this or a threshold.
            context: of a conditional model: one for all images, or one for each.
            **options: `margin`, `rounds`, `n`, `n_particles`, `ess_threshold`, `lookahead`,
                `batch_size` and `progress`; see `keras_pixelrnn.scores.restore.restore`.

        Returns:
            A `keras_pixelrnn.scores.Restoration`: restored `images`, `draws`, `anomaly_map`,
            `score_map` and `mask`.

        Raises:
            ValueError: images that the model does not take, both or none of `nats_threshold` and
                `mask`, or a number outside its range.
            TypeError: an option that there is not.
        """
        told = {"nats_threshold": nats_threshold, "mask": mask, "context": context}
        return restoring.restore(self, images, seed=seed, **told, **options)

    def entropy_map(
        self, images: Array, *, context: Array | None = None, batch_size: int = 64
    ) -> np.ndarray:
        """How uncertain the model is of each sub-pixel, given all earlier ones.

        The entropy of the predictive distribution: the nats that the sub-pixel costs on average over
        its own values. What it did cost, -log p of its value, far above this is a surprise; where both
        are high the image is just hard to predict there.

        Args:
            images: `(n, height, width, channels)` integers; the value of a sub-pixel itself and later
                ones do not matter to its entropy.
            context: of a conditional model: one for all images, or one for each.
            batch_size: images at the same time; fewer where they have many levels.

        Returns:
            `(n, height, width, channels)` float32, nats, from 0 to ln(levels).

        Raises:
            ValueError: images that the model does not take, or a context that does not fit.
        """
        images = self.check_images(images)
        given = self.context.check(context, len(images))
        size = checks.drawn(batch_size, self.image_shape, "batch_size")
        size = entropy.batch_that_fits(size, self.image_shape, self.distribution.levels)
        return self.run_by_parts("entropy", [images, *given], size)

    def features(
        self,
        images: Array,
        layer: str,
        *,
        context: Array | None = None,
        batch_size: int = 64,
    ) -> np.ndarray:
        """Hidden features of every pixel: what a layer of the network computes of the earlier ones.

        Args:
            images: `(n, height, width, channels)` integers.
            layer: path of one of `feature_layers`, or its end where that is unique: "block_1".
            context: of a conditional model: one for all images, or one for each.
            batch_size: images at the same time.

        Returns:
            `(n, height, width, features)` float32. Pixel (r, c) knows pixels before it in raster
            order; of its own channels a model that masks colours knows the earlier ones, in the
            later features. A multi-scale model's "coarse/..." have the size of its small image.

        Raises:
            ValueError: images that the model does not take, or no such layer; the message lists them.
        """
        images = self.check_images(images)
        given = self.context.check(context, len(images))
        size = checks.drawn(batch_size, self.image_shape, "batch_size")
        path = features.resolved(layer, self.feature_layers)
        return self.run_by_parts("features", [images, *given], size, layer=path)

    @property
    def feature_layers(self) -> list[str]:
        """Paths of the layers that `features` takes, a list of str, from the image to the parameters."""
        return features.names(self.network)

    def judged_graph(self, restored: Tensor, images: Tensor, *given: Tensor) -> Tensor:
        """What each sub-pixel of `images` costs, `(batch, height, width, channels)` nats, given the
        earlier sub-pixels of `restored`."""
        restored, images = self._tensors(restored=restored, images=images)
        return -self.distribution.log_prob(self.params_graph(restored, *given), images)

    def entropy_graph(self, images: Tensor, *given: Tensor) -> Tensor:
        """Entropy `(batch, height, width, channels)` of every sub-pixel, nats."""
        (images,) = self._tensors(images=images)
        return entropy.entropies(self.distribution, self.params_graph(images, *given), images)

    def features_graph(self, images: Tensor, *given: Tensor, layer: str) -> Tensor:
        """Features `(batch, height, width, n)` of a layer of `feature_layers`."""
        (images,) = self._tensors(images=images)
        path = features.resolved(layer, self.feature_layers)
        scaled = self.distribution.network_input(ops.convert_to_tensor(images))
        return self._features(scaled, self.context.map(*given), path)

    def _features(self, scaled, context, path):
        return features.of_layer(self.network, scaled, context, path)
