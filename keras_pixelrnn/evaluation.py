"""Exact likelihood of a whole data set."""

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn.metrics import bits_per_dim


class Likelihood(NamedTuple):
    """Negative log-likelihood of a data set.

    Attributes:
        nats: mean per image.
        bits_per_dim: mean per sub-pixel.
        standard_error: of `nats`, over the images; nan of one image, of which none is known.
        images: number of images.
        seconds: wall-clock time.
    """

    nats: float
    bits_per_dim: float
    standard_error: float
    images: int
    seconds: float

    def __str__(self):
        error = f" +- {self.standard_error:.3f}" if self.images > 1 else ""
        return (
            f"{self.nats:.3f}{error} nats per image, "
            f"{self.bits_per_dim:.4f} bits/dim over {self.images} images in {self.seconds:.1f} s"
        )


def evaluate(model: keras.Model, batches: Iterable[Any]) -> Likelihood:
    """Likelihood of every image of a data set, summed in float64.

    Args:
        model: a `PixelModel`.
        batches: iterable of image batches, of pairs `(images, context)` for a conditional model; the
            last may be smaller. A single array `(n, height, width, channels)` is one batch.

    Returns:
        A `Likelihood`.

    Raises:
        ValueError: no `PixelModel`; no images; images or a context that do not fit the model.

    Example:

    >>> images = np.zeros((4, 8, 8, 1), np.uint8)
    >>> evaluate(PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1), images).images
    4
    """
    start = time.monotonic()
    checks.pixel_model("model", model)
    if hasattr(batches, "shape"):
        batches = [batches]
    if isinstance(batches, (str, Mapping)) or not isinstance(batches, Iterable):
        raise ValueError(
            "`batches` must be batches of images, or an array. "
            f"Received: batches={checks.shown(batches)}"
        )
    nats = []
    for batch in batches:
        images, *context = _checked(model, batch)
        count = len(images)
        full = len(nats[0]) if nats else count
        # A smaller last batch is filled up, so that it runs the same compiled function.
        images, *context = (
            np.concatenate([part, np.repeat(part[:1], max(full - count, 0), axis=0)])
            for part in (images, *context)
        )
        given = {"context": context[0]} if context else {}
        nats.append(-np.asarray(model.log_prob(images, **given), np.float64)[:count])
    if not sum(map(len, nats)):
        raise ValueError("There is nothing to evaluate: `batches` holds no images.")
    nats = np.concatenate(nats)
    mean = float(nats.mean())
    error = float(nats.std(ddof=1) / math.sqrt(len(nats))) if len(nats) > 1 else float("nan")
    return Likelihood(
        mean,
        bits_per_dim(mean, model.image_shape),
        error,
        len(nats),
        time.monotonic() - start,
    )


def _checked(model, batch):
    """A batch as arrays: images, and the context of each where the model takes one."""
    parts = batch if isinstance(batch, tuple) else (batch,)
    if len(parts) not in (1, 2) or isinstance(batch, (str, Mapping)):
        raise ValueError(
            "A batch of `batches` must be an array of images, or a pair (images, context). "
            f"Received: {checks.shown(batch)}"
        )
    images = model.check_images(parts[0])
    return images, *model.context.check(parts[1] if len(parts) == 2 else None, len(images))
