"""Images that come one after the other: `tf.data.Dataset`, generators, `keras.utils.PyDataset`.

They are read through once and kept, in memory or in a temporary file, so that they can be shuffled
wholly and a training resumes exactly.
"""

import tempfile
import warnings

import numpy as np

from keras_pixelrnn.data import elements

IN_MEMORY = 2**30  # bytes of a stream that are kept in memory
KEYS = (("image", "images", "x", "pixel_values"), ("label", "labels", "y"))


def is_stream(source):
    """Whether `source` yields images or batches of them."""
    if isinstance(source, (dict, tuple, list, str)) or hasattr(source, "shape"):
        return False
    return hasattr(source, "num_batches") or hasattr(source, "__iter__")


def is_named(source):
    """Whether this is a dict such as TensorFlow Datasets has: an image by one of its usual names."""
    return isinstance(source, dict) and any(key in source for key in KEYS[0])


def drained(source, where="the stream", exact=False, channels=None):
    """All images of a finite stream, and their labels or None.

    Args:
        source: iterable of images `(height, width, channels)`, of batches of them, of tuples
            `(image, label)` or of dicts with "image" and "label"; or a `PyDataset`.
        where: words for errors.
        exact: see `elements.image`.
        channels: of the images, where that is known.
    """
    spool, labels, labelled = None, [], None
    for element in _elements(source, where):
        image, label = parts(element, where, told=spool is not None)
        # A copy: what yields images may write the next one where this one lies.
        image = np.array(elements.image(image, where, exact))
        if image.ndim not in (3, 4):
            raise ValueError(
                "Expected images (height, width, channels) or batches (n, height, width, channels)"
                f"; grey ones need a channel axis, image[..., None]. Received: {where} with an "
                f"element of shape {image.shape}"
            )
        if image.ndim == 3 and image.shape[-1] > 4:
            raise ValueError(
                "The last axis of images holds their channels, 1 to 4. Of a batch of grey images pass "
                "batch[..., None], of PyTorch's (channels, height, width) np.moveaxis(image, 0, -1). "
                f"Received: {where} with an element of shape {image.shape}"
            )
        single = image.ndim == 3
        if spool is None:
            elements.check_layout(image.shape, channels, f"{where} with an element")
        images = image[None] if single else image
        spool = spool or Spool(images, where)
        spool.add(images)
        if label is not None:
            labels.append(elements.labels(label, None if single else len(images), where))
        labelled = (label is not None) if labelled is None else labelled
        if labelled != (label is not None):
            raise ValueError(f"Some images have labels and others none. Received: {where}")
    if spool is None:
        raise ValueError(f"There are no images. Received: {where}")
    return spool.array(), (elements.joined(labels, where) if labels else None)


class Spool:
    """Collects batches of images, beyond `IN_MEMORY` bytes in a temporary file.

    Args:
        like: a batch with the shape and dtype of all.
        where: words for errors.
    """

    def __init__(self, like, where):
        self._shape, self._dtype, self._where = like.shape[1:], like.dtype, where
        self._parts, self._size, self._file, self._count = [], 0, None, 0

    def add(self, images):
        if images.shape[1:] != self._shape or images.dtype != self._dtype:
            raise ValueError(
                f"All images must have one shape and dtype. Received: {self._where} with "
                f"{self._shape} {self._dtype} and {images.shape[1:]} {images.dtype}"
            )
        self._count += len(images)
        if self._file is None:
            self._parts.append(images)
            self._size += images.nbytes
            if self._size <= IN_MEMORY:
                return
            self._file = tempfile.TemporaryFile(prefix="pixelrnn-")  # noqa: SIM115  (lives as long as its map)
            waiting, self._parts = self._parts, []
        else:
            waiting = [images]
        for part in waiting:
            self._file.write(np.ascontiguousarray(part).data)

    def array(self):
        """All images, `(n, height, width, channels)`."""
        if self._file is None:
            return np.concatenate(self._parts)
        self._file.flush()
        return np.memmap(self._file, self._dtype, "r", shape=(self._count, *self._shape))


def _elements(source, where):
    """The elements of a stream that ends; `ValueError` for one that is known not to."""
    by_number = hasattr(source, "num_batches")
    if by_number:
        endless = source.num_batches is None
    else:  # tf.data.INFINITE_CARDINALITY
        endless = hasattr(source, "cardinality") and int(source.cardinality()) == -1
    if endless:
        raise ValueError(
            "An endless stream cannot be split and shuffled. Pass a finite one, such as "
            f"dataset.take(n), or give it to model.fit itself. Received: {where}, which repeats"
        )
    return (source[n] for n in range(source.num_batches)) if by_number else source


def parts(element, where, told=False):
    """Image and label, or None, of an element: a dict, a tuple, or an image alone. What else a dict
    holds is named in a warning, unless it has been `told`."""
    if isinstance(element, dict):
        found = [[key for key in keys if key in element] for keys in KEYS]
        if len(found[0]) != 1 or len(found[1]) > 1:
            raise ValueError(
                f"Expected dicts with one of {KEYS[0]} and perhaps one of {KEYS[1]}. "
                f"Received: {where} with {sorted(element)}"
            )
        left = sorted(set(element) - {*found[0], *found[1]})
        if left and not told:
            warnings.warn(
                f"{where} holds {', '.join(map(str, left))} beside images: not read. Labels have the "
                "name label, labels or y.",
                stacklevel=2,
            )
        return element[found[0][0]], element[found[1][0]] if found[1] else None
    if isinstance(element, (tuple, list)):
        if len(element) not in (1, 2):
            raise ValueError(
                "Expected images or pairs (image, label); weights are not kept. "
                f"Received: {where} with tuples of {len(element)}"
            )
        return element[0], element[1] if len(element) == 2 else None
    return element, None
