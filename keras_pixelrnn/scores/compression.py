"""The size of an image under general compressors: how complex it is, whatever a model thinks of it."""

import bz2
import lzma
import math
import zlib

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn._types import Array
from keras_pixelrnn.checks.numbers import MOST_SIDE

NATS_PER_BYTE = 8 * math.log(2)
# Without headers, which would cost a small image more than its pixels.
RAW_LZMA = [{"id": lzma.FILTER_LZMA1, "preset": 6, "dict_size": 1 << 16, "lc": 0, "lp": 0, "pb": 0}]


def compressed_nats(images: Array, levels: int) -> np.ndarray:
    """Size of each image under the best of some general compressors.

    Deflate (zlib, raw), Burrows-Wheeler (bz2) and LZMA (raw) of the standard library are each given
    the values in raster order and the same after PNG's prediction (per row the one of its five filters
    with the smallest sum of absolute differences), with several values in a byte up to 16 levels.
    The shortest counts, or equal lengths for all values where that is shorter still, and the cost of
    saying which.

    Serra et al. 2019, "Input complexity and out-of-distribution detection with likelihood-based
    generative models" (arXiv 1909.11480), section 3.

    Args:
        images: `(n, height, width, channels)` integers in `0 .. levels-1`.
        levels: number of values of a sub-pixel, 2 to 65,536.

    Returns:
        `(n,)` float64, nats (a byte is 5.55 nats).

    Raises:
        ValueError: no integers, another number of axes, or a value outside the levels.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> flat, noise = np.zeros((1, 16, 16, 1), np.uint8), rng.integers(0, 256, (1, 16, 16, 1))
    >>> (compressed_nats(flat, 256) < compressed_nats(noise, 256)).item()
    True
    """
    levels = checks.whole("levels", levels, 2, 65536)
    images = checks.as_array("images", images)
    if images.ndim != 4 or not all(0 < side <= MOST_SIDE for side in images.shape[1:]):
        raise ValueError(
            "`images` must have the shape (n, height, width, channels). "
            f"Received: shape {images.shape}"
        )
    low, high = (images.min(), images.max()) if images.size else (0, 0)
    if images.dtype.kind not in "iu" or low < 0 or high >= levels:
        raise ValueError(
            f"`images` must be integers in 0 .. {levels - 1}. Received: dtype {images.dtype}, values "
            f"from {low} to {high}"
        )
    images = images.astype(">u2" if levels > 256 else np.uint8)
    return np.array([_nats(image, levels) for image in images], np.float64)


def _nats(image, levels):
    """Size of one image, nats."""
    plain = _packed(image, levels)
    codings = [
        size(form)
        for form in (plain, _predicted(image, levels))
        for size in (_deflate, _bzip2, _lzma)
    ]
    uniform = image.size * math.log(levels)
    return min(min(codings) * NATS_PER_BYTE, uniform) + math.log(len(codings) + 1)


def _deflate(data):
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    return len(compressor.compress(data) + compressor.flush())


def _bzip2(data):
    return len(bz2.compress(data))


def _lzma(data):
    return len(lzma.compress(data, lzma.FORMAT_RAW, filters=RAW_LZMA))


def _packed(image, levels):
    """The values as bytes, rows one after the other, several values in a byte up to 16 levels."""
    bits = next((bits for bits in (1, 2, 4) if levels <= 1 << bits), None)
    if bits is None:
        return image.tobytes()
    rows = image.reshape(len(image), -1)
    shifts = np.arange(bits)[::-1]
    return np.packbits((rows[..., None] >> shifts & 1).reshape(len(rows), -1), axis=1).tobytes()


def _predicted(image, levels):
    """The image as PNG would hand it to its compressor: for each row a filter and what it leaves."""
    value = image.astype(np.int64)
    padded = np.pad(value, ((1, 0), (1, 0), (0, 0)))
    left, above, corner = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    distance = [np.abs(above - corner), np.abs(left - corner), np.abs(left + above - 2 * corner)]
    paeth = np.where(
        (distance[0] <= distance[1]) & (distance[0] <= distance[2]),
        left,
        np.where(distance[1] <= distance[2], above, corner),
    )
    guesses = np.stack([np.zeros_like(value), left, above, (left + above) // 2, paeth])
    rest = (value - guesses) % levels
    cost = np.minimum(rest, levels - rest).sum(axis=(2, 3))
    chosen = cost.argmin(axis=0)  # per row
    rest = rest[chosen, np.arange(len(value))].astype(image.dtype)
    return chosen.astype(np.uint8).tobytes() + _packed(rest, levels)
