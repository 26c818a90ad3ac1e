"""The contract of a causal layer: one function, run over the whole map or one pixel at a time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras


class RowState(NamedTuple):
    """What a causal layer carries from row to row.

    Attributes:
        above: nested `(width, batch, features)`: what the finished rows say about each column of
            the current one.
        left: nested `(batch, features)`: what the pixel left of the first column would have left.
        memory: nested tensors that only later rows need.
    """

    above: Any = ()
    left: Any = ()
    memory: Any = ()


def _same_left(x, left):
    return left


def _no_sweep(state, row):
    return []


def _same_state(state, row, swept):
    return state


class Stream(NamedTuple):
    """A causal layer ready to run pixel by pixel over one batch of images of one size.

    Weights are masked and cut per colour when the stream is made, once; the functions below only
    use them. `colors` below is the layer's number of colour groups.

    Attributes:
        state: `RowState` of the first row.
        step: `(x, above, left, color) -> (y, left)`, one colour of one pixel. `x (batch, features)`
            and `y` hold the features of this colour alone; `above` is `state.above` at this column.
            Called for every colour in order; `left` carries what this pixel's earlier colours
            computed, and after the last colour what the next pixel needs.
        close: `(x, left) -> left`, after all colours: a layer of mask type A gets to see the
            finished pixel `x (batch, channels)`, which it could not see while it was drawn.
        row_inputs: `(state, row) -> [z, ...]`, input terms `(width, batch, 4 h)` of recurrences
            that run from right to left over the finished row, and
        row_kernels: their state-to-state kernels `(h, 4 h)`. All such recurrences of a network are
            run as one, before
        next_row: `(state, row, swept) -> state`, closes a row. `row` is the `left` of every pixel
            of it, stacked: nested `(width, batch, features)`. `swept` is an iterator over the
            states `(width, batch, h)` of the recurrences; a layer takes from it what it asked for.
    """

    state: RowState
    step: Callable
    close: Callable = _same_left
    row_inputs: Callable = _no_sweep
    row_kernels: tuple = ()
    next_row: Callable = _same_state


class CausalLayer(keras.layers.Layer):
    """Base of all causal layers: `call` for whole maps, `stream` for one pixel at a time.

    Both compute the same function. `call(x, context=None)` takes `(batch, height, width, features)`
    and serves training and likelihood; `stream` serves drawing.
    """

    def build(self, x_shape, context_shape=None):
        """Creates the weights. A layer built without a `context_shape` ignores contexts."""
        super().build(x_shape)

    def compute_output_shape(self, x_shape, context_shape=None):
        return x_shape

    def stream(self, batch_size, height, width, context=None):
        """A `Stream` over `batch_size` images.

        Args:
            batch_size: int or scalar tensor.
            height, width: ints.
            context: `(batch, height, width, k)` as `call` would get it, or None.

        Returns:
            A `Stream`. It computes in float32 whatever the layer's dtype policy.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement `stream`.")


class CompositeLayer(CausalLayer):
    """A causal layer made of others; `run` says how, once, for both executions."""

    @property
    def children(self):
        """The causal layers that `run` applies, in order."""
        raise NotImplementedError(f"{type(self).__name__} does not name its `children`.")

    def run(self, x, apply):
        """The function itself; `apply(layer, x)` executes one of the children."""
        raise NotImplementedError(f"{type(self).__name__} does not implement `run`.")

    def call(self, x, context=None):
        return self.run(x, lambda layer, x: layer(x, context))

    def stream(self, batch_size, height, width, context=None):
        children = self.children
        streams = [layer.stream(batch_size, height, width, context) for layer in children]
        index_of = {id(layer): index for index, layer in enumerate(children)}

        def step(x, above, left, color):
            new_left = list(left)

            def apply(layer, x):
                index = index_of[id(layer)]
                y, new_left[index] = streams[index].step(x, above[index], left[index], color)
                return y

            return self.run(x, apply), new_left

        def close(x, left):
            return [stream.close(x, part) for stream, part in zip(streams, left, strict=True)]

        def row_inputs(state, row):
            triples = zip(streams, _split(state), row, strict=True)
            return [z for s, part, part_row in triples for z in s.row_inputs(part, part_row)]

        def next_row(state, row, swept):
            triples = zip(streams, _split(state), row, strict=True)
            return _join([s.next_row(part, part_row, swept) for s, part, part_row in triples])

        return Stream(
            _join([stream.state for stream in streams]),
            step,
            close=close,
            row_inputs=row_inputs,
            row_kernels=tuple(kernel for stream in streams for kernel in stream.row_kernels),
            next_row=next_row,
        )


def _join(states):
    """The `RowState` of a composite from those of its children."""
    return RowState(*(list(parts) for parts in zip(*states, strict=True)))


def _split(state):
    """The `RowState`s of the children from that of a composite."""
    return [RowState(*parts) for parts in zip(*state, strict=True)]
