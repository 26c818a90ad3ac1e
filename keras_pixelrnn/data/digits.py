"""The UCI optical digits that come with the package: 8x8, 17 levels (see DIGITS.md)."""

from importlib import resources

import numpy as np

from keras_pixelrnn.data.split import SPLITS, Arrays, Source


def digits():
    """1,797 digits, split 1257/180/360 in an order that is written down in DIGITS.md."""
    path = resources.files(__package__).joinpath("digits.npz")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            images, labels = stored["image"], stored["label"].astype(np.int64)
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds
        raise ValueError(
            f"Cannot read {path}, which comes with the package. Install the package again. "
            f"Received: {type(error).__name__}: {error}"
        ) from error
    order = np.random.RandomState(0).permutation(len(images))
    parts = dict(zip(SPLITS, (order[540:], order[360:540], order[:360]), strict=True))
    return Source(
        {split: Arrays(images[part], labels[part]) for split, part in parts.items()},
        known=(0, 16),
        class_names=tuple("0123456789"),
        protocol="UCI optical digits 8x8, 17 levels, split 1257/180/360 by RandomState(0)",
        at_hand=True,
        dataset={"name": "digits"},
    )
