"""Sequential Monte Carlo in the streaming engine: many completions of an image side by side.

Doucet and Johansen 2009, "A tutorial on particle filtering and smoothing: fifteen years later". A
particle draws the unknown sub-pixels as it meets them and is weighted by the probability of the known
ones. After a row whose weights have become uneven the particles are resampled: likely ones go on several
times, unlikely ones end. The particles of an image lie side by side in the batch: `batch` below counts
images, `all` is batch * n_particles.
"""

from typing import Any, NamedTuple

from keras import ops, tree

from keras_pixelrnn import backend, raster
from keras_pixelrnn.completion import resampling
from keras_pixelrnn.completion.ways import Ways

# Of what a row changes of the weights, the share held back once as many sub-pixels as the row has are
# met that are known: see `run`.
HELD_BACK = 0.25
IMPOSSIBLE = -1e4  # nats; held back instead of -inf, which cannot be taken off again


class Particles(NamedTuple):
    """Weighted completions.

    Attributes:
        image: `(all, height, width, channels)` float32 values.
        log_prob: `(all,)` nats of all sub-pixels, known ones included.
        log_weight: `(batch, n_particles)`; the mean weight estimates p(known).
        ess: `(batch, height)` effective sample size after each row, before any resampling.
    """

    image: Any
    log_prob: Any
    log_weight: Any
    ess: Any


def run(
    network,
    distribution,
    maps,
    offsets,
    threshold,
    log_weight,
    context=None,
    counted=None,
    resample=True,
):
    """Run particles over images.

    Args:
        network: causal layer from scaled images to distribution parameters.
        distribution: a `PixelDistribution`; one with a method `log_proposal(params, image)` draws from
            something else than it scores, with later known sub-pixels in mind. What such a draw costs
            under the model is repaid where those are met. Weights therefore say at once which
            particles are drawn in the end, but which are resampled only as far as rows of known
            sub-pixels have passed since: that keeps all estimates unbiased.
        maps: dict of `"given"`, `"known"` and `"uniform"`, `(all, height, width, channels)`.
        offsets: `(batch, height)` uniform numbers for resampling after each row.
        threshold: `(batch,)`; resample where the effective sample size is not above it, but for
            rounding.
        log_weight: `(batch, n_particles)` at the start.
        context: optional `(all, height, width, k)`.
        counted: optional `(all, height, width, channels)`; 0 where a sub-pixel is scored elsewhere.
        resample: False where the context differs between the particles of an image, which then
            cannot take each other's place.

    Returns:
        `Particles`.
    """
    n_particles = log_weight.shape[1]
    own = ops.arange(ops.shape(maps["given"])[0], dtype="int32")
    first = ops.arange(ops.shape(log_weight)[0], dtype="int32")[:, None] * n_particles
    height, width, channels = maps["given"].shape[1:]
    guided = hasattr(distribution, "log_proposal")
    maps = maps if counted is None else {**maps, "counted": counted}
    columns = ops.transpose(offsets)
    drawing = _rows_before_hidden_ones(maps["known"], n_particles)

    def finish(state, carry, row):
        index, log_weight, log_prob, held = carry
        nats, gain = _nats(distribution, row)
        log_prob = log_prob + nats
        gain = ops.reshape(gain, (-1, n_particles))
        log_weight = log_weight + gain
        if guided:
            share = ops.mean(
                ops.reshape(row["known"], (width, -1, n_particles, channels)), (0, 2, 3)
            )
            share = ops.where(index < height - 1, HELD_BACK**share, 0.0)
            held = (held + ops.maximum(gain, IMPOSSIBLE)) * share[:, None]
        judged = log_weight - held
        ess = resampling.effective_sample_size(judged)
        parents = own
        if resample:
            # Where nothing is left to draw, taking likely particles twice only adds noise.
            uneven = resampling.uneven(ess, threshold)
            uneven = ops.logical_and(uneven, ops.take(drawing, index, axis=0))
            chosen = first + resampling.systematic(judged, ops.take(columns, index, axis=0))
            parents = ops.where(ops.repeat(uneven, n_particles), ops.reshape(chosen, (-1,)), own)
            held = ops.reshape(
                ops.take(ops.reshape(held, (-1,)), parents, axis=0), (-1, n_particles)
            )
            mean = resampling.log_mean(judged)[:, None]
            log_weight = ops.where(uneven[:, None], mean + held, log_weight)
            state = tree.map_structure(lambda leaf: take(leaf, parents), state)
            log_prob = ops.take(log_prob, parents, axis=0)
        return state, (index + 1, log_weight, log_prob, held), (row["values"], parents, ess)

    carry = (
        ops.convert_to_tensor(0, "int32"),
        log_weight,
        ops.zeros_like(own, dtype="float32"),
        ops.zeros_like(log_weight),
    )
    (_, log_weight, log_prob, _), (values, parents, ess) = raster.rows(
        network,
        distribution,
        raster.unless_known,
        maps,
        finish,
        carry,
        context,
        ways=Ways(network, distribution, maps, context, n_particles, shared=resample),
    )

    # A particle's rows above are those of its ancestors.
    def ancestor(index, row):
        values, parents = row
        index = ops.take(parents, index, axis=0)
        return index, ops.take(values, index, axis=1)

    if resample:
        _, values = backend.scan(ancestor, own, (values, parents), reverse=True)
    return Particles(raster.as_map(values), log_prob, log_weight, ops.transpose(ess))


def _rows_before_hidden_ones(known, n_particles):
    """Booleans `(height, batch)`: is any sub-pixel of a row further down to be drawn?"""
    hidden = ops.any(known < 0.5, axis=(2, 3))[::n_particles]
    from_here = ops.flip(ops.cumsum(ops.flip(ops.cast(hidden, "int32"), 1), axis=1), 1)
    return ops.transpose(from_here - ops.cast(hidden, "int32")) > 0


def take(leaf, parents):
    """A leaf of a `RowState` with each particle's place taken by that of its parent."""
    rank = len(leaf.shape)
    return leaf if rank == 0 else ops.take(leaf, parents, axis=0 if rank == 2 else 1)


def _nats(distribution, row):
    """Nats `(all,)` of all sub-pixels of a row, and what they add to the logarithm of the weight."""
    params, values = row["params"][:, :, None], row["values"][:, :, None]
    known = row["known"][:, :, None] > 0.5
    nats = distribution.log_prob(params, values)
    if "counted" in row:
        nats = ops.where(row["counted"][:, :, None] > 0.5, nats, 0.0)
    drawn = nats
    if hasattr(distribution, "log_proposal"):
        drawn = distribution.log_proposal(params, values)
    gain = ops.where(known, nats, nats - drawn)
    return ops.sum(nats, axis=(0, 2, 3)), ops.sum(gain, axis=(0, 2, 3))


def resampled(particles, uniform, threshold):
    """`particles` after one more resampling of the images whose weights are uneven.

    Args:
        particles: `Particles`.
        uniform, threshold: `(batch,)`.
    """
    log_weight = particles.log_weight
    batch, n_particles = ops.shape(log_weight)[0], log_weight.shape[1]
    own = ops.reshape(ops.arange(batch * n_particles, dtype="int32"), (-1, n_particles))
    chosen = own[:, :1] + resampling.systematic(log_weight, uniform)
    uneven = resampling.uneven(resampling.effective_sample_size(log_weight), threshold)[:, None]
    parents = ops.reshape(ops.where(uneven, chosen, own), (-1,))
    return particles._replace(
        image=ops.take(particles.image, parents, axis=0),
        log_prob=ops.take(particles.log_prob, parents, axis=0),
        log_weight=ops.where(uneven, resampling.log_mean(log_weight)[:, None], log_weight),
    )


def summary(particles, uniform, n, dtype):
    """What is wanted of particles: a dict of tensors with the batch as first axis.

    Args:
        particles: `Particles`.
        uniform: `(batch,)`.
        n: number of draws.
        dtype: of images.

    Returns:
        `image (batch, n, height, width, channels)` and `log_prob (batch, n)` of the draws;
        `log_z (batch,)`; `ess (batch, height)`; `mean (batch, height, width, channels)`.
    """
    image, log_prob, log_weight, ess = particles
    n_particles = log_weight.shape[1]
    chosen = resampling.draws(log_weight, uniform, n)
    start = ops.arange(ops.shape(log_weight)[0], dtype="int32")[:, None] * n_particles
    chosen = ops.reshape(start + chosen, (-1,))
    shape = image.shape[1:]
    weight = resampling.normalised(log_weight)
    flat = ops.reshape(image, (-1, n_particles, shape[0] * shape[1] * shape[2]))
    mean = ops.sum(weight[:, :, None] * flat, axis=1)
    # Weights sum to 1 but for rounding: where all particles agree, as on what is known, so do they.
    mean = ops.clip(mean, ops.min(flat, axis=1), ops.max(flat, axis=1))
    return {
        "image": ops.reshape(ops.cast(ops.take(image, chosen, axis=0), dtype), (-1, n, *shape)),
        "log_prob": ops.reshape(ops.take(log_prob, chosen, axis=0), (-1, n)),
        "log_z": resampling.log_mean(log_weight),
        "ess": ess,
        "mean": ops.reshape(mean, (-1, *shape)),
    }
