"""Random numbers of the pipeline: functions of seed and place alone, so that training resumes exactly.

Raw Philox words are used throughout: NumPy keeps those the same for ever, its distributions not.
"""

import functools

import numpy as np

WORDS = 4  # 64-bit words that one step of Philox's counter gives


class Shuffled:
    """Endless stream of the numbers `0 .. size-1`, in a new order each time round.

    Args:
        size: how many there are.
        seed: int.
    """

    def __init__(self, size, seed):
        self._size, self._seed = size, seed
        self._order = functools.lru_cache(maxsize=2)(self._draw_order)

    def __call__(self, first, count):
        """Elements `first .. first+count-1` of the stream, `(count,)` int64."""
        parts, last = [], first + count
        while first < last:
            turn, start = divmod(first, self._size)
            stop = min(self._size, start + last - first)
            parts.append(self._order(turn)[start:stop])
            first += stop - start
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def _draw_order(self, turn):
        words = _philox("order", self._seed, turn).random_raw(self._size)
        return np.argsort(words, kind="stable")


def uniforms(purpose, seed, first, count, shape):
    """Uniform numbers of images `first .. first+count-1` of a stream.

    Args:
        purpose: str; different ones give independent numbers.
        seed: int.
        first: place of the first image.
        count: number of images.
        shape: of an image.

    Returns:
        float32 `(count, *shape)` in [0, 1).
    """
    size = int(np.prod(shape))
    steps = -(-size // (2 * WORDS))  # a word makes two numbers; each image begins a step
    words = _philox(purpose, seed).advance(int(first) * steps).random_raw(count * steps * WORDS)
    bits = words.astype("<u8", copy=False).view("<u4").reshape(count, -1)[:, :size]
    return ((bits >> 8) * np.float32(2**-24)).reshape(count, *shape).astype(np.float32)


def _philox(purpose, seed, turn=0):
    entropy = [*purpose.encode(), int(seed) & (2**64 - 1), int(turn)]
    return np.random.Philox(np.random.SeedSequence(entropy))
