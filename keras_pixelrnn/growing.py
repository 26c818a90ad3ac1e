"""Images drawn some rows at a time: what is known of the rows above travels as one tensor.

The rows are those of `raster.sample`: the same operations on the same numbers, cut elsewhere.
"""

from keras import ops, tree

from keras_pixelrnn import raster


def sample_rows(network, distribution, uniform, row, state, context=None):
    """Draw the next rows of images.

    Args:
        network, distribution, context: as for `raster.sample`; no context that differs from row to row.
        uniform: `(batch, rows, width, channels)`, the numbers of those rows.
        row: `(batch,)` ints, the first of the rows; of 0 the state does not matter.
        state: `(batch, size)` float32, of the rows above: what the call before returned.

    Returns:
        image: like `uniform`, of the distribution's dtype.
        log_prob: float32, the same shape, nats.
        state: `(batch, size)`, for the rows below.
    """

    def choose(draw, here):
        return draw(here["uniform"])

    return _rows(network, distribution, choose, {"uniform": uniform}, row, state, context)


def complete_rows(
    network, distribution, image, known, uniform, row, state, context=None, controls=None
):
    """Draw what is unknown of the next rows of images.

    Args:
        network, distribution, uniform, row, state, context: as for `sample_rows`.
        image, known: of those rows, shaped like `uniform`; as for `raster.complete`.
        controls: optional `(temperature, top_k, top_p)`, each `(batch,)`.

    Returns:
        As of `sample_rows`; nats are 0 where known.
    """
    maps = {"uniform": uniform, "given": image, "known": known}
    image, nats, state = _rows(
        network, distribution, raster.unless_known, maps, row, state, context, controls
    )
    return image, ops.where(known, 0.0, nats), state


def _rows(network, distribution, choose, maps, row, state, context, controls=None):
    def start(first):
        size = sum(map(_size, tree.flatten(first)))
        if state.shape[-1] not in (None, size):
            raise ValueError(
                f"`state` must have the shape (batch, {size}): what the call before returned, zeros at "
                f"row 0. Received: state of shape {tuple(state.shape)}"
            )
        kept = ops.where(row[:, None] == 0, _packed(first), state)
        return _unpacked(kept, first)

    def finish(state, carry, row):
        nats = distribution.log_prob(row["params"][:, :, None], row["values"][:, :, None])[:, :, 0]
        return state, state, (row["values"], nats)

    last, (values, nats) = raster.rows(
        network, distribution, choose, maps, finish, None, context, controls, start=start
    )
    image = ops.cast(raster.as_map(values), distribution.dtype)
    return image, raster.as_map(nats), _packed(last)


def state_size(network, image_shape, context=None):
    """Numbers in the state of an image, or None where rows do not depend on the rows above alone: with
    a context that differs from row to row.

    Args:
        network: causal layer.
        image_shape: `(height, width, channels)`.
        context: of one image.
    """
    state = network.stream(1, *image_shape[:2], context).state
    leaves = tree.flatten(state)
    if any(len(x.shape) == 0 for x in leaves):  # the number of a row, the same for all images
        return None
    return sum(_size(x) for x in leaves)


def _size(leaf):
    """Numbers of one image in `(width, batch, features)` or `(batch, features)`."""
    return leaf.shape[-1] * (leaf.shape[0] if len(leaf.shape) == 3 else 1)


def _packed(state):
    """A `RowState` as `(batch, size)`."""
    return ops.concatenate(
        [
            ops.reshape(ops.transpose(x, (1, 0, 2)) if len(x.shape) == 3 else x, (-1, _size(x)))
            for x in tree.flatten(state)
        ],
        axis=-1,
    )


def _unpacked(packed, like):
    """The `RowState` that became `packed`, with the structure of another."""
    parts, place = [], 0
    for leaf in tree.flatten(like):
        part = packed[:, place : place + _size(leaf)]
        if len(leaf.shape) == 3:
            part = ops.reshape(part, (-1, leaf.shape[0], leaf.shape[2]))
            part = ops.transpose(part, (1, 0, 2))
        parts.append(part)
        place += _size(leaf)
    return tree.pack_sequence_as(like, parts)
