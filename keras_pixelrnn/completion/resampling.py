"""Weights of particles: how even they are, which particles go on, and which are drawn.

Everything here takes the logarithms of unnormalised weights, `(batch, n_particles)`.
"""

import math

from keras import ops

# Of a threshold: so much more is still at it. Ties, such as one particle of two with all of the weight,
# would else be decided by rounding.
MARGIN = 1e-4


def log_mean(log_weight):
    """Logarithm of the mean weight, `(batch,)`: an estimate of the normalising constant."""
    return ops.logsumexp(log_weight, axis=1) - math.log(log_weight.shape[1])


def normalised(log_weight):
    """Weights that sum to 1; equal ones where all are zero."""
    highest = ops.max(log_weight, axis=1, keepdims=True)
    possible = highest > -math.inf
    weight = ops.exp(ops.where(possible, log_weight - ops.where(possible, highest, 0.0), 0.0))
    return weight / ops.sum(weight, axis=1, keepdims=True)


def effective_sample_size(log_weight):
    """`(batch,)`, between 1 and n_particles: so many equally weighted particles would do as well."""
    return 1.0 / ops.sum(normalised(log_weight) ** 2, axis=1)


def uneven(ess, threshold):
    """`(batch,)` booleans: is the effective sample size at most `threshold (batch,)`, up to rounding?"""
    return ess < threshold * (1.0 + MARGIN)


def systematic(log_weight, uniform):
    """Ancestors by systematic resampling: a particle of weight w goes on floor(n w) or ceil(n w) times.

    Args:
        log_weight: `(batch, n)`.
        uniform: `(batch,)` in [0, 1).

    Returns:
        `(batch, n)` int32, ascending.
    """
    n = log_weight.shape[1]
    cdf = ops.cumsum(normalised(log_weight), axis=1)
    places = (uniform[:, None] + ops.arange(n, dtype="float32")) / n
    return _place_in(cdf, places)


def draws(log_weight, uniform, n):
    """Indices `(batch, n)` int32 of particles drawn by weight: each alone follows the weights, and
    together they are spread as evenly as systematic resampling spreads them."""
    cdf = ops.cumsum(normalised(log_weight), axis=1)
    points = uniform[:, None] + ops.arange(n, dtype="float32") / n
    return _place_in(cdf, points - ops.floor(points))


def _place_in(cdf, points):
    """Index of the first entry of `cdf (batch, m)` above each of `points (batch, k)` in [0, 1)."""
    points = ops.minimum(points, 1.0 - 2.0**-23) * cdf[:, -1:]  # rounding may reach 1
    return ops.sum(ops.cast(cdf[:, None, :-1] <= points[:, :, None], "int32"), axis=2)
