"""Completion by sequential Monte Carlo, as functions of tensors for graphs and exports."""

import math

from keras import ops

from keras_pixelrnn.completion import particles
from keras_pixelrnn.completion.guided import GuidedDistribution, GuidedNetwork


def count_of_numbers(image_shape, n_particles):
    """How many uniform numbers an image takes: one per particle and sub-pixel, one per row for
    resampling, and two for what comes after."""
    return n_particles * math.prod(image_shape) + image_shape[0] + 2


def complete(
    network,
    distribution,
    images,
    known,
    numbers,
    threshold,
    context=None,
    *,
    n_particles,
    n=1,
    lookahead=None,
):
    """Complete images.

    Args:
        network, distribution: as for `particles.run`.
        images: `(batch, height, width, channels)` uint8; values where not `known` do not matter.
        known: boolean, the same shape.
        numbers: `(batch, count_of_numbers)` uniform numbers.
        threshold: `(batch,)`; resample where the effective sample size, as a fraction of the
            particles, is not above it.
        context: optional `(batch, height, width, k)`.
        n_particles, n: ints; particles and draws per image.
        lookahead: optional `Lookahead`.

    Returns:
        What `particles.summary` returns.
    """
    dtype = distribution.dtype
    start = Start(images, known, numbers, threshold, n_particles)
    context = start.spread(context)
    if lookahead is not None:
        context = (context, start.spread(lookahead.read(images, known)))
        network = GuidedNetwork(network, lookahead.network)
        distribution = GuidedDistribution(distribution, images.shape[-1])
    done = particles.run(
        network,
        distribution,
        start.maps,
        start.row_offsets,
        start.threshold,
        start.log_weight,
        context,
    )
    return particles.summary(done, start.last_offset, n, dtype)


class Start:
    """What particles start from: everything of an image once for each of its particles.

    Args:
        images, known, numbers, threshold, n_particles: as for `complete`.
    """

    def __init__(self, images, known, numbers, threshold, n_particles):
        height, width, channels = images.shape[1:]
        pixels = n_particles * height * width * channels
        self.n_particles = n_particles
        uniform = ops.reshape(numbers[:, :pixels], (-1, height, width, channels))
        given, known = (ops.cast(x, "float32") for x in (images, known))
        self.maps = {
            "uniform": uniform,
            "given": self.spread(given),
            "known": self.spread(known),
        }
        self.row_offsets = numbers[:, pixels : pixels + height]
        self.middle_offset, self.last_offset = numbers[:, -2], numbers[:, -1]
        self.threshold = ops.cast(threshold, "float32") * n_particles
        self.log_weight = ops.zeros_like(self.threshold)[:, None] + ops.zeros((1, n_particles))

    def spread(self, x):
        """`x (batch, ...)` as `(batch * n_particles, ...)`, or None as it is."""
        return None if x is None else ops.repeat(x, self.n_particles, axis=0)
