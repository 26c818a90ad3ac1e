"""What is to be decided of images, and how near to a border of the grid noise could matter."""

import functools

import numpy as np
from keras import ops

from keras_pixelrnn import backend
from keras_pixelrnn.codec import decisions, noise, walk

PROBES = 3  # directions in which parameters are moved
ROWS = 2**20  # pixels times levels at the same time


@decisions.not_finite
def of_images(model, images, given, start, batch_size, tolerance):
    """Of each image of a batch: bent logits, openness, bits and guard, `(sub-pixels, depth)`.

    Args:
        model: a `PixelModel`.
        images, given: all images, and a tuple of their context.
        start, batch_size: which of them.
        tolerance: noise of the parameters, in parts of `1 + |parameter|`; None to measure it.
    """
    count = min(batch_size, len(images) - start)
    # The last batch is filled up with its last image: one size, so one compilation.
    rows = np.minimum(np.arange(start, start + min(batch_size, len(images))), len(images) - 1)
    inputs = [images[rows], *(array[rows] for array in given)]
    params = model.params(*inputs)[:count]
    values = images[start : start + count].reshape(-1, images.shape[-1])
    if tolerance is None:
        noisy = noise.expected(model, inputs, params)
    else:
        noisy = np.full((*params.shape[:-1], 1), tolerance)
    params, noisy = params.reshape(len(values), -1), noisy.reshape(len(values), 1)
    logits, open_, bits = _paths(model, params, values)
    places, reach = decisions.bent(logits), 0.0
    random = np.random.default_rng(start)
    step = 16 * noisy * (1.0 + np.abs(params))  # large enough to be seen in float32
    for _ in range(PROBES):
        sign = 2.0 * random.integers(0, 2, params.shape) - 1.0
        moved = _paths(model, (params + sign * step).astype(np.float32), values)[0]
        reach = np.maximum(reach, np.abs(decisions.bent(moved) - places) / 16)
    guard = np.minimum(reach + np.maximum(noisy, noise.OF_PMF)[:, :, None], 0.25)
    shape = (count, -1, values.shape[1], places.shape[-1])
    pixels = walk.order(model)
    parts = (x.reshape(shape)[:, pixels] for x in (places, open_, bits, guard))
    return zip(*(x.reshape(count, -1, x.shape[-1]) for x in parts), strict=True)


def _paths(model, params, values):
    """Logits, openness and bits, each `(pixels, channels, depth)`."""
    size = max(1, min(len(values), ROWS // model.distribution.levels))
    pixel = values.astype(np.float32)
    parts = []
    for start in range(0, len(values), size):
        rows = np.minimum(np.arange(start, start + size), len(values) - 1)  # one size, as above
        own = slice(start, start + size)
        by_channel = []
        for channel in range(values.shape[1]):
            log_pmf = _log_pmf(model.distribution, channel)(params[rows], pixel[rows])
            log_pmf = ops.convert_to_numpy(log_pmf)[: len(values) - start]
            by_channel.append(decisions.path(log_pmf, values[own, channel]))
        parts.append([np.stack(part, axis=1) for part in zip(*by_channel, strict=True)])
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


@functools.lru_cache(maxsize=16)
def _log_pmf(distribution, channel):
    """`distribution.log_pmf` of a channel, compiled."""
    return backend.compiled(
        lambda params, pixel: distribution.log_pmf(params, pixel, channel), [], xla=False
    )


@decisions.not_finite
def nats(places, open_, bits):
    """Of one image, on the grid without a shift."""
    p = decisions.probabilities(decisions.cells(places, 0), 0)
    return -np.log(np.where(bits == 1, p, 1.0 - p))[open_].sum()
