"""The UCI optical digits that come with the package: 8x8, 17 levels (see DIGITS.md)."""

from importlib import resources

import numpy as np

from keras_pixelrnn.data.split import SPLITS, Arrays, Source


def digits():
    """1,797 digits, split 1257/180/360 in an order that is written down in DIGITS.md."""
    with resources.files(__package__).joinpath("digits.npz").open("rb") as file:
        stored = np.load(file)
        images, labels = stored["image"], stored["label"].astype(np.int64)
    order = np.random.RandomState(0).permutation(len(images))
    parts = dict(zip(SPLITS, (order[540:], order[360:540], order[:360]), strict=True))
    return Source(
        {split: Arrays(images[part], labels[part]) for split, part in parts.items()},
        known=(0, 16),
        class_names=tuple("0123456789"),
        protocol="UCI optical digits 8x8, 17 levels, split 1257/180/360 by RandomState(0)",
    )
