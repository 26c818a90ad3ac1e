"""From scores to decisions: a threshold with a stated false-positive rate."""

import math

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn._types import Array

MOST = 1e18  # scores that anyone is asked for


def least(false_positive_rate: float) -> int:
    """Number of scores from which on they can promise such a rate.

    Example:

    >>> least(0.05)
    19
    """
    return math.ceil(round(min(1 / false_positive_rate, MOST), 9)) - 1


def threshold(scores: Array, false_positive_rate: float) -> float:
    """The score above which to call an image strange.

    Of usual images that were not trained on, such as those of `scores`, at most a share of
    `false_positive_rate` will have a score above it: of n validation scores it is the
    `ceil((n + 1) * (1 - false_positive_rate))`-th smallest, not the plain quantile, which promises more
    than n images can tell. The promise holds for any scores, in expectation over validation sets,
    where later images come from where the validation images came from (Vovk et al. 2005,
    "Algorithmic Learning in a Random World", section 4.2; Bates et al. 2021, "Testing for outliers
    with conformal p-values", arXiv 2104.08279, section 2).

    Args:
        scores: `(n,)` numbers, of `model.score` over validation images: larger is stranger.
        false_positive_rate: number between 0 and 1, both excluded.

    Returns:
        float, in the unit of the scores: an image is strange where `model.score(...) > threshold`.

    Raises:
        ValueError: scores that are no vector of finite numbers, a rate outside its range, or too few
            scores for it: 1 / rate - 1 are needed.

    Example:

    >>> threshold(np.arange(199), 0.05)
    189.0
    """
    array = checks.as_array("scores", scores)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(
            "`scores` must be a vector of finite numbers, one for each validation image. "
            f"Received: shape {array.shape}, {int((~np.isfinite(array)).sum())} not finite"
        )
    rate = checks.fraction("false_positive_rate", false_positive_rate)
    if not 0 < rate < 1:
        raise ValueError(
            "`false_positive_rate` must be above 0 and below 1. "
            f"Received: false_positive_rate={false_positive_rate!r}"
        )
    # Rounding must not count one image more than there is: 0.95 * 200 is 190.00000000000003, say; nor
    # none, of a rate next to 1.
    place = max(1, math.ceil(round((len(array) + 1) * (1.0 - rate), 9)))
    if place > len(array):
        raise ValueError(
            f"{len(array)} scores cannot promise so low a rate. Pass at least {least(rate)}, or a "
            "higher rate. "
            f"Received: false_positive_rate={false_positive_rate!r}"
        )
    return float(np.sort(array)[place - 1])
