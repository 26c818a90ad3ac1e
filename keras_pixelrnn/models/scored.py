"""What models say of images beside their likelihood."""

from keras_pixelrnn import scores


class Scored:
    """Scores of images, as methods of all models."""

    def score(self, images, *, method="nats", background=None, context=None, batch_size=64):
        """How strange images are to the model: the larger, the stranger.

        Args:
            images: `(n, height, width, channels)` integers.
            method: "nats", -log p(x); "complexity", that minus the size of the image under general
                compressors; "ratio", log q(x) - log p(x), where q is the `background`. See
                `keras_pixelrnn.scores.score`.
            background: of "ratio": a model of the same images, trained on noised ones.
            context: of a conditional model: one for all images, or one for each.
            batch_size: images scored at the same time.

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
