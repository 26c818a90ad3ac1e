"""Images with what is strange about them drawn anew, and maps of where that was."""

from typing import NamedTuple

import numpy as np

from keras_pixelrnn import checks, noise

BATCH = 64
OWN = (
    "images",
    "seed",
    "nats_threshold",
    "mask",
    "margin",
    "rounds",
    "n",
    "n_particles",
    "context",
)
OPTIONS = ("ess_threshold", "lookahead", "batch_size", "progress")  # as `complete` takes them


class Restoration(NamedTuple):
    """Restored images, and maps of what was strange about the ones given.

    Attributes:
        images: `(batch, height, width, channels)`, uint8 or uint16: of the draws the one that is
            likeliest under the model.
        draws: `(batch, n, height, width, channels)`: several restorations of each image.
        anomaly_map: `(batch, height, width)` float32 in [0, 1]: how far a pixel was moved, as a share of
            the range of values, in expectation and on average over channels; of codes, how often.
        score_map: `(batch, height, width)` float32, nats: what a pixel costs given the *restored* pixels
            before it, on average over the draws. In the plain map of nats the inside of a fault is
            cheap, given its edge, and what comes after it dear.
        mask: `(batch, height, width)` booleans: the pixels drawn anew.
    """

    images: np.ndarray
    draws: np.ndarray
    anomaly_map: np.ndarray
    score_map: np.ndarray
    mask: np.ndarray


def restore(
    model,
    images,
    *,
    seed,
    nats_threshold=None,
    mask=None,
    margin=2,
    rounds=4,
    n=4,
    n_particles=32,
    context=None,
    **options,
):
    """Draw anew what is strange about images, and say where that was.

    With a `nats_threshold`: pixels that cost more, and those around them, are drawn anew by sequential
    Monte Carlo given all others, several times. Then each pixel is judged once more, given the restored
    pixels before it, and those that cost too much now are drawn anew with the others in the next round.
    So a fault is found from its edge on. With a `mask` just those pixels are drawn anew, once.

    Resampling the elements whose code is too long, and comparing, is from Marimont and Tarroni 2020,
    "Anomaly detection through latent space restoration using vector quantized variational autoencoders"
    (arXiv 2012.06765), section 2, there for codes of a VQ-VAE; the rounds and the judgement
    given what is restored are this package's.

    Args:
        model: a `PixelModel`.
        images: `(batch, height, width, channels)` integers.
        seed: int, or an array of one int per image.
        nats_threshold: nats of a pixel, all its channels together, from which on to draw it anew.
        mask: boolean, True where to draw anew: the shape of the images, or without batch axis, channel
            axis, or both. Either this or a threshold.
        margin: rows and columns around a pixel that costs too much to draw anew with it.
        rounds: at most so many; fewer where no pixel is added.
        n: number of restorations of each image.
        n_particles, **options: of `model.complete(..., method="smc")`: `ess_threshold`, `lookahead`,
            `batch_size`, `progress`.
        context: of a conditional model: one for all images, or one for each.

    Returns:
        A `Restoration`.

    Raises:
        ValueError: images that the model does not take, both or none of `nats_threshold` and `mask`, or
            a number outside its range.
        TypeError: an option that completion does not have.

    Example:

    >>> model = PixelCNN((6, 5, 1), Bernoulli(), units=4, num_blocks=1)
    >>> found = restore(model, model.sample(2, seed=0), nats_threshold=0.8, seed=1, n_particles=4)
    >>> found.images.shape, found.draws.shape, found.score_map.shape
    ((2, 6, 5, 1), (2, 4, 6, 5, 1), (2, 6, 5))
    """
    for name in options:
        if name not in OPTIONS:
            raise TypeError(
                f"`restore` has no argument {name!r}. It takes: {', '.join(OWN + OPTIONS)}."
            )
    images = checks.pixel_model("model", model).check_images(images)
    if (nats_threshold is None) == (mask is None):
        raise ValueError(
            "Pass `nats_threshold`, for what is strange to be looked for, or `mask`, for it to be drawn "
            f"anew where you say. Received: nats_threshold={nats_threshold!r}, "
            f"mask={checks.shown(mask)}"
        )
    n = checks.drawn(n, model.image_shape)
    margin = checks.whole("margin", margin, 0, checks.MOST_SIDE)
    rounds = checks.positive_int("rounds", rounds)
    given = model.context.check(context, len(images))
    seeds = noise.image_seeds(seed, len(images))
    options |= {"method": "smc", "n": n, "n_particles": n_particles, "context": context}

    def drawn(anew):
        found = model.complete(images, ~anew, seed=seeds, **options)
        return found, _costs(model, images, found.images, given)

    if mask is not None:
        anew = checks.known(mask, images.shape, "mask", "is drawn anew")
        found, costs = drawn(anew)
    else:
        limit = checks.positive("nats_threshold", nats_threshold)
        costs = _costs(model, images, images[:, None], given)
        anew = np.zeros(images.shape, bool)
        for _ in range(rounds):
            before = anew
            anew = anew | _around(costs > limit, margin)[..., None]
            if (anew == before).all():
                break
            found, costs = drawn(anew)
        if not anew.any():  # nothing is strange: draws are the images
            found, costs = drawn(anew)
    return Restoration(
        found.images[np.arange(len(images)), found.log_prob.argmax(axis=1)],
        found.images,
        _moved(model.distribution, images, found),
        costs,
        anew.any(axis=-1),
    )


def _costs(model, images, draws, given):
    """Nats `(batch, height, width)` of every pixel of images given the pixels of `draws (batch, n, ...)`
    before it, on average over the draws."""
    n = draws.shape[1]
    arrays = [
        draws.reshape(-1, *images.shape[1:]),
        *(np.repeat(x, n, axis=0) for x in (images, *given)),
    ]
    nats = model.run_by_parts("judged", arrays, BATCH)
    return nats.sum(axis=-1).reshape(-1, n, *images.shape[1:3]).mean(axis=1, dtype=np.float32)


def _around(found, margin):
    """Where `(batch, height, width)` something is found within `margin` rows and columns."""
    for axis in (1, 2):
        padded = np.pad(found, [(margin * (axis == at),) * 2 for at in range(3)])
        size = found.shape[axis]
        found = np.any(
            [np.take(padded, range(i, i + size), axis) for i in range(2 * margin + 1)], axis=0
        )
    return found


def _moved(distribution, images, found):
    """How far pixels `(batch, height, width)` are from the restored ones, in expectation."""
    if distribution.levels == 2:  # all particles say more than a few draws
        moved = np.abs(images - found.mean)
    elif distribution.embedding_size is not None:
        moved = (found.images != images[:, None]).mean(axis=1)
    else:
        far = np.abs(found.images.astype(np.int64) - images[:, None]) / (distribution.levels - 1)
        moved = far.mean(axis=1)
    return moved.mean(axis=-1).astype(np.float32)
