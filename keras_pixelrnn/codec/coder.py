"""A block of images as bytes, by the range coder of `constriction`, and several blocks back at once.

```
kind                              1 byte: 0 as they are (zlib), 1 one shift, 2 a shift of each image
shifts                            1 byte, or one for each image
rounding hints                    how many, and the distance of each from the one before: numbers
range coder                       big-endian words of 32 bits, without zeros at the end
```

The decisions of a block follow each other sub-pixel by sub-pixel, bit by bit, image by image.
"""

import zlib

import numpy as np

from keras_pixelrnn.codec import decisions
from keras_pixelrnn.codec.container import Damaged, Reader, number

RAW, ONE_SHIFT, SHIFTS = range(3)


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
    near = _near(places, open_, guard)  # image by shift: how many hints that would be
    each, one = near.argmin(axis=1), int(near.sum(axis=0).argmin())
    bits_of_hint = np.log2(places.size / max(1, near.min(axis=1).sum())) + 2.0
    cost_of_each = near.min(axis=1).sum() * bits_of_hint + 8 * len(places)
    apart = cost_of_each < near.sum(axis=0)[one] * bits_of_hint + 8
    shift = each if apart else np.full(len(places), one)
    spread = shift[:, None, None]
    hinted = open_ & (decisions.from_border(places, spread) <= guard)
    cell = decisions.cells(places, spread, hinted)
    p = decisions.probabilities(cell, spread)
    in_order = [np.transpose(x, (1, 2, 0)).reshape(-1) for x in (p, bits, open_, hinted)]
    p, bits, open_, hinted = in_order
    encoder = constriction().stream.queue.RangeEncoder()
    encoder.encode(bits[open_].astype(np.int32), _family(), p[open_])
    words = encoder.get_compressed().astype(">u4").tobytes().rstrip(b"\0")
    at = np.flatnonzero(hinted)
    return b"".join(
        [
            bytes([SHIFTS, *shift] if apart else [ONE_SHIFT, one]),
            number(len(at)),
            *(number(int(gap)) for gap in np.diff(at, prepend=0)),
            words,
        ]
    )


def _near(places, open_, guard):
    """`(n, SHIFTS)`: how many decisions of each image a shift of the grid would leave near a border."""
    scaled = (places % 1.0) * decisions.SHIFTS
    reach = guard * decisions.SHIFTS
    found = np.zeros((len(places), decisions.SHIFTS), np.int64)
    image = np.broadcast_to(np.arange(len(places))[:, None, None], places.shape)
    for step in range(-int(np.ceil(min(reach.max(initial=0), decisions.SHIFTS / 2))) - 1, 0):
        # Shifts below and above a place, one further away each turn.
        for candidate in (np.floor(scaled) + step + 1, np.ceil(scaled) - step - 1):
            hit = open_ & (np.abs(candidate - scaled) <= reach)
            np.add.at(found, (image[hit], candidate[hit].astype(np.int64) % decisions.SHIFTS), 1)
    return found


def raw(images):
    """Bytes of a block as it is: what nothing can go wrong with."""
    return bytes([RAW]) + zlib.compress(np.ascontiguousarray(images).tobytes(), 9)


def raw_images(block, shape, dtype):
    """Images `shape` of a block that is stored as it is, or None of any other."""
    if block[:1] != bytes([RAW]):
        return None
    size = int(np.prod(shape)) * dtype.itemsize
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(block[1:], size + 1)
    except zlib.error as error:
        raise Damaged(f"A block cannot be unpacked: the file is damaged. ({error})") from None
    if len(data) != size:
        raise Damaged("A block has another size than the header says: the file is damaged.")
    return np.frombuffer(data, dtype).reshape(shape)


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
        self._shift = np.zeros(rows, np.int64)
        self._hints = {}  # number of the decision: rows
        self._parts, self._done, self._family = [], 0, _family()
        start = 0
        for block, count in zip(blocks, counts, strict=True):
            reader = Reader(block)
            (kind,) = reader.take(1)
            if kind not in (ONE_SHIFT, SHIFTS):
                raise Damaged(f"A block is of an unknown kind, {kind}: the file is damaged.")
            here = slice(start, start + count)
            self._shift[here] = list(reader.take(count if kind == SHIFTS else 1))
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

    def __call__(self, log_pmf):
        """Values `(rows,)` of the next sub-pixel, of which `log_pmf (rows, levels)` are the nats."""
        found = decisions.masses(log_pmf)
        node = np.zeros(len(log_pmf), np.int64)
        for index in range(self._depth):
            logits, open_ = decisions.decision(found, index, self._levels, node)
            hinted = np.zeros(len(node), bool)
            hinted[np.array(self._hints.get(self._done, []), np.int64)] = True
            cell = decisions.cells(decisions.bent(logits), self._shift, hinted)
            p = decisions.probabilities(cell, self._shift)
            bits = np.zeros_like(node)
            for here, decoder in self._parts:
                try:
                    bits[here][open_[here]] = decoder.decode(self._family, p[here][open_[here]])
                except AssertionError:  # how constriction says so
                    raise Damaged("A block does not decode: it holds no such code.") from None
            node = 2 * node + bits
            self._done += 1
        return node
