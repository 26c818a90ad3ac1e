"""Any number of images, a batch at a time: memory stays that of a batch, and one can watch."""

import functools
from collections.abc import Iterator

import numpy as np

from keras_pixelrnn import checks, noise
from keras_pixelrnn.models import PixelModel

BATCH = 64


def sample_batches(
    model: PixelModel,
    n: int,
    *,
    seed: int,
    batch_size: int = BATCH,
    context: np.ndarray | None = None,
    **controls: float | None,
) -> Iterator[np.ndarray]:
    """The images of `model.sample(n, seed=seed)`, a batch at a time.

    Args:
        model: a `PixelModel`.
        n: number of images.
        seed: int; an image depends on it and on its place alone, not on the size of a batch.
        batch_size: images drawn at the same time.
        context: of a conditional model: one for all images, or `(n, ...)`, one for each.
        **controls: `temperature`, `top_k`, `top_p`: one number for all.

    Yields:
        `(at most batch_size, height, width, channels)` uint8 arrays.

    Example:

    >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
    >>> [len(images) for images in sample_batches(model, 5, seed=0, batch_size=2)]
    [2, 2, 1]
    """
    seeds = noise.image_seeds(seed, n)
    given = model.context.check(context, n)
    draw_with = _function(model, n > batch_size)

    def draw(rows):
        limits = checks.controls(len(rows), model.distribution.levels, *_defaults(**controls))
        uniform = noise.uniform(seeds[rows], model.image_shape)
        told = [array[rows] for array in given]
        if limits is None:
            return draw_with("sample", uniform, *told)
        return draw_with("sample_with", uniform, *limits, *told)

    yield from _batches(draw, n, batch_size)


def _defaults(temperature=1.0, top_k=None, top_p=1.0):
    return temperature, top_k, top_p


def _function(model, several):
    """What draws: for a single batch compiled in less time, for more of them to run in less."""
    return functools.partial(model._functions.draw, xla=several)


def complete_batches(
    model: PixelModel,
    images: np.ndarray,
    known: np.ndarray,
    *,
    seed: int,
    batch_size: int = BATCH,
    context: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """The images of `model.complete(images, known, seed=seed)`, a batch at a time.

    Args, as of `model.complete`, and `batch_size`.

    Yields:
        `(at most batch_size, height, width, channels)` uint8 arrays.
    """
    images, known = model.check_completion(images, known)
    seeds = noise.image_seeds(seed, len(images))
    given = model.context.check(context, len(images))
    draw_with = _function(model, len(images) > batch_size)

    def draw(rows):
        uniform = noise.uniform(seeds[rows], model.image_shape)
        told = [array[rows] for array in given]
        return draw_with("complete", images[rows], known[rows], uniform, *told)

    yield from _batches(draw, len(images), batch_size)


def nats_batches(
    model: PixelModel,
    images: np.ndarray,
    *,
    batch_size: int = BATCH,
    context: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Log-probability of every sub-pixel of images, nats, a batch at a time.

    Args:
        model: a `PixelModel`.
        images: `(n, height, width, channels)` integers.
        batch_size: images scored at the same time.
        context: of a conditional model: one for all images, or one for each.

    Yields:
        `(at most batch_size, height, width, channels)` float32 arrays.
    """
    images = model.check_images(images)
    given = model.context.check(context, len(images))
    compiled = model._functions("nats")

    def score(rows):
        return np.asarray(compiled(images[rows], *(array[rows] for array in given)))

    yield from _batches(score, len(images), batch_size)


def _batches(function, n, batch_size):
    """`function` of the numbers of the rows; the last batch is filled up: one size, one compilation."""
    size = min(n, batch_size)
    for start in range(0, n, size or 1):
        rows = np.arange(start, start + size)
        yield function(np.minimum(rows, n - 1))[: n - start]
