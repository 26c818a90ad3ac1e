"""From a source to batches: quantisation, binarization, and the tf.data pipeline."""

from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from keras_pixelrnn.data import sources

BINARIZATIONS = ("static", "dynamic", "threshold")


@dataclass(frozen=True)
class ImageData:
    """Train, validation and test images, quantised to `levels`.

    Attributes:
        image_shape: `(height, width, channels)`.
        levels: number of values of a sub-pixel.
        num_classes: number of labels; 0 where there are none.
        sizes: number of images of each split: "train", "validation", "test".
        protocol: data set, splits and binarization in words, to be stated beside every figure.
    """

    source: sources.Source
    levels: int
    binarization: str | None
    protocol: str

    @property
    def image_shape(self):
        return self.source.image_shape

    @property
    def num_classes(self):
        return self.source.num_classes

    @property
    def sizes(self):
        return self.source.sizes

    def training(self, batch_size, *, seed=0, first_epoch=0, first_step=0, labels=False):
        """Endless batches of shuffled training images, `steps_per_epoch(batch_size)` an epoch.

        The order, and the draws of a dynamic binarization, depend on the seeds alone, so that
        training resumed at `first_epoch` sees what it would have seen. The images left over when
        the batches of an epoch are full begin the next one.

        Args:
            batch_size: images per batch.
            seed: int.
            first_epoch: epoch to begin with.
            first_step: batch of it to begin with.
            labels: yield `(image, label)` instead of images alone.

        Returns:
            `tf.data.Dataset` of uint8 `(batch_size, height, width, channels)`.
        """
        size = self.sizes["train"]
        steps = self.steps_per_epoch(batch_size)
        images = self.source.splits["train"].cache()
        images = images.shuffle(min(size, 100_000), seed=seed).repeat().enumerate()
        images = images.skip((first_epoch * steps + first_step) * batch_size)
        images = images.map(
            lambda index, pair: (self._quantise(pair[0], [seed, index]), pair[1]),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        return _batches(images, batch_size, labels, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    def steps_per_epoch(self, batch_size):
        """Full batches in an epoch of training; `ValueError` if there is not even one."""
        size = self.sizes["train"]
        if not 0 < batch_size <= size:
            raise ValueError(
                f"`batch_size` must be between 1 and the {size} training images. "
                f"Received: batch_size={batch_size}"
            )
        return size // batch_size

    def evaluation(self, split, batch_size, *, labels=False):
        """All images of a split once, in their order; the last batch may be smaller.

        A dynamic binarization draws the same values each time.

        Args:
            split: "train", "validation" or "test".
            batch_size: images per batch.
            labels: yield `(image, label)` instead of images alone.
        """
        if split not in self.sizes:
            raise ValueError(f"`split` must be one of {list(self.sizes)}. Received: {split!r}")
        images = self.source.splits[split].enumerate()
        images = images.map(
            lambda index, pair: (self._quantise(pair[0], [-1, index]), pair[1]),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        batches = _batches(images, batch_size, labels, drop_remainder=False)
        return batches.cache().prefetch(tf.data.AUTOTUNE)

    def _quantise(self, image, seed):
        if self.binarization == "dynamic":
            uniform = tf.random.stateless_uniform(tf.shape(image), tf.stack(seed))
            ink = tf.cast(image, tf.float32) / (self.source.levels - 1)
            return tf.cast(uniform < ink, tf.uint8)
        return tf.cast(tf.cast(image, tf.int32) * self.levels // self.source.levels, tf.uint8)


def _batches(images, batch_size, labels, drop_remainder):
    if not labels:
        images = images.map(lambda image, label: image)
    return images.batch(batch_size, drop_remainder=drop_remainder)


def load(
    source="digits",
    *,
    data_dir=None,
    levels=None,
    binarization=None,
    image_size=None,
    channels=3,
):
    """Load train, validation and test images.

    Args:
        source: "digits" (comes with the package, no network); a name of TensorFlow Datasets such as
            "binarized_mnist", "mnist" or "cifar10"; the path of a folder of PNG and JPEG files; an
            array of images, or a dict of arrays for "train", "validation" and "test".
        data_dir: folder of prepared TFDS data; the environment variable TFDS_DATA_DIR if None.
        levels: number of values of a sub-pixel, 2 to that of the source, which is also the default.
            Equal steps: `value * levels // source_levels`.
        binarization: how images of more levels become binary, required for `levels=2`: "dynamic"
            draws each value anew in every epoch with its grey level as probability (Salakhutdinov
            and Murray 2008), "threshold" cuts at half the range. "static" names binary data as it
            is stored (`binarized_mnist`: Larochelle and Murray 2011).
        image_size: for folders: `(height, width)` or one int.
        channels: for folders: 1, 3 or 4.

    Returns:
        An `ImageData`.

    Raises:
        ValueError: unknown source, unreadable image, levels or binarization that do not fit.

    Example:

    >>> data = load("digits")
    >>> next(iter(data.evaluation("test", batch_size=32))).shape
    TensorShape([32, 8, 8, 1])
    """
    if not isinstance(source, (str, Path)):
        found = sources.arrays(source)
    elif str(source) == "digits":
        found = sources.digits()
    elif Path(source).is_dir():
        found = sources.folder(source, image_size, channels)
    else:
        found = sources.tfds(str(source), data_dir)

    levels = found.levels if levels is None else levels
    if not 2 <= levels <= found.levels:
        raise ValueError(
            f"`levels` must be between 2 and the {found.levels} of the source. "
            f"Received: levels={levels}"
        )
    fitting = ("static",) if found.levels == 2 else ("dynamic", "threshold")
    if levels == 2:
        if found.levels == 2 and binarization is None:
            binarization = "static"
        if binarization not in fitting:
            raise ValueError(
                f"Binary images of this source need `binarization` to be one of {fitting}. "
                f"Received: binarization={binarization!r}"
            )
    elif binarization is not None:
        raise ValueError(
            "`binarization` goes with levels=2. "
            f"Received: levels={levels}, binarization={binarization!r}"
        )
    protocol = found.protocol
    if binarization:
        protocol += f", {binarization} binarization"
    elif levels != found.levels:
        protocol += f", quantised to {levels} levels"
    return ImageData(found, levels, binarization, protocol)
