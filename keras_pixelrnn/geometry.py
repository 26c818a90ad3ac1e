"""Moving maps about: shifts, skewed diagonals, windows. Every map here is `(rows, columns, ...)`."""

from keras import ops

ROWS_WORTH_CUTTING = 16  # at least 3


def shift(x, offset, axis):
    """`x` moved by `offset` positions along `axis`, zeros moving in: `y[i] = x[i - offset]`."""
    if offset == 0:
        return x
    length = x.shape[axis]
    count = min(abs(offset), length)
    pads = [[0, 0] for _ in x.shape]
    keep = [slice(None)] * len(x.shape)
    if offset > 0:
        pads[axis], keep[axis] = [count, 0], slice(0, length - count)
    else:
        pads[axis], keep[axis] = [0, count], slice(count, length)
    return ops.pad(x[tuple(keep)], pads)


def skew(x):
    """Diagonals of a map as rows: `y[t, r] = x[r, t - r]`, zeros where `t - r` is no column.

    After skewing, the left neighbour of a pixel is `y[t - 1, r]` and the one above is
    `y[t - 1, r - 1]`: both in the vector before (van den Oord et al. 2016, figure 3).

    Args:
        x: `(height, width, ...)`.

    Returns:
        `(width + height - 1, height, ...)`.
    """
    height, width, *rest = x.shape
    pads = [[0, 0], [0, height]] + [[0, 0]] * len(rest)
    # Rows of width + height cut anew into rows one shorter: row r lands r places to the right.
    rest = ops.shape(x)[2:]
    flat = ops.reshape(ops.pad(x, pads), (height * (width + height), *rest))
    length = width + height - 1
    skewed = ops.reshape(flat[: height * length], (height, length, *rest))
    return ops.swapaxes(skewed, 0, 1)


def unskew(y, width):
    """The map whose skewed form is `y`: `x[r, c] = y[c + r, r]`.

    Args:
        y: `(width + height - 1, height, ...)`.
        width: columns of the map.

    Returns:
        `(height, width, ...)`.
    """
    length, height = y.shape[:2]
    rest = ops.shape(y)[2:]
    flat = ops.reshape(ops.swapaxes(y, 0, 1), (height * length, *rest))
    flat = ops.pad(flat, [[0, height]] + [[0, 0]] * len(rest))
    return ops.reshape(flat, (height, width + height, *rest))[:, :width]


def in_slots(x, lag, slots, steps, lead=0):
    """Rows of a map as a wavefront meets them: `y[t, k]` is the pixel that slot k has at step t.

    Row r is one of slot `r % slots`, which has its column c at step `lead + lag * r + c`.

    Args:
        x: `(height, width, ...)`, `width` at most `lag * slots`.
        lag, slots, steps, lead: ints.

    Returns:
        `(steps, slots, ...)`, zeros where a slot has no pixel.
    """
    height, width, *rest = x.shape
    turns, period = -(-height // slots), lag * slots
    length = (turns + 1) * period  # of a slot, with the steps before its first row
    x = _pad(x, [[0, turns * slots - height], [0, period - width]])
    rest = ops.shape(x)[2:]
    x = ops.swapaxes(ops.reshape(x, (turns, slots, period, *rest)), 0, 1)
    x = _pad(ops.reshape(x, (slots, turns * period, *rest)), [[0, 0], [0, period + lag]])
    # Rows of length + lag cut anew into rows of length: slot k begins lag * k steps later.
    flat = ops.reshape(x, (slots * (length + lag), *rest))[: slots * length]
    y = ops.swapaxes(ops.reshape(flat, (slots, length, *rest)), 0, 1)
    return _pad(y, [[lead, max(0, steps - lead - length)]])[:steps]


def from_slots(y, lag, height, width, lead=0):
    """The map `(height, width, ...)` whose `in_slots` is `y (steps, slots, ...)`."""
    steps, slots = y.shape[:2]
    turns, period = -(-height // slots), lag * slots
    length = (turns + 1) * period
    y = _pad(y[lead:], [[0, max(0, length - steps + lead)]])[:length]
    rest = ops.shape(y)[2:]
    flat = ops.reshape(ops.swapaxes(y, 0, 1), (slots * length, *rest))
    flat = _pad(flat, [[0, slots * lag]])
    x = ops.reshape(flat, (slots, length + lag, *rest))[:, : turns * period]
    x = ops.swapaxes(ops.reshape(x, (slots, turns, period, *rest)), 0, 1)
    return ops.reshape(x, (turns * slots, period, *rest))[:height, :width]


def _pad(x, pads):
    """`x` with zeros before and after its first axes."""
    if not any(sum(pad) for pad in pads):
        return x
    return ops.pad(x, [*pads, *[[0, 0]] * (len(x.shape) - len(pads))])


def skewed_spans(height, width):
    """Where a skewed map holds pixels: pairs of slices `(diagonals, rows)`, diagonals in order.

    The lower half of the rows begins later, the upper half ends earlier. Of a square, half of what is
    empty is left out so. Four blocks of rows would leave out three quarters of it in seven spans: not
    faster to train (28x28), and as long again to compile. A low map stays whole for the same reason.
    """
    diagonals, half = width + height - 1, height // 2
    if height < ROWS_WORTH_CUTTING:
        return [(slice(0, diagonals), slice(0, height))]
    # One diagonal more for the upper half: the last pixel of the row below it still reads it.
    first, end = half, half + width
    return [
        (slice(0, first), slice(0, half)),
        (slice(first, end), slice(0, height)),
        (slice(end, diagonals), slice(half, height)),
    ]


def windows(x, columns):
    """Features of the `columns` pixels centred on each pixel of a row, zeros outside.

    Args:
        x: `(width, batch, features)`.
        columns: odd number of pixels.

    Returns:
        `(width, batch, columns * features)`, the leftmost pixel's features first.
    """
    half = columns // 2
    return ops.concatenate([shift(x, -d, axis=0) for d in range(-half, half + 1)], axis=-1)


def row_product(x, kernel):
    """`(width, batch, k)`, or `(batch, k)` of one pixel, times `(k, n)` as one matrix product.

    `ops.matmul` of a map and a matrix is a dozen ops on TensorFlow, felt without XLA.
    """
    if len(x.shape) == 2:
        return ops.matmul(x, kernel)
    width, _, features = x.shape
    product = ops.matmul(ops.reshape(x, (-1, features)), kernel)
    return ops.reshape(product, (width, -1, kernel.shape[-1]))
