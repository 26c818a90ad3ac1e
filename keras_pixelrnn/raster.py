"""The one autoregressive engine: noise in, image out, in one loop over rows and one over columns.

At each sub-pixel the network says how its value is distributed, and a `choose` function decides the
value: by the quantile of the noise (`sample`), as given where it is known (`complete`), as given
everywhere (`score`). The network runs as a `Stream`, so a sub-pixel costs what depends on it alone,
and the result is the one that full forward passes would give.
"""

import numpy as np
from keras import ops, tree

from keras_pixelrnn import backend
from keras_pixelrnn.sweep import GATES, sweep


def sample(network, distribution, uniform, context=None):
    """Draw images.

    Args:
        network: causal layer from scaled images to distribution parameters.
        distribution: a `PixelDistribution`.
        uniform: `(batch, height, width, channels)` float32 in [0, 1), one number per sub-pixel.
        context: optional `(batch, height, width, k)`.

    Returns:
        image: uint8, shaped like `uniform`.
        log_prob: float32, the same shape: nats of each value drawn.
    """

    def choose(log_pmf, here):
        return distribution.quantile(log_pmf, here["uniform"])

    return _run(network, distribution, choose, {"uniform": uniform}, context)


def complete(network, distribution, image, known, uniform, context=None):
    """Draw the unknown sub-pixels of images, each given the earlier ones.

    Exact p(unknown | known) where the known sub-pixels come before the unknown in raster order. Where
    known ones come later this is the usual approximation: they do not act back on what is drawn.

    Args:
        network, distribution, uniform, context: as for `sample`.
        image: uint8, shaped like `uniform`; values where not `known` do not matter.
        known: boolean, the same shape.

    Returns:
        image: uint8; as given where known.
        log_prob: float32, the same shape: nats of each value drawn, 0 where known.
    """

    def choose(log_pmf, here):
        drawn = distribution.quantile(log_pmf, here["uniform"])
        return ops.where(here["known"] > 0.5, here["given"], drawn)

    maps = {"uniform": uniform, "given": image, "known": known}
    image, log_prob = _run(network, distribution, choose, maps, context)
    return image, ops.where(known, 0.0, log_prob)


def score(network, distribution, image, context=None):
    """Log-probability of images by the streaming execution: a check on it, slower than a forward pass.

    Args:
        network, distribution, context: as for `sample`.
        image: `(batch, height, width, channels)` uint8.

    Returns:
        `(batch, height, width, channels)` float32 nats.
    """
    choose = lambda log_pmf, here: here["given"]  # noqa: E731
    return _run(network, distribution, choose, {"given": image}, context)[1]


def scale(image, levels):
    """Values `0 .. levels-1` to float32 in [-1, 1], as the network sees them."""
    return ops.cast(image, "float32") * (2.0 / (levels - 1)) - 1.0


def _run(network, distribution, choose, maps, context):
    """Image and nats per sub-pixel. `maps` are `(batch, height, width, channels)`; `choose` gets one
    sub-pixel of each, `(batch,)`."""
    first = next(iter(maps.values()))
    batch_size = ops.shape(first)[0]
    height, width, channels = first.shape[1:]
    stream = network.stream(batch_size, height, width, context)
    by_row = {
        key: ops.transpose(ops.cast(value, "float32"), (1, 2, 0, 3)) for key, value in maps.items()
    }
    pack_left, unpack_left = _packing(stream.state.left)
    back = sweep_back(stream)

    def row(state, maps):
        pack, unpack = _packing((state.above, maps))
        left = pack_left(state.left)

        def pixel(left, x):
            above, here = unpack(x)
            values, nats, left = _pixel(
                stream, distribution, choose, here, above, unpack_left(left), channels
            )
            left = pack_left(left)
            return left, ops.concatenate([values, nats, left], axis=-1)

        record_like = ops.zeros((batch_size, 2 * channels + left.shape[-1]))
        _, record = backend.scan(pixel, left, pack((state.above, maps)), like=record_like)
        drawn, lefts = record[..., : 2 * channels], unpack_left(record[..., 2 * channels :])
        return stream.next_row(state, lefts, iter(back(state, lefts))), drawn

    drawn_like = ops.zeros((width, batch_size, 2 * channels))
    _, drawn = backend.scan(row, stream.state, by_row, like=drawn_like)
    values, nats = ops.split(ops.transpose(drawn, (2, 0, 1, 3)), 2, axis=-1)
    return ops.cast(values, "uint8"), nats


def _pixel(stream, distribution, choose, here, above, left, channels):
    """All sub-pixels of one pixel: values and nats `(batch, channels)`, and the new `left`."""
    size = distribution.params_size(channels)
    values = ops.zeros_like(next(iter(here.values())))
    pixel = ops.zeros_like(values)  # scaled, as far as it is known
    nats = []
    for channel in range(channels):
        if distribution.masks_channels:
            own, left = stream.step(pixel, above, left, channel)
            before = channel * size // channels
            params = own
            if channels > 1:
                params = ops.pad(own, [[0, 0], [before, size - before - own.shape[-1]]])
        elif channel == 0:
            params, left = stream.step(pixel, above, left, 0)
        log_pmf = distribution.log_pmf(params, values, channel)
        value = choose(log_pmf, {key: part[:, channel] for key, part in here.items()})
        values = _put(values, channel, value)
        pixel = _put(pixel, channel, scale(value, distribution.levels))
        hit = ops.arange(distribution.levels, dtype="float32") == value[:, None]
        nats.append(ops.sum(ops.where(hit, log_pmf, 0.0), axis=-1))
    return values, ops.stack(nats, axis=-1), stream.close(pixel, left)


def _put(pixel, channel, value):
    """`pixel` with `value` as its channel number `channel`."""
    parts = [pixel[:, :channel], value[:, None], pixel[:, channel + 1 :]]
    return ops.concatenate(parts, axis=-1) if pixel.shape[-1] > 1 else parts[1]


def sweep_back(stream):
    """A function `(state, row) -> [states, ...]` that runs all right-to-left recurrences of a network
    over a finished row in one loop: those of one size are the directions of one sweep.

    Without XLA, where a batched product of small matrices is slow, they are one recurrence whose
    kernel is block-diagonal.
    """
    kernels, dense = stream.row_kernels, not backend.under_xla()
    join = _block_diagonal if dense else ops.stack
    groups = {}
    for index, kernel in enumerate(kernels):
        groups.setdefault(kernel.shape[0], []).append(index)
    joined = {
        units: join([kernels[index] for index in members]) for units, members in groups.items()
    }

    def run(state, row):
        inputs = stream.row_inputs(state, row)
        states = [None] * len(inputs)
        for units, members in groups.items():
            count = len(members)
            z = ops.flip(ops.stack([inputs[index] for index in members], axis=1), axis=0)
            width, batch = z.shape[0], ops.shape(z)[2]
            z = ops.transpose(z, (0, 1, 3, 2))  # (column from the right, recurrence, 4 h, batch)
            if dense:  # gates outside, recurrences inside
                z = ops.reshape(z, (width, count, GATES, units, batch))
                z = ops.transpose(z, (0, 2, 1, 3, 4))
            kernel = joined[units]
            z = ops.reshape(z, (width, kernel.shape[0], kernel.shape[2], 1, batch))
            h = sweep(z, kernel, taps=(0,), differentiable=False)
            h = ops.flip(ops.reshape(h, (width, count, units, batch)), axis=0)
            for index, own in zip(members, ops.unstack(h, count, axis=1), strict=True):
                states[index] = ops.transpose(own, (0, 2, 1))
        return states

    return run


def _block_diagonal(kernels):
    """Kernels `(h, 4 h)` of n recurrences as one `(1, n h, 4 n h)`, the gates still outermost."""
    count, units = len(kernels), kernels[0].shape[0]
    diagonal = np.eye(count, dtype=np.float32).reshape(count, 1, 1, count, 1)
    blocks = ops.reshape(ops.stack(kernels), (count, units, GATES, 1, units)) * diagonal
    return ops.reshape(blocks, (1, count * units, GATES * count * units))


def _packing(structure):
    """Functions that turn nested tensors like `structure` into one, side by side, and back.

    A loop then carries one tensor and reads one slice a step, however many layers there are: without
    XLA each tensor a loop carries costs several small ops per step.
    """
    leaves = tree.flatten(structure)
    sizes = [leaf.shape[-1] for leaf in leaves]
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes) - 1)]

    def pack(structure):
        leaves = tree.flatten(structure)
        return leaves[0] if len(leaves) == 1 else ops.concatenate(leaves, axis=-1)

    def unpack(packed):
        parts = ops.split(packed, ends, axis=-1) if ends else [packed]
        return tree.pack_sequence_as(structure, parts)

    return pack, unpack
