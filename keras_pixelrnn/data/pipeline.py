"""`ImageData`: from a source to batches, the same whatever carries them."""

import functools
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_pixelrnn import checks
from keras_pixelrnn.data import arguments, order
from keras_pixelrnn.data.noised import noised
from keras_pixelrnn.data.split import Source
from keras_pixelrnn.data.values import Values

WHOLE = 4_096  # images that `whole` reads at a time


@dataclass(frozen=True)
class ImageData:
    """Train, validation and test images of one meaning.

    Attributes:
        image_shape: `(height, width, channels)`.
        levels: number of values of a sub-pixel.
        ordered: True: intensities, neighbouring values are alike; False: codes, without order.
        dtype: of the images: uint8 up to 256 levels, else uint16.
        num_classes: number of labels; 0 where there are none.
        class_names: their names, a tuple of str.
        sizes: number of images of each split: "train", "validation", "test".
        binarization: "static", "dynamic", "threshold" or None.
        noise: share of the sub-pixels that are replaced at random, see `noised`.
        protocol: data set, splits and binarization in words, to be stated beside every figure.
    """

    source: Source
    values: Values
    noise: float = 0.0

    @property
    def image_shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in self.source.splits["train"].shape[1:])

    @property
    def levels(self) -> int:
        return self.values.levels

    @property
    def ordered(self) -> bool:
        return self.values.ordered

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    @property
    def binarization(self) -> str | None:
        return self.values.binarization

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.source.class_names

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def sizes(self) -> dict[str, int]:
        return {name: int(split.shape[0]) for name, split in self.source.splits.items()}

    @property
    def protocol(self) -> str:
        noise = f", {self.noise:g} of the sub-pixels replaced at random" if self.noise else ""
        return self.source.protocol + self.values.words() + noise

    def noised(self, share: float) -> "ImageData":
        """The same images with each sub-pixel replaced, with probability `share`, by a value drawn
        uniformly: for a background model (Ren et al. 2019, arXiv 1906.02845).

        What is replaced in training is a function of the seed and the number of the step, in
        validation and test of the image alone, the same each time.

        Args:
            share: probability, above 0 and at most 1.

        Returns:
            An `ImageData`.

        Raises:
            ValueError: a share outside its range.
        """
        share = checks.fraction("share", share)
        if not share:
            raise ValueError("`share` must be above 0. Received: share=0")
        return replace(self, noise=share)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Full batches in an epoch of training; `ValueError` if there is not even one."""
        size = self.sizes["train"]
        if not checks.is_whole(batch_size) or not 0 < batch_size <= size:
            raise ValueError(
                f"`batch_size` must be an int between 1 and the {size} training images. "
                f"Received: batch_size={checks.shown(batch_size)}"
            )
        return size // batch_size

    def training(
        self,
        batch_size: int,
        *,
        seed: int = 0,
        first_epoch: int = 0,
        first_step: int = 0,
        labels: bool = False,
        part: tuple[int, int] = (0, 1),
    ) -> Any:
        """Endless batches of shuffled training images, `steps_per_epoch(batch_size)` an epoch.

        What a step sees, draws of a dynamic binarization included, depends on the seed and the
        number of the step alone: training resumed at any step sees what it would have seen, and
        reads nothing of what it skips. Each image comes once before any comes again; those left over
        when the batches of an epoch are full begin the next one.

        Args:
            batch_size: images per batch.
            seed: int.
            first_epoch: epoch to begin with.
            first_step: step of that epoch to begin with.
            labels: yield `(images, labels)` instead of images alone; `ValueError` where the source has
                none, -1 for an image that lacks its own.
            part: `(number, count)`: of each batch only this one of `count` equal parts.

        Returns:
            Batches `(batch_size / count, height, width, channels)` of `dtype`: a `tf.data.Dataset` on
            Keras' TensorFlow backend, else a `keras.utils.PyDataset` that needs no TensorFlow;
            both go to `fit` and into `for`.
        """
        steps = self.steps_per_epoch(batch_size)
        checks.whole("first_epoch", first_epoch, 0, checks.MOST_STEPS)
        checks.whole("seed", seed, -(2**63), 2**64 - 1)
        checks.whole("first_step", first_step, 0, checks.MOST_STEPS)
        arguments.labels(labels, self.source)
        shuffled = order.Shuffled(self.sizes["train"], seed)
        number, size = _part(batch_size, part)

        def read(step):
            first = step * batch_size + number * size
            return self._read("train", shuffled(first, size), first, seed, labels)

        return _carrier().batches(
            read, self._specs(size, labels), first=first_epoch * steps + first_step
        )

    def numbers(
        self,
        batch_size: int,
        *,
        seed: int = 0,
        first_step: int = 0,
        part: tuple[int, int] = (0, 1),
    ) -> Any:
        """Endless batches `(batch_size / count,)` of int32 numbers of training images: of those, in that
        order, that `training` gives with the same arguments."""
        self.steps_per_epoch(batch_size)
        checks.whole("seed", seed, -(2**63), 2**64 - 1)
        checks.whole("first_step", first_step, 0, checks.MOST_STEPS)
        shuffled = order.Shuffled(self.sizes["train"], seed)
        number, size = _part(batch_size, part)

        def read(step):
            return shuffled(step * batch_size + number * size, size).astype(np.int32)

        return _carrier().batches(read, ((size,), np.dtype(np.int32)), first=first_step)

    def whole(self, split: str, *, labels: bool = False) -> np.ndarray | tuple[np.ndarray, ...]:
        """All images of a split, `(n, height, width, channels)`, in one array in memory.

        Args:
            split: "train", "validation" or "test".
            labels: give `(images, labels)`.

        Raises:
            ValueError: a dynamic binarization, which makes other images each time round.
        """
        if self.binarization == "dynamic":
            raise ValueError(
                "Images of a dynamic binarization are drawn anew each epoch; there is no array of them."
            )
        numbers = np.arange(self.sizes[checks.choice("split", split, self.sizes)])
        firsts = range(0, len(numbers), WHOLE)
        parts = [self.images(split, numbers[n : n + WHOLE], labels=labels) for n in firsts]
        return tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)

    def evaluation(
        self,
        split: str,
        batch_size: int,
        *,
        labels: bool = False,
        part: tuple[int, int] | None = None,
    ) -> Any:
        """All images of a split once, in their order; the last batch may be smaller.

        A dynamic binarization draws the same values each time, whatever the batch size.

        Args:
            split: "train", "validation" or "test".
            batch_size: images per batch.
            labels: yield `(images, labels)` instead of images alone.
            part: `(number, count)`: of each full batch only this one of `count` equal parts, and nothing
                of a last one that is not full.

        Returns:
            Batches as of `training`, which end; to be gone through as often as wanted.
        """
        checks.choice("split", split, list(self.sizes))
        checks.drawn(batch_size, self.image_shape, "batch_size")
        arguments.labels(labels, self.source)
        size, count = self.sizes[split], -(-self.sizes[split] // batch_size)
        number, own = 0, batch_size
        if part is not None:
            count, (number, own) = size // batch_size, _part(batch_size, part)

        def read(step):
            first = step * batch_size + number * own
            numbers = np.arange(first, min(first + own, size))
            return self._read(split, numbers, first, None, labels)

        return _carrier().batches(read, self._specs(None, labels), last=count)

    def images(
        self, split: str, numbers: np.ndarray, *, labels: bool = False
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        """The images of these numbers of a split, in this order; with `labels`, `(image, label)`."""
        numbers = arguments.numbers(numbers, split, self.sizes)
        labels = arguments.labels(labels, self.source)
        return self._read(split, numbers, int(numbers[0]), None, labels)

    def rest(self, split: str, batch_size: int, times: int, *, labels: bool = False) -> Any:
        """A batch of what is left of a split when its full batches are gone, each image `times` times in
        it; None where nothing is left."""
        arguments.labels(labels, self.source)
        numbers = np.arange(self.sizes[split] // batch_size * batch_size, self.sizes[split])
        if not len(numbers):
            return None

        def read(step):
            found = self._read(split, numbers, int(numbers[0]), None, labels)
            return tree.map_structure(lambda array: np.concatenate([array] * times), found)

        return _carrier().batches(read, self._specs(None, labels), last=1)

    def has_labels(self, split: str) -> bool:
        """Whether the images of a split have labels: those of a test split may be hidden."""
        return bool(self.class_names) and bool(self.images(split, [0], labels=True)[1][0] >= 0)

    def _read(self, split, numbers, first, seed, labels):
        """Batch of the images `numbers`, which begin at place `first` of their stream."""
        raw, found = self.source.splits[split].read(numbers)
        self.values.check(raw, f"{split} images{self.source.place}")
        purpose = split if seed is None else "training"

        def uniform(purpose):
            return order.uniforms(purpose, seed or 0, first, len(raw), self.image_shape)

        dynamic = self.binarization == "dynamic"
        images = self.values.quantise(raw, uniform(purpose) if dynamic else None)
        if self.noise:
            images = noised(images, self.levels, self.noise, uniform(f"noise of {purpose}"))
        return (images, found) if labels else images

    def _specs(self, batch_size, labels):
        """Shape and dtype of each part of a batch."""
        images = ((batch_size, *self.image_shape), self.dtype)
        return (images, ((batch_size,), np.dtype(np.int64))) if labels else images


def _part(batch_size, part):
    """Number and size of a part of a batch."""
    pair = tuple(part) if isinstance(part, (tuple, list)) else ()
    number, count = pair if len(pair) == 2 and all(map(checks.is_whole, pair)) else (0, 0)
    if not 0 <= number < count or batch_size % count:
        raise ValueError(
            f"`part` must be one of equal parts of a batch of {batch_size}. Received: part={part!r}"
        )
    return number, batch_size // count


@functools.cache
def _carrier():
    """The module whose `batches` carries them: TensorFlow's on its backend, else ours."""
    if keras.backend.backend() == "tensorflow":
        from keras_pixelrnn.data import pipeline_tf

        return pipeline_tf
    from keras_pixelrnn.data import pipeline_numpy

    return pipeline_numpy
