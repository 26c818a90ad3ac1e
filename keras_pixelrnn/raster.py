"""The one autoregressive engine: noise in, image out, in one loop over rows and one over columns.

At each sub-pixel the network says how its value is distributed, and a `choose` function decides the
value: drawn by the noise (`sample`), as given where it is known (`complete`), as given everywhere
(`score`). The network runs as a `Stream`, so a sub-pixel costs what depends on it alone,
and the result is the one that full forward passes would give. Where it pays, the pixels of many rows
are drawn at the same step: see `wavefront`.
"""

import numpy as np
from keras import ops

from keras_pixelrnn import backend, geometry, wavefront
from keras_pixelrnn.distributions.base import in_one_pixel
from keras_pixelrnn.distributions.controls import controlled
from keras_pixelrnn.sweep import activate, update

# Sub-pixels, of an unrolled loop: a whole row of the usual grey images; more take long to load.
MOST_IN_A_TURN = 32


def sample(network, distribution, uniform, context=None, controls=None):
    """Draw images.

    Args:
        network: causal layer from scaled images to distribution parameters.
        distribution: a `PixelDistribution`.
        uniform: `(batch, height, width, channels)` float32 in [0, 1), one number per sub-pixel.
        context: optional `(batch, height, width, k)`.
        controls: optional `(temperature, top_k, top_p)`, each `(batch,)`: see `controlled`.

    Returns:
        image: of the distribution's dtype, shaped like `uniform`.
        log_prob: float32, the same shape: nats of each value drawn, under the model itself.
    """

    def choose(draw, here):
        return draw(here["uniform"])

    return run(network, distribution, choose, {"uniform": uniform}, context, controls)


def complete(network, distribution, image, known, uniform, context=None, controls=None):
    """Draw the unknown sub-pixels of images, each given the earlier ones.

    Exact p(unknown | known) where the known sub-pixels come before the unknown in raster order. Where
    known ones come later this is the usual approximation: they do not act back on what is drawn.

    Args:
        network, distribution, uniform, context, controls: as for `sample`.
        image: integers, shaped like `uniform`; values where not `known` do not matter.
        known: boolean, the same shape.

    Returns:
        image: of the distribution's dtype; as given where known.
        log_prob: float32, the same shape: nats of each value drawn, 0 where known.
    """

    maps = {"uniform": uniform, "given": image, "known": known}
    image, log_prob = run(network, distribution, unless_known, maps, context, controls)
    return image, ops.where(known, 0.0, log_prob)


def unless_known(draw, here):
    """The `choose` of completion."""
    return ops.where(here["known"] > 0.5, here["given"], draw(here["uniform"]))


def score(network, distribution, image, context=None):
    """Log-probability of images by the streaming execution: a check on it, slower than a forward pass.

    Args:
        network, distribution, context: as for `sample`.
        image: `(batch, height, width, channels)` integers.

    Returns:
        `(batch, height, width, channels)` float32 nats.
    """
    choose = lambda draw, here: here["given"]  # noqa: E731
    return run(network, distribution, choose, {"given": image}, context)[1]


def scale(image, levels):
    """Values `0 .. levels-1` to float32 in [-1, 1], as the network sees them."""
    return ops.cast(image, "float32") * (2.0 / (levels - 1)) - 1.0


def run(network, distribution, choose, maps, context=None, controls=None):
    """Image and nats per sub-pixel. `maps` are `(batch, height, width, channels)`; `choose` gets a
    function from uniform numbers to values and one sub-pixel of each map, `(batch,)`."""

    def outputs(values, params):
        return values, distribution.log_prob(params[:, :, None], values[:, :, None])[:, :, 0]

    def finish(state, carry, row):
        return state, carry, outputs(row["values"], row["params"])

    height, width, channels = next(iter(maps.values())).shape[1:]
    plan = wavefront.plan(network, height, width, context)
    if plan is None:
        _, (values, nats) = rows(network, distribution, choose, maps, finish, (), context, controls)
    else:
        if controls is not None:
            controls = [ops.tile(control, (plan.slots,)) for control in controls]
        drawing = distribution.drawer(channels) if controls is None else controls

        def pixel(stream, here, above, left):
            return _pixel(stream, distribution, choose, drawing, here, above, left, channels)

        turn = MOST_IN_A_TURN // channels
        values, nats = wavefront.run(network, plan, pixel, maps, outputs, context, turn)
    return ops.cast(as_map(values), distribution.dtype), as_map(nats)


def rows(
    network,
    distribution,
    choose,
    maps,
    finish,
    carry,
    context=None,
    controls=None,
    start=None,
    ways=None,
):
    """The loop itself.

    Args:
        network, distribution, choose, maps, context, controls: as for `run`.
        finish: `(state, carry, row) -> (state, carry, outputs)`, called after each row. `state` is the
            `RowState` ready for the next row; `row` holds the row of each map, its `values`, `(width,
            batch, channels)`, and their `params`, `(width, batch, P)`.
        carry: nested tensors that `finish` passes from row to row; None for the `RowState`.
        start: from the `RowState` of the first row of an image to that of the maps' first row, where
            they are part of an image.
        ways: optional, how rows are run where not all in the same way: `ways.kinds (height,)`, and
            `ways.run(usual, kind, state, maps)`, which returns what `usual(state, maps)`, the
            `row_of` this network, does.

    Returns:
        The last `carry`, and the outputs of all rows, stacked along a new first axis.
    """
    first = next(iter(maps.values()))
    batch_size = ops.shape(first)[0]
    height, width, channels = first.shape[1:]
    stream = network.stream(batch_size, height, width, context)
    by_row = {
        key: ops.transpose(ops.cast(value, "float32"), (1, 2, 0, 3)) for key, value in maps.items()
    }
    usual = row_of(stream, distribution, choose, channels, controls)
    run = ways.run if ways else lambda usual, kind, state, maps: usual(state, maps)

    def row(states, inputs):
        (state, carry), (maps, kind) = states, inputs
        state, values, params = run(usual, kind, state, maps)
        state, carry, outputs = finish(state, carry, {**maps, "values": values, "params": params})
        return (state, carry), outputs

    state = stream.state if start is None else start(stream.state)
    carry = state if carry is None else carry
    kinds = ways.kinds if ways else ops.zeros((height,), "int32")
    (_, carry), outputs = backend.scan(row, (state, carry), (by_row, kinds))
    return carry, outputs


def row_of(stream, distribution, choose, channels, controls=None):
    """A function `(state, maps) -> (state, values, params)` that runs a row of a network's `Stream`:
    `maps` are `(width, batch, channels)`, `state` the `RowState`; see `rows`."""
    back = sweep_back(stream)
    drawing = distribution.drawer(channels) if controls is None else controls

    def pixel(left, x):
        above, here = x
        values, params, left, record = _pixel(
            stream, distribution, choose, drawing, here, above, left, channels
        )
        return left, (values, params, record)

    def run(state, maps):
        _, (values, params, record) = backend.scan(
            pixel, state.left, (state.above, maps), unroll=MOST_IN_A_TURN // channels
        )
        return stream.next_row(state, record, iter(back(state, record))), values, params

    return run


def as_map(rows):
    """Rows `(height, width, batch, channels)` as `(batch, height, width, channels)`."""
    return ops.transpose(rows, (2, 0, 1, 3))


def _pixel(stream, distribution, choose, drawing, here, above, left, channels):
    """All sub-pixels of one pixel: values `(batch, channels)`, `params`, `left` and `record`.

    `drawing` is the distribution's `drawer`, or the controls of a draw.
    """
    size = distribution.params_size(channels)
    here = {key: _columns(part) for key, part in here.items()}
    values, pixel = [], ops.zeros_like(next(iter(here.values()))[0])
    pixel = in_one_pixel([pixel], channels)  # as the network reads it, as far as it is known
    params = draw_next = None
    for channel in range(channels):
        if channel == 0 or distribution.masks_channels:
            own, left = stream.step(pixel, above, left, channel)
            params = ops.concatenate([params, own], axis=-1) if channel else own
            known = params  # the parameters of later colours are not, and do not matter
            if params.shape[-1] < size:
                known = ops.pad(params, [[0, 0], [0, size - params.shape[-1]]])
            draw_next = drawing(known) if callable(drawing) else None

        def draw(u, draw_next=draw_next, known=known, values=tuple(values)):
            if draw_next is not None:
                return draw_next(values, u)
            pixel = in_one_pixel(values, channels) if values else ops.zeros_like(u)
            log_pmf = distribution.log_pmf(known, pixel, len(values))
            return distribution.quantile(controlled(log_pmf, *drawing), u[:, 0])[:, None]

        values.append(choose(draw, {key: part[channel] for key, part in here.items()}))
        if distribution.masks_channels or len(values) == channels:
            so_far = in_one_pixel(values, channels)
            pixel = ops.cast(distribution.network_input(so_far), "float32")
    return so_far, params, *stream.close(pixel, left)


def _columns(part):
    """The channels of `part (batch, channels)`, `(batch, 1)` each."""
    channels = part.shape[-1]
    return [part] if channels == 1 else ops.split(part, channels, axis=-1)


def sweep_back(stream):
    """A function `(state, row) -> [states, ...]` that runs all right-to-left LSTMs of a network over a
    finished row, in one loop over its columns."""
    lstms = stream.row_lstms
    fused = [
        backend.fused_lstm(ops.concatenate([lstm.into, lstm.beside], axis=0), lstm.bias)
        for lstm in lstms
    ]

    def run(state, row):
        inputs = stream.row_inputs(state, row)
        return _one_by_one(lstms, fused, inputs) if all(fused) else _together(lstms, inputs)

    return run


def _one_by_one(lstms, fused, inputs):
    """Runs LSTMs, each a single operation on its own."""
    states = []
    for lstm, one, row in zip(lstms, fused, inputs, strict=True):
        back = np.arange(row.shape[0])[::-1]  # taken whole slice by slice; `flip` goes by numbers
        h = one.run(ops.take(row, back, axis=0), _for_batch(lstm.h, row), _for_batch(lstm.c, row))
        states.append(ops.take(h, back, axis=0))
    return states


def _together(lstms, inputs):
    """Runs LSTMs, those of one size as one batched product at every column."""
    states = [None] * len(inputs)
    groups = {}
    for index, lstm in enumerate(lstms):
        groups.setdefault(lstm.beside.shape[0], []).append(index)
    for members in groups.values():
        own = [lstms[index] for index in members]
        z = [
            geometry.row_product(inputs[index], lstm.into) + lstm.bias
            for index, lstm in zip(members, own, strict=True)
        ]
        beside = ops.stack([lstm.beside for lstm in own])
        h = ops.stack([_for_batch(lstm.h, inputs[0]) for lstm in own])
        c = ops.stack([_for_batch(lstm.c, inputs[0]) for lstm in own])

        def step(carry, z, beside=beside):
            h, c = carry
            h, c = update(activate(z + ops.matmul(h, beside)), c)
            return (h, c), h

        _, swept = backend.scan(step, (h, c), ops.stack(z, axis=1), reverse=True)
        for index, lstm_states in zip(members, ops.unstack(swept, len(own), axis=1), strict=True):
            states[index] = lstm_states
    return states


def _for_batch(vector, row):
    """`vector (h,)` for each image of `row (width, batch, m)`."""
    return ops.broadcast_to(vector, (ops.shape(row)[1], vector.shape[0]))
