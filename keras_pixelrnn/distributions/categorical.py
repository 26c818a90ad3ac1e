"""Softmax over all values of a sub-pixel."""

from typing import Any

import keras
from keras import ops

from keras_pixelrnn import checks
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.distributions.base import BYTE_LEVELS, PixelDistribution, check_levels


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Categorical(PixelDistribution):
    """Sub-pixels of `levels` values, each value with a logit of its own.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), section 3: no
    prior on the shape of the distribution, values 0 and 255 get peaks where the data has them.

    Args:
        levels: 2 to 65,536. Memory and time grow with them: a logit for each value of each
            sub-pixel.

        embedded: whether values are codes without order among them (indices of a VQ-VAE): each then
            enters the network by a learned embedding, a table for each channel, not as a number.
        embedding_size: features of an embedded value, 32 if None.

    Raises:
        ValueError: `levels` does not fit an image, or another argument that does not fit.

    Example:

    >>> Categorical(256).params_size(channels=3)
    768
    >>> Categorical(512, embedded=True).network_input(np.array([511])).numpy()
    array([511], dtype=int32)
    """

    def __init__(self, levels: int, embedded: bool = False, embedding_size: int | None = None):
        self.levels = check_levels(levels, "Categorical")
        self.embedded = checks.switch("embedded", embedded)
        if embedding_size is not None and not self.embedded:
            raise ValueError(
                "Only values that are codes are embedded. Pass embedded=True, or leave `embedding_size` "
                f"out. Received: embedding_size={checks.shown(embedding_size)}, embedded=False"
            )
        size = 32 if embedding_size is None else embedding_size
        size = checks.positive_int("embedding_size", size, checks.MOST_FEATURES)
        self.embedding_size = size if self.embedded else None

    def params_size(self, channels: int) -> int:
        return channels * self.levels

    def log_prob(self, params: Tensor, image: Tensor) -> Tensor:
        given, image = image, ops.cast(image, "int32")
        shape = (*ops.shape(image), self.levels)
        logits = ops.reshape(ops.cast(params, "float32"), shape)
        inside = ops.logical_and(image >= 0, image < self.levels)
        if checks.is_float(given):
            inside = ops.logical_and(
                inside, ops.cast(image, "float32") == ops.cast(given, "float32")
            )
        if (
            self.levels > BYTE_LEVELS
        ):  # one operation: thousands of logits are not held several times
            value = ops.clip(image, 0, self.levels - 1)
            log_prob = -ops.sparse_categorical_crossentropy(value, logits, from_logits=True)
        else:
            # A sum over a comparison is cheap to compile and to differentiate; a gather is neither.
            log_pmf = ops.log_softmax(logits, axis=-1)
            hit = image[..., None] == ops.arange(self.levels, dtype="int32")
            log_prob = ops.sum(ops.where(hit, log_pmf, 0.0), axis=-1)
        return ops.where(inside, log_prob, -float("inf"))

    def log_pmf(self, params: Tensor, pixel: Tensor, channel: int) -> Tensor:
        return ops.log_softmax(self._logits(params, channel), axis=-1)

    def draw(self, params: Tensor, pixel: Tensor, channel: int, u: Tensor) -> Tensor:
        logits = self._logits(params, channel)  # `quantile` counts from their sum
        return self.quantile(logits - ops.max(logits, axis=-1, keepdims=True), u)

    def _logits(self, params, channel):
        logits = params[:, channel * self.levels : (channel + 1) * self.levels]
        return ops.cast(logits, "float32")

    def get_config(self) -> dict[str, Any]:
        if not self.embedded:
            return {"levels": self.levels}
        return {"levels": self.levels, "embedded": True, "embedding_size": self.embedding_size}
