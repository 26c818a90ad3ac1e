"""The contract of a causal layer in a wavefront: one pixel of many rows at each step.

A row begins when the row above is `lag` columns ahead, and keeps that distance. So all that a pixel
reads of finished rows was computed a fixed number of steps ago: a wavefront keeps no rows, but what the
last few steps left.

Rows take turns in slots, and the batch of a step is that of the images once for each slot. The row
above is in the slot before, that of the first slot in the last one. A slot takes a few steps more for a
row than there are columns: idle ones, which stand for what lies outside the image on both sides.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops, tree

from keras_pixelrnn import backend


def _nothing_above(memory, arrived, valid):
    return memory, ()


def _nothing_to_send(memory, record):
    return ()


class Wave(NamedTuple):
    """What a `Stream` needs beside its `step` and `close` to run as a wavefront.

    `batch` below is slots times images, and `left` is zero at the beginning of each row.

    Attributes:
        memory: nested `(batch, features)` zeros, kept from step to step.
        arrived: nested `(batch, features)` zeros, shaped like what is sent.
        above: `(memory, arrived, valid) -> (memory, above)`, before each pixel: what `step` wants to
            know of the finished rows. `arrived` is what the row above sent in the step before, of the
            pixel `lag - 1` columns to the right. `valid[n] (batch, 1)` is 1 where the column `n` to
            the right belongs to the image, else 0.
        send: `(memory, record) -> nested`, after each pixel: what the row below is to know of it.
            `record` is that of `close`, zeros outside the image.
    """

    memory: Any = ()
    arrived: Any = ()
    above: Callable = _nothing_above
    send: Callable = _nothing_to_send


class Front(NamedTuple):
    """The wavefront that a layer is to run in.

    Attributes:
        lag: columns that a row is behind the one above.
        batch: slots times images.
        sizes: of the batch, its slots but the last and that one, in images.
    """

    lag: int
    batch: Any
    sizes: Any

    def below(self, x):
        """`x (batch, n)` of each row, for the row below it."""
        return ops.concatenate(backend.cut(x, self.sizes, axis=0)[::-1], axis=0)

    def zeros(self, features, count=None):
        """`(batch, features)`, or a tuple of some such."""
        zeros = ops.zeros((self.batch, features))
        return zeros if count is None else (zeros,) * count


class WindowAbove:
    """The window of finished rows around a pixel, from what arrives of one row.

    Args:
        front: a `Front`.
        rows: finished rows in the window.
        columns: odd number of columns.
        features: of a pixel.
        ahead: columns from the window's middle to the pixel `lag - 1` columns left of what arrives.
    """

    def __init__(self, front, rows, columns, features, ahead=0):
        self._front, self._rows, self._columns, self._features = front, rows, columns, features
        self._late = front.lag - 1 - ahead - columns // 2  # steps until an arrival is seen

    def memory(self):
        """That of no rows."""
        front, rows = self._front, self._rows
        kept = max(self._columns - 1, front.lag if rows > 1 else 0)
        return front.zeros(self._features, self._late), front.zeros(rows * self._features, kept)

    def next(self, memory, arrived):
        """`memory`, and the window: a list of `(batch, rows * features)`, columns from the left, in each
        its rows from the top."""
        waiting, kept = memory
        waiting = (arrived, *waiting)
        column = waiting[-1]
        if (
            self._rows > 1
        ):  # of the rows further up, the row above had the same column `lag` steps ago
            further_up = kept[self._front.lag - 1][:, self._features :]
            column = ops.concatenate([self._front.below(further_up), column], axis=-1)
        kept = (column, *kept)
        return (waiting[:-1], kept[:-1]), list(kept[: self._columns][::-1])


def joined(waves):
    """Several waves as one."""

    def above(memory, arrived, valid):
        found = [w.above(m, a, valid) for w, m, a in zip(waves, memory, arrived, strict=True)]
        return [memory for memory, _ in found], [above for _, above in found]

    def send(memory, record):
        return [w.send(m, r) for w, m, r in zip(waves, memory, record, strict=True)]

    return Wave([w.memory for w in waves], [w.arrived for w in waves], above, send)


def together(function, nested):
    """`function` of all leaves `(batch, features)`, once, side by side."""
    leaves = {id(leaf): leaf for leaf in tree.flatten(nested)}  # some are there twice
    if not leaves:
        return nested
    whole = function(backend.side_by_side(list(leaves.values())))
    parts = backend.cut(whole, [leaf.shape[-1] for leaf in leaves.values()], axis=1)
    found = dict(zip(leaves, parts, strict=True))
    return tree.map_structure(lambda leaf: found[id(leaf)], nested)
