"""Completion by sequential Monte Carlo, in blocks that fit in memory."""

from typing import NamedTuple

import numpy as np
from keras import ops

from keras_pixelrnn import checks, noise
from keras_pixelrnn.completion import smc
from keras_pixelrnn.completion.lookahead import check_fits

# Of a compiled loop; a particle of a 28x28 model of seven layers takes about 0.1 MB.
MOST_PARTICLES = 1024


class Completion(NamedTuple):
    """Completions of a batch of images by sequential Monte Carlo.

    Attributes:
        images: `(batch, height, width, channels)` draws, uint8 or uint16, or `(batch, n, ...)`.
        log_prob: `(batch,)` or `(batch, n)` float32: nats of the whole of each, known sub-pixels
            included, as `model.log_prob` gives them, in float32 whatever the model's dtype policy.
            `log_prob - log_z` estimates log p(unknown | known).
        log_z: `(batch,)` float32: estimate of log p(known), nats. `exp(log_z)` is unbiased. -inf where
            no particle makes what is known possible; all weigh the same then.
        ess: `(batch, height)` float32: effective sample size of the weights after each row, of all
            particles, before any resampling.
        mean: `(batch, height, width, channels)` float32: expected value of every sub-pixel over all
            particles. For binary images rounding it gives the image with fewest wrong pixels
            expected, where a draw shows one that is plausible as a whole.
    """

    images: np.ndarray
    log_prob: np.ndarray
    log_z: np.ndarray
    ess: np.ndarray
    mean: np.ndarray


def complete(
    model,
    images,
    known,
    *,
    seed,
    context=None,
    n_particles=256,
    ess_threshold=0.5,
    n=None,
    lookahead=None,
    batch_size=None,
    progress=None,
):
    """Draw the unknown sub-pixels of images given all known ones, earlier and later.

    Many completions of an image, its particles, are drawn side by side, each sub-pixel given the
    earlier ones; a known sub-pixel weighs every particle by its probability there. Particles are
    resampled after a row in which their weights have become uneven, as long as sub-pixels below are
    to be drawn. With more particles the draws approach p(unknown | known), the error falling as
    1 / n_particles.

    Args:
        model: a `PixelModel`.
        images: `(batch, height, width, channels)` integers; values not `known` do not matter.
        known: boolean, the same shape, or `(height, width)`, `(height, width, channels)` or
            `(batch, height, width)` for all that is left out.
        seed: int, or an array of one int per image. An image depends on its own seed alone.
        context: of a conditional model: one for all images, or one for each.
        n_particles: particles per image. More than 1,024 run as several groups of equal size, a few
            particles more where they do not part evenly; groups do not resample each other's and are
            weighted against each other at the end.
        ess_threshold: resample where the effective sample size is at most this fraction of the
            particles; 0 never resamples (importance sampling), 1 after nearly every row.
        n: number of draws per image; None for one, without an axis of its own.
        lookahead: of `fit_lookahead`: particles draw with the known sub-pixels ahead in mind, and
            fewer are needed.
        batch_size: images of a block, or of more than 1,024 particles groups of them, worked on at a
            time by one core; None to choose it.
        progress: True for a bar, or a function of the number of images done and of all.

    Returns:
        A `Completion`.

    Raises:
        ValueError: wrong shapes, no booleans, a known value outside the levels, or a number outside
            its range.

    Example:

    >>> model = PixelModel.from_preset("digits")
    >>> images = model.sample(2, seed=0)
    >>> known = np.arange(8)[:, None] >= np.full(8, 4)  # the lower half
    >>> drawn = complete(model, images, known, seed=1, n_particles=32, n=3)
    >>> drawn.images.shape, drawn.log_z.shape
    ((2, 3, 8, 8, 1), (2,))
    """
    images, known = model.check_completion(images, known)
    images = checks.given(images, known, model.distribution.dtype)
    n_particles = checks.drawn(n_particles, model.image_shape, "n_particles")
    draws = 1 if n is None else checks.drawn(n, model.image_shape)
    threshold = checks.fraction("ess_threshold", ess_threshold)
    seeds = noise.image_seeds(seed, len(images))
    given = model.context.check(context, len(images))

    options = {"n": draws}
    if lookahead is not None:
        check_fits(lookahead, model)
        options["lookahead"] = lookahead

    groups, size = in_groups(n_particles)
    if groups > 1:
        seeds = _seeds_of_groups(seeds, groups)
        images, known, *given = (np.repeat(x, groups, axis=0) for x in (images, known, *given))
    count = smc.count_of_numbers(model.image_shape, size)
    arrays = [
        images,
        known,
        lambda rows: ops.convert_to_numpy(noise.uniform(seeds[rows], (count,))),
        np.full(len(images), threshold, np.float32),
        *given,
    ]
    most = max(1, MOST_PARTICLES // size)
    found = model.run_particles(
        arrays, most, groups, batch_size, progress, n_particles=size, **options
    )
    model.check_drawn(found["log_z"], lookahead)  # nan where any particle's nats are
    if groups > 1:
        found = _together(found, seeds, groups, draws)
    if n is None:
        found |= {key: found[key][:, 0] for key in ("image", "log_prob")}
    return Completion(found.pop("image"), **found)


def in_groups(n_particles):
    """How many groups so many particles run in, and particles of each: the same number, so that a few
    more may run than were asked for."""
    groups = -(-n_particles // MOST_PARTICLES)
    return groups, -(-n_particles // groups)


def _seeds_of_groups(seeds, groups):
    """Seeds `(batch * groups,)`, those of an image spread from its own."""
    spread = [np.random.SeedSequence(int(seed)).generate_state(groups, np.uint64) for seed in seeds]
    return (np.concatenate(spread or [np.zeros(0, np.uint64)]) >> 1).astype(np.int64)


def _together(found, seeds, groups, draws):
    """One result per image of those of its groups, each weighted by its estimate of p(known)."""
    found = {key: x.reshape(-1, groups, *x.shape[1:]) for key, x in found.items()}
    log_z = found["log_z"].astype(np.float64)
    top = log_z.max(axis=1, keepdims=True, initial=-np.inf)
    weight = np.exp(log_z - np.where(np.isfinite(top), top, 0.0))
    weight = np.where(np.isfinite(top), weight, 1.0)
    mean_weight = weight.mean(axis=1, keepdims=True)
    share = weight / weight.sum(axis=1, keepdims=True)
    chosen = np.array(
        [
            np.random.default_rng(int(seed)).choice(groups, size=draws, p=p)
            for seed, p in zip(seeds[::groups], share, strict=True)
        ],
        int,
    ).reshape(-1, draws)
    rows, columns = np.arange(len(chosen))[:, None], np.arange(draws)
    mean = (share[:, :, None, None, None] * found["mean"]).sum(axis=1)
    # Effective sample size of all: groups count by the squares of their shares, too.
    ess = 1.0 / (share[:, :, None] ** 2 / found["ess"]).sum(axis=1)
    return {
        "image": found["image"][rows, chosen, columns],
        "log_prob": found["log_prob"][rows, chosen, columns],
        "log_z": (top + np.log(mean_weight))[:, 0].astype(np.float32),
        "ess": ess.astype(np.float32),
        # of shares that sum to 1 but for rounding, as in `particles.summary`
        "mean": np.clip(mean, found["mean"].min(axis=1), found["mean"].max(axis=1)).astype("f4"),
    }
