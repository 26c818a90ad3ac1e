"""Drawing from mixtures of logistics in few operations, for where starting one takes as long as its
arithmetic: TensorFlow without XLA. The values are those of `DiscretizedMixture.draw`."""

import math

import numpy as np
from keras import ops

from keras_pixelrnn import backend

BEYOND = 1e9  # an edge that everything lies below; it is multiplied, so not infinity


class MixtureDrawer:
    """Starts the draw of a pixel: `drawer(params) -> draw`, as of `PixelDistribution.drawer`.

    Of `levels` values the edge between k and k + 1 is looked for in two steps of about
    `levels ** 0.5`. What the components put below all edges of a step are products with tables, since
    TensorFlow takes several times as long to subtract, multiply or add up along small axes. What a
    value means for the channels after it is a table, too: rows `(n, num_mixtures)`, the components'
    centres taken off.

    Args:
        mixture: a `DiscretizedLogisticMixture`.
        channels: of an image.
        limits: of the log-scales.
    """

    def __init__(self, mixture, channels, limits):
        levels, count = mixture.levels, mixture.num_mixtures
        self._levels, self._count, self._channels = levels, count, channels
        self._limits = (-limits[1], -limits[0])
        step = 2.0 / (levels - 1)
        size = math.ceil(math.sqrt(levels))
        centres = (2.0 * np.arange(count) + 1.0) / count - 1.0

        def upper(values):
            """Upper edges of values, less the centres: `(..., num_mixtures)`."""
            edges = np.where(values < levels - 1, values * step - 1.0 + step / 2, BEYOND)
            return edges[..., None] - centres

        first = np.arange(size)
        values = np.arange(levels)
        lower = np.where(values[:, None] > 0, upper(values - 1), -BEYOND)
        scaled = np.broadcast_to((values * step - 1.0)[:, None], lower.shape)
        inner = np.broadcast_to(((values > 0) & (values < levels - 1))[:, None], lower.shape)

        def table(array):
            return ops.convert_to_tensor(np.asarray(array, np.float32))

        # Captured by the loop, which would hold a constant of its own in every pixel of a turn.
        self._size = size
        blocks, within = (
            (values * step - 1.0 + step / 2)[:, None] - centres
            for values in (first[:-1] * size + (size - 1), first[:-1])
        )
        # Features of a step are edge by edge, in each all components.
        each = np.eye(count)
        of_location = np.tile(-each, size - 1)
        self._blocks = table(np.concatenate([_diagonals(blocks), of_location]))
        of_block = np.tile(each * (size * step), size - 1)
        self._within = table(np.concatenate([_diagonals(within), of_location, of_block]))
        self._every = table(np.tile(each, size - 1))
        self._added = table(np.repeat(np.eye(size - 1), count, axis=0))
        self._values = table(np.stack([upper(values), lower, scaled, inner], axis=1))
        self._signs = table([[-1.0], [1.0]])
        self._width = step

    def __call__(self, params):
        return _Pixel(self, params).draw

    def parts(self, params):
        """Log-weights `(batch, 1, 1, n)`, and by channel locations, inverse scales, and the log of
        `1 - exp(-step / scale)`; and coefficients."""
        channels, pairs = self._channels, self._channels * (self._channels - 1) // 2
        grouped = ops.reshape(params, (-1, 1 + 2 * channels + pairs, 1, self._count))
        sizes = [1, channels, channels, pairs] if pairs else [1, channels, channels]
        weights, *parts = backend.cut(grouped, sizes, axis=1)
        location, log_scale = parts[:2]
        log_inverse = math.log(self._count) - log_scale
        inverse = ops.exp(ops.clip(log_inverse, *self._limits))
        coefficients, log_inner = [], None
        if pairs:
            coefficients = ops.split(ops.tanh(parts[2]), pairs, axis=1)
            log_inner = ops.log(-ops.expm1(inverse * -self._width))
            log_inner = ops.split(log_inner, channels, axis=1)
            location, inverse = (ops.split(x, channels, axis=1) for x in (location, inverse))
        else:
            location, inverse = [location], [inverse]
        return weights, list(location), inverse, log_inner, coefficients

    def search(self, u, weights, location, inverse):
        """The value `(batch, 1)` float32 whose part of the distribution function `u` falls into."""

        def flat(x):
            return ops.reshape(x, (-1, x.shape[-1]))

        scaled = flat(ops.concatenate([inverse, location * inverse], axis=-1))
        weights = ops.matmul(flat(weights), self._every)

        def passed(scaled, edges):
            below = ops.sigmoid(ops.matmul(scaled, edges))
            return backend.count_up_to(ops.matmul(weights * below, self._added), u)

        block = passed(scaled, self._blocks)
        of_block = ops.cast(block, "float32") * flat(inverse)
        inside = passed(ops.concatenate([scaled, of_block], axis=-1), self._within)
        value = ops.cast(block * self._size + inside, "float32")
        # Edges beyond the last value are passed like others.
        exact = self._size**2 == self._levels
        return value if exact else ops.minimum(value, float(self._levels - 1))

    def seen(self, value, location, inverse, log_inner):
        """What each component puts on a value, as a log, and the value in [-1, 1]."""
        row = backend.rows_of(self._values, ops.cast(value, "int32"))
        edges, scaled, inner = backend.cut(row, [2, 1, 1], axis=2)
        # s(u) - s(l) = s(u) s(-l) (1 - e^(l-u)): no difference of nearly equal numbers.
        x = (edges - location) * inverse * self._signs
        tails = ops.sum(ops.softplus(x), axis=2, keepdims=True)
        return inner * log_inner - tails, scaled


def _diagonals(edges):
    """`(edges, n)` as `(n, edges * n)`, by which n features become each times its edge, edge by edge."""
    return np.concatenate([np.diag(edge) for edge in edges], axis=1)


class _Pixel:
    """One pixel as it is drawn: what its earlier values say is kept from channel to channel."""

    def __init__(self, drawer, params):
        self._drawer = drawer
        parts = drawer.parts(params)
        self._weights, self._location, self._inverse, self._log_inner, self._coefficients = parts
        self._scaled = []  # the values seen so far

    def draw(self, values, u):
        for channel in range(len(self._scaled), len(values)):
            log_mass, scaled = self._drawer.seen(
                values[channel],
                self._location[channel],
                self._inverse[channel],
                self._log_inner[channel],
            )
            self._weights = self._weights + log_mass
            self._scaled.append(scaled)
            self._move(channel + 1)
        channel = len(values)
        # `Softmax` is oneDNN's in TensorFlow, which takes 30 microseconds to start.
        weights = ops.exp(ops.log_softmax(self._weights, axis=-1))
        return self._drawer.search(u, weights, self._location[channel], self._inverse[channel])

    def _move(self, channel):
        """The location of a channel, by all values before it."""
        first = channel * (channel - 1) // 2
        for before, scaled in enumerate(self._scaled):
            moved = self._coefficients[first + before] * scaled
            self._location[channel] = self._location[channel] + moved
