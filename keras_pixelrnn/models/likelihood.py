"""Likelihood of any number of images."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_pixelrnn._types import Array
from keras_pixelrnn.models import blocks


class Likelihood:
    """`log_prob` and `nats_map` of all models.

    The images are worked on in blocks of one compiled size, the last of them filled up, so that memory
    stays that of a block. Without a `batch_size` the size is a power of two, of few images the next one
    and of many what fits into some 0.5 GB. The same image in a block of the same size has the same
    nats, bit for bit, whatever is beside it; in one of another size the last bits may differ.
    """

    def log_prob(
        self,
        images: Array,
        *,
        context: Array | None = None,
        batch_size: int | None = None,
        progress: bool | Callable[[int, int], Any] | None = None,
    ) -> np.ndarray:
        """Log-probability of images.

        Args:
            images: `(n, height, width, channels)` integers in `0 .. levels-1`.
            context: of a conditional model: one for all images, or one for each.
            batch_size: images of a block, worked on at a time; None to choose it.
            progress: True for a bar, or a function of the number of images done and of all.

        Returns:
            `(n,)` float32 array, nats per image.

        Raises:
            ValueError: wrong shape, no integers, or a value outside the distribution's levels; a
                context that is missing, not wanted or does not fit; a wrong `batch_size`.
        """
        images = self.check_images(images)
        found = self._nats("log_prob", images, context, batch_size)
        return blocks.gathered(found, len(images), (), "float32", progress)

    def nats_map(
        self,
        images: Array,
        *,
        context: Array | None = None,
        batch_size: int | None = None,
        progress: bool | Callable[[int, int], Any] | None = None,
    ) -> np.ndarray:
        """Log-probability of every sub-pixel of images given the earlier ones.

        Args, errors: of `log_prob`.

        Returns:
            `(n, height, width, channels)` float32 array, nats; `log_prob` is the sum of each image.
        """
        images = self.check_images(images)
        found = self._nats("nats", images, context, batch_size)
        return blocks.gathered(found, len(images), self.image_shape, "float32", progress)

    def nats_batches(
        self, images: Array, *, context: Array | None = None, batch_size: int | None = None
    ) -> Iterator[np.ndarray]:
        """What `nats_map` returns, a block at a time.

        Args, errors: of `log_prob`.

        Yields:
            `(at most batch_size, height, width, channels)` float32 arrays, in order.
        """
        return self._nats("nats", self.check_images(images), context, batch_size)

    def _nats(self, name, images, context, batch_size):
        given = self.context.check(context, len(images))
        size = blocks.likelihood_size(self, len(images), batch_size)
        return self._functions.in_blocks(name, [images, *given], size)
