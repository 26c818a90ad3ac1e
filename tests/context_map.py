"""Which sub-pixels a network can see, by reachability on the grid: an account of each architecture
that shares no code with the package. Matrices are `(n, n)` bool, `[source, target]`, sub-pixels in
raster order."""

import numpy as np


def _matrix(shape, sees):
    """`sees(dr, dc, source_color, target_color)` for a source at row + dr, column + dc."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3)
    return np.array(
        [[sees(s[0] - t[0], s[1] - t[1], s[2], t[2]) for t in grid] for s in grid], dtype=bool
    )


def _before(dr, dc):
    return dr < 0 or (dr == 0 and dc < 0)


def first(shape, reach=3):
    """7x7 masked convolution, type A."""

    def sees(dr, dc, source, target):
        if (dr, dc) == (0, 0):
            return source < target
        return _before(dr, dc) and abs(dr) <= reach and abs(dc) <= reach

    return _matrix(shape, sees)


def convolution_3x3(shape):
    """Masked convolution of type B."""

    def sees(dr, dc, source, target):
        if (dr, dc) == (0, 0):
            return source <= target
        return _before(dr, dc) and abs(dr) <= 1 and abs(dc) <= 1

    return _matrix(shape, sees)


def row(shape):
    """Row LSTM: k rows up, the states k columns to both sides, each of which sees one more left."""

    def sees(dr, dc, source, target):
        if (dr, dc) == (0, 0):
            return source <= target
        return dr <= 0 and dr - 1 <= dc <= -dr

    return _matrix(shape, sees)


def diagonal(shape):
    """Diagonal BiLSTM: all above and to the left; from the row above on, all to the right."""

    def sees(dr, dc, source, target):
        if (dr, dc) == (0, 0):
            return source <= target
        return (dr <= 0 and dc <= 0) or (dr < 0 and dc >= 0)

    return _matrix(shape, sees)


def everything(shape):
    """Every earlier sub-pixel."""
    return np.triu(np.ones((np.prod(shape),) * 2, dtype=bool), k=1)


def stack(shape, blocks):
    """The first layer, then residual blocks."""
    reached = first(shape)
    for block in blocks:
        reached = reached | ((reached.astype(int) @ block(shape).astype(int)) > 0)
    return reached


def multi_scale(shape, factor, blocks):
    """The small image, every `factor`-th row and column, sees what its own network does of it. All
    other pixels see what theirs does of the large image, and of the small one what the 3x3 and the
    transposed convolution carry to a pixel from which a block may carry it on."""
    height, width, channels = shape
    rows, columns, _ = np.indices(shape).reshape(3, -1)
    small = (rows % factor == 0) & (columns % factor == 0)
    before = (factor - 1) // 2  # of what each small pixel is spread over

    def carried(source, target):
        first = source - factor - before
        return (first <= target) & (target <= source + factor + 2 * factor - 2 - before)

    context = small[:, None] & carried(rows[:, None], rows) & carried(columns[:, None], columns)
    same_pixel = (rows[:, None] == rows) & (columns[:, None] == columns)
    for block in blocks:
        reach = same_pixel | block(shape)
        context = (context.astype(int) @ reach.astype(int)) > 0
    matrix = stack(shape, blocks) | context
    matrix[:, small] = False
    small_shape = (-(-height // factor), -(-width // factor), channels)
    matrix[np.ix_(small, small)] = stack(small_shape, blocks)
    return matrix


def picture(seen, shape, row, column):
    """What the first sub-pixel at (row, column) sees, as rows of text: `#` seen, `.` not, `o` it."""
    _height, width, channels = shape
    target = (row * width + column) * channels
    marks = np.where(seen[:, target].reshape(shape).all(-1), "#", ".")
    marks[row, column] = "o"
    return ["".join(line) for line in marks]
