"""Batches of images that lie in a file, read as they are wanted: Keras would copy the whole array."""

import keras
import numpy as np

from keras_pixelrnn.data.split import Arrays

BATCH_SIZE = 32  # Keras' own


class StoredBatches(keras.utils.PyDataset):
    """Batches of a memory-mapped array, or of one in an HDF5 file.

    Args:
        images: the array `(n, height, width, channels)`.
        context: tuple of one array `(n, ...)`, or of none.
        weight: `(n,)`, or None.
        batch_size: images of a batch; None: 32.
        numbers: which images; None: all.
        shuffle: take them in another order each epoch, by NumPy's random state.
    """

    def __init__(
        self, images, context=(), weight=None, batch_size=None, numbers=None, shuffle=False
    ):
        super().__init__()
        self._images, self._context, self._weight = images, context, weight
        self._read = Arrays(images).read
        self._batch_size = BATCH_SIZE if batch_size is None else batch_size
        self._numbers = np.arange(len(images)) if numbers is None else numbers
        self._shuffle = shuffle
        self.on_epoch_end()

    @property
    def num_batches(self):
        """Number of batches of an epoch."""
        return -(-len(self._numbers) // self._batch_size)

    def __getitem__(self, number):
        first = number * self._batch_size
        numbers = self._numbers[self._order[first : first + self._batch_size]]
        images, _ = self._read(numbers)
        images = images.astype(images.dtype.newbyteorder("="), copy=False)
        x = (images, *(array[numbers] for array in self._context)) if self._context else images
        return (x,) if self._weight is None else (x, images, self._weight[numbers])

    def on_epoch_end(self):
        """Take another order."""
        count = len(self._numbers)
        self._order = np.random.permutation(count) if self._shuffle else np.arange(count)

    def parted(self, share, shuffle):
        """These, shuffled or not, without the last `share` of them; and those, or None for no share."""
        count = len(self._numbers)
        ends = int(count * (1.0 - share))
        options = (self._images, self._context, self._weight, self._batch_size)
        first = StoredBatches(*options, self._numbers[:ends], shuffle)
        return first, StoredBatches(*options, self._numbers[ends:]) if share else None
