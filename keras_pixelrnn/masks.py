"""Masks of the convolutions: which earlier sub-pixels a feature may see.

Van den Oord et al. 2016, "Pixel Recurrent Neural Networks", section 3.4 and figure 2.
"""

import numpy as np

MASK_TYPES = ("A", "B")


def check_mask_type(mask_type):
    """Raise `ValueError` unless `mask_type` is "A" or "B"."""
    if not isinstance(mask_type, str) or mask_type not in MASK_TYPES:
        raise ValueError(
            "`mask_type` must be 'A' (hides the current sub-pixel; first layer only) or 'B' "
            f"(shows it; every later layer). Received: mask_type={mask_type!r}"
        )


def color_of_features(features, colors, gates=1):
    """Colour that each feature belongs to.

    Features are `gates` equal runs, and each run is cut on its own into one contiguous group per
    colour, the first groups one larger where `colors` does not divide the run.

    Args:
        features: number of features.
        colors: number of colours; 1 where colours are not told apart.
        gates: number of runs, 4 for the gates of an LSTM.

    Returns:
        `(features,)` int array.

    >>> color_of_features(4, colors=3)
    array([0, 0, 1, 2])
    >>> color_of_features(8, colors=3, gates=2)
    array([0, 0, 1, 2, 0, 0, 1, 2])
    """
    run = features // gates
    if features % gates or run < colors:
        raise ValueError(
            f"Each of {colors} colours needs at least one feature in each of {gates} equal runs. "
            f"Use a multiple of {gates} features, at least {colors * gates}. "
            f"Received: features={features}, colors={colors}, gates={gates}"
        )
    sizes = [run // colors + (color < run % colors) for color in range(colors)]
    return np.tile(np.repeat(np.arange(colors), sizes), gates)


def causal_mask(kernel_size, in_colors, out_colors, mask_type):
    """Mask of a convolution that sees only earlier pixels in raster order.

    For a 3x3 kernel between features of one colour, rows from the top:

        type A: 1 1 1    type B: 1 1 1
                1 0 0            1 1 0
                0 0 0            0 0 0

    At the centre a feature of colour c sees colours before c (A) or up to c (B).

    Args:
        kernel_size: `(rows, columns)`, both odd.
        in_colors: `(in,)` colour of each input feature.
        out_colors: `(out,)` colour of each output feature.
        mask_type: "A" or "B".

    Returns:
        `(rows, columns, in, out)` float32 array of 0 and 1.
    """
    check_mask_type(mask_type)
    rows, columns = kernel_size
    mask = np.zeros((rows, columns, len(in_colors), len(out_colors)), np.float32)
    mask[: rows // 2] = 1.0
    mask[rows // 2, : columns // 2] = 1.0
    earlier = np.less if mask_type == "A" else np.less_equal
    mask[rows // 2, columns // 2] = earlier.outer(in_colors, out_colors)
    return mask
