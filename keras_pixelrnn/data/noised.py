"""Images with sub-pixels replaced at random: what background models are trained on."""

import numpy as np


def noised(images, levels, share, uniform):
    """Images of which each sub-pixel was replaced, with probability `share`, by any value alike.

    Ren et al. 2019, "Likelihood ratios for out-of-distribution detection" (arXiv 1906.02845), section
    3 and appendix A. The new value may be the old one: a share of `share * (1 - 1 / levels)` differs.

    Args:
        images: integers in `0 .. levels-1`.
        levels: number of values of a sub-pixel.
        share: probability in (0, 1].
        uniform: float32 in [0, 1), shaped like `images`; it decides both whether and by what.

    Returns:
        Array like `images`.

    Example:

    >>> noised(np.array([3, 3, 3]), 4, 0.5, np.array([0.0, 0.49, 0.5]))
    array([0, 3, 3])
    """
    uniform = np.asarray(uniform, np.float64)  # so that its 24 bits tell all values apart
    value = np.minimum(uniform * (levels / share), levels - 1).astype(images.dtype)
    return np.where(uniform < share, value, images)
