"""How strange an image is to a model, as one number."""

from typing import Any

import keras
import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn._types import Array
from keras_pixelrnn.scores.compression import compressed_nats

METHODS = ("nats", "complexity", "ratio")


def score(
    model: keras.Model,
    images: Array,
    *,
    method: str = "nats",
    background: Any = None,
    context: Array | None = None,
    batch_size: int | None = None,
) -> np.ndarray:
    """How strange images are to a model: the larger, the stranger.

    "nats" is -log p(x). By it alone, simple images are likely under any good model of images, a blank
    one most of all, whatever it was trained on (Nalisnick et al. 2019, arXiv 1810.09136). The two
    others subtract what an image costs whoever describes it:

    "complexity" is -log p(x) - size(x), `size` under general compressors (`compressed_nats`): Serra et
    al. 2019, "Input complexity and out-of-distribution detection with likelihood-based generative
    models" (arXiv 1909.11480), equation 1.

    "ratio" is log q(x) - log p(x), q a background model of images whose sub-pixels were replaced at
    random in training, so that it knows what is general about them: Ren et al. 2019, "Likelihood
    ratios for out-of-distribution detection" (arXiv 1906.02845), section 3.

    Args:
        model: a `PixelModel`.
        images: `(n, height, width, channels)` integers.
        method: "nats", "complexity" or "ratio".
        background: of "ratio": a `PixelModel` of images of the same shape and levels.
        context: of a conditional model: one for all images, or one for each; given to a conditional
            background, too.
        batch_size: images scored at the same time; None to choose it.

    Returns:
        `(n,)` float64, nats per image.

    Raises:
        ValueError: images that the model does not take; an unknown method; a background that is
            missing, not wanted, or of other images.

    Example:

    >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
    >>> images = model.sample(3, seed=0)
    >>> np.allclose(score(model, images), -model.log_prob(images))
    True
    >>> score(model, images, method="complexity").shape
    (3,)
    """
    checks.pixel_model("model", model)
    method = checks.choice("method", method, METHODS)
    images = model.check_images(images)
    check_background(model, method, background)
    found = -_log_prob(model, images, context, batch_size)
    if method == "complexity":
        found -= compressed_nats(images, model.distribution.levels)
    elif method == "ratio":
        own = context if background.context.given else None
        found += _log_prob(background, images, own, batch_size)
    return found


def _log_prob(model, images, context, batch_size):
    blocks = model.nats_batches(images, context=context, batch_size=batch_size)
    return np.concatenate([nats.sum(axis=(1, 2, 3), dtype=np.float64) for nats in blocks])


def check_background(model: keras.Model, method: str, background: Any) -> None:
    """`ValueError` unless a background model is there if, and only if, it is wanted, and fits."""
    if method != "ratio":
        if background is not None:
            raise ValueError(
                "`background` is of method='ratio'; leave it out. "
                f"Received: method={method!r}, background={checks.shown(background)}"
            )
        return
    if background is None:
        raise ValueError(
            "method='ratio' compares with another model: pass it as `background`, trained by "
            "`pixelrnn train --background 0.1`, for example. Received: background=None"
        )
    fits = hasattr(background, "nats_batches") and background.image_shape == model.image_shape
    if not fits or background.distribution.levels != model.distribution.levels:
        raise ValueError(
            f"`background` must be a model of images {model.image_shape} of "
            f"{model.distribution.levels} levels. Received: "
            + (
                f"background {background.name!r}, of images {background.image_shape} of "
                f"{background.distribution.levels} levels"
                if hasattr(background, "image_shape")
                else f"background={checks.shown(background)}"
            )
        )
    told = background.context
    if told.given and str(told) != str(model.context):
        raise ValueError(
            "`background` must not be conditional, or as the model is. "
            f"Received: background conditional {told}"
        )
