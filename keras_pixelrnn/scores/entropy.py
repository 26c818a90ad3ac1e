"""How uncertain a model is of each sub-pixel before it sees it."""

from keras import ops

from keras_pixelrnn import backend

MOST_PROBABILITIES = 2**25  # held at the same time: those of a row of all images of a part


def batch_that_fits(batch_size, image_shape, levels):
    """`batch_size`, or fewer images where a row of them has too many values to hold."""
    return max(1, min(batch_size, MOST_PROBABILITIES // (image_shape[1] * levels)))


def entropies(distribution, params, images):
    """Entropy of the predictive distribution of every sub-pixel.

    Args:
        distribution: a `PixelDistribution`.
        params: `(batch, height, width, P)`.
        images: `(batch, height, width, channels)` integers; a mixture's later channels depend on the
            earlier ones.

    Returns:
        `(batch, height, width, channels)` float32, nats.
    """
    height, width, channels = images.shape[1:]

    def by_row(x):
        return ops.reshape(ops.transpose(x, (1, 0, 2, 3)), (height, -1, x.shape[-1]))

    def row(carry, x):
        params, pixel = x
        found = []
        for channel in range(channels):
            log_pmf = distribution.log_pmf(params, pixel, channel)
            # 0 log 0 is 0; and no gradient is asked for here that the two `where` would need.
            pmf = ops.exp(log_pmf)
            found.append(-ops.sum(ops.where(pmf > 0, pmf * log_pmf, 0.0), axis=-1))
        return carry, ops.stack(found, axis=-1)

    _, rows = backend.scan(row, (), (by_row(params), by_row(ops.cast(images, "float32"))))
    rows = ops.reshape(rows, (height, -1, width, channels))
    return ops.transpose(rows, (1, 0, 2, 3))
