"""A block of images as bytes, by the range coder of `constriction`, and several blocks back at once.

```
kind                              1 byte: 0 as they are (zlib), 1 coded
parts                             how many: a number
shifts                            1 byte for each part
rounding hints                    how many, and the distance of each from the one before: numbers
range coder                       big-endian words of 32 bits, without zeros at the end
```

The decisions of a block follow each other sub-pixel by sub-pixel, bit by bit, image by image. Its parts
are equally many of the bits each, of all images, and have the grid at a shift of their own. One of 256
shifts fits some thousand decisions so well that none of them needs a hint, and where several do, one
lies better for the values that are to be coded than the others: a part costs a byte and saves most of
it again.
"""

import contextlib
import math
import zlib

import numpy as np

from keras_pixelrnn.codec import decisions
from keras_pixelrnn.codec.container import Damaged, Reader, number

RAW, CODED = range(2)
PARTS = 256  # at most
HINT = 20.0  # bits that a hint costs, about


def constriction():
    """The package, or `ImportError` that says how to get it."""
    try:
        import constriction
    except ImportError as error:
        raise ImportError(
            "Lossless coding needs the package constriction: pip install 'keras-pixelrnn[codec]'"
        ) from error
    return constriction


def _family():
    return constriction().stream.model.Bernoulli(perfect=False)


def encode(places, open_, bits, guard):
    """Bytes of a block.

    Args:
        places: `(n, sub-pixels, depth)` bent logits of the decisions.
        open_: booleans, the same shape: what is to be decided at all.
        bits: ints, the same shape.
        guard: the same shape; a place that is this near to a border, or nearer, gets a hint.
    """
    count, steps = len(places), places[0].size
    arrays = (np.transpose(x, (1, 2, 0)).reshape(-1) for x in (places, open_, bits, guard))
    places, open_, bits, guard = arrays
    at = np.flatnonzero(open_)
    places, bits, guard = places[at], bits[at], guard[at]
    shifts = _shifts(places, bits, guard, at // count, steps)
    shift = np.repeat(shifts, _lengths(steps, len(shifts)))[at // count]
    hinted = decisions.from_border(places, shift) <= guard
    p = decisions.probabilities(decisions.cells(places, shift, hinted), shift)
    encoder = constriction().stream.queue.RangeEncoder()
    encoder.encode(bits.astype(np.int32), _family(), p)
    words = encoder.get_compressed().astype(">u4").tobytes().rstrip(b"\0")
    hints = np.diff(at[hinted], prepend=0).tolist()
    return b"".join(
        [
            bytes([CODED]),
            number(len(shifts)),
            bytes(shifts.tolist()),
            number(len(hints)),
            *map(number, hints),
            words,
        ]
    )


def _lengths(steps, parts):
    """Steps of each part."""
    return np.diff(np.arange(parts + 1) * steps // parts)


def _shifts(places, bits, guard, step, steps):
    """Shifts of the parts, as many parts as take the fewest bits in all.

    Args:
        places, bits, guard: `(decisions,)`, of those that are open.
        step: `(decisions,)` ints: the bit of an image that each decides.
        steps: their number.
    """
    parts = 1 << min(PARTS, max(1, steps)).bit_length() - 1
    part = np.repeat(np.arange(parts), _lengths(steps, parts))[step]
    cells = np.arange(-decisions.CELLS, decisions.CELLS)
    cost = np.empty((parts, decisions.SHIFTS))
    for shift in range(decisions.SHIFTS):
        p = decisions.probabilities(cells, shift)
        length = -np.log2(np.stack([1.0 - p, p], axis=1)).reshape(-1)
        index = 2 * (decisions.cells(places, shift) + decisions.CELLS) + bits
        near = decisions.from_border(places, shift) <= guard
        cost[:, shift] = np.bincount(part, length[index] + HINT * near, parts)
    best, least = None, np.inf
    while True:
        total = cost.min(axis=1).sum() + 8 * len(cost)
        if total < least:
            best, least = cost.argmin(axis=1), total
        if len(cost) == 1:
            return best
        cost = cost[0::2] + cost[1::2]


def raw(images):
    """Bytes of a block as it is: what nothing can go wrong with."""
    return bytes([RAW]) + zlib.compress(np.ascontiguousarray(images).tobytes(), 9)


def raw_images(block, shape, header):
    """Images `shape` of a block that is stored as it is, or None of any other."""
    if block[:1] != bytes([RAW]):
        return None
    size = math.prod(shape) * header.dtype.itemsize
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(block[1:], size + 1)
    except zlib.error as error:
        raise Damaged(f"A block cannot be unpacked: the file is damaged. ({error})") from None
    if len(data) != size:
        raise Damaged("A block has another size than the header says: the file is damaged.")
    images = np.frombuffer(data, header.dtype).reshape(shape)
    if images.size and images.max() >= header.levels:
        raise Damaged("A block holds values that the model does not have: the file is damaged.")
    return images


class Decoder:
    """Several blocks decoded in step, sub-pixel by sub-pixel.

    Args:
        blocks: list of bytes, none of them raw.
        counts: images of each.
        levels: number of values of a sub-pixel.
        decided: decisions of an image.
        rows: images to run in all; those beyond the blocks get the value 0.
    """

    def __init__(self, blocks, counts, levels, decided, rows):
        self._levels, self._depth = levels, decisions.depth(levels)
        self._shift = np.zeros((decided, rows), np.uint8)
        self._hints = {}  # number of the decision: rows
        self._parts, self._done, self._family = [], 0, _family()
        start = 0
        for block, count in zip(blocks, counts, strict=True):
            reader = Reader(block)
            (kind,) = reader.take(1)
            if kind != CODED:
                raise Damaged(f"A block is of an unknown kind, {kind}: the file is damaged.")
            here = slice(start, start + count)
            parts = reader.number()
            if not 1 <= parts <= max(1, decided):
                raise Damaged("A block has more parts than decisions: the file is damaged.")
            shifts = np.frombuffer(reader.take(parts), np.uint8)
            self._shift[:, here] = np.repeat(shifts, _lengths(decided, parts))[:, None]
            hints = reader.number()
            if hints > decided * count:
                raise Damaged("A block has more hints than decisions: the file is damaged.")
            at = 0
            for _ in range(hints):
                at += reader.number()
                index, row = divmod(at, count)
                self._hints.setdefault(index, []).append(start + row)
            words = reader.rest()
            words = np.frombuffer(words + b"\0" * (-len(words) % 4), ">u4").astype(np.uint32)
            self._parts.append((here, constriction().stream.queue.RangeDecoder(words)))
            start += count

    @decisions.not_finite
    def __call__(self, log_pmf):
        """Values `(rows,)` of the next sub-pixel, of which `log_pmf (rows, levels)` are the nats."""
        found = decisions.masses(log_pmf)
        node = np.zeros(len(log_pmf), np.int64)
        for index in range(self._depth):
            logits, open_ = decisions.decision(found, index, self._levels, node)
            hinted = np.zeros(len(node), bool)
            hinted[np.array(self._hints.get(self._done, []), np.int64)] = True
            shift = self._shift[self._done].astype(np.int64)
            cell = decisions.cells(decisions.bent(logits), shift, hinted)
            p = decisions.probabilities(cell, shift)
            bits, parts, self._parts = np.zeros_like(node), self._parts, []
            for here, decoder in parts:
                # Where a block holds no such code, which constriction tells so, noise has moved what was
                # read before: its rows are 0 from here on, which its check sum tells.
                with contextlib.suppress(AssertionError):
                    bits[here][open_[here]] = decoder.decode(self._family, p[here][open_[here]])
                    self._parts.append((here, decoder))
            node = 2 * node + bits
            self._done += 1
        return node
