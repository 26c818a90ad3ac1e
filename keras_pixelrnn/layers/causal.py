"""The contract of a causal layer: one function, run over the whole map or one pixel at a time."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers import wave as waves
from keras_pixelrnn.layers.strict import StrictLayer
from keras_pixelrnn.layers.tracking import Tracked


class RowState(NamedTuple):
    """What a causal layer carries from row to row.

    Attributes:
        above: nested `(width, batch, features)`: what the finished rows say about each column of
            the current one.
        left: nested `(batch, features)`: what the pixel left of the first column would have left.
        memory: nested tensors that only later rows need: `(width, batch, features)`, `(batch,
            features)`, or scalars, which are the same for all images.
    """

    above: Any = ()
    left: Any = ()
    memory: Any = ()


class SideLSTM(NamedTuple):
    """Weights of an LSTM that runs from right to left over a finished row, all float32.

    Attributes:
        into: input kernel `(m, 4 h)`.
        beside: state-to-state kernel `(h, 4 h)`.
        bias: `(4 h,)`, or `(batch, 4 h)` for one of each image.
        h, c: `(h,)` state right of the last column.
    """

    into: Any
    beside: Any
    bias: Any
    h: Any
    c: Any


class Apart(NamedTuple):
    """The steps of a `Stream` without what the rows above add to their output, which whoever goes on
    with it by sums and products alone can work out once per row.

    Attributes:
        split: `above -> (above, added)`: a row's `RowState.above` as `step` reads it, and what is
            missing in the output, `(width, batch, features)`.
        step: as of the `Stream`, which reads nothing of `above` but in its steps.
    """

    split: Callable
    step: Callable


def _nothing_to_record(x, left):
    return left, ()


def _no_sweep(state, row):
    return []


def _same_state(state, row, swept):
    return state


def _reads_no_rows(front):
    return waves.Wave()


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
        close: `(x, left) -> (left, record)`, after all colours. A layer of mask type A gets to see
            the finished pixel `x (batch, channels)`, which it could not see while it was drawn.
            `record` is what closing the row needs of this pixel: nested `(batch, features)`.
        row_inputs: `(state, row) -> [x, ...]`, what LSTMs that run from right to left over the
            finished row see of it at each column, `(width, batch, m)`, and
        row_lstms: their `SideLSTM` weights. All such LSTMs of a network run together, before
        next_row: `(state, row, swept) -> state`, closes a row. `row` is the `record` of every pixel
            of it, stacked: nested `(width, batch, features)`. `swept` is an iterator over the
            states `(width, batch, h)` of those LSTMs; a layer takes from it what it asked for.
        wave: `front -> Wave`, the same layer in a wavefront, where it has a `reach`.
        apart: an `Apart` where the rows above add to the output, else None.
    """

    state: RowState
    step: Callable
    close: Callable = _nothing_to_record
    row_inputs: Callable = _no_sweep
    row_lstms: tuple = ()
    next_row: Callable = _same_state
    wave: Callable = _reads_no_rows
    apart: Apart | None = None


class ContextRows:
    """A context while images are drawn: a map is read row by row; what is the same at every pixel of
    an image is multiplied by its kernel once and added to the bias.

    Args:
        context: `(batch, height, width, k)`, `(batch, 1, 1, k)`, or None.
    """

    def __init__(self, context):
        self._rows = self._same = None
        if context is None:
            return
        context = ops.cast(context, "float32")
        if by_pixel(context):
            self._rows = ops.transpose(context, (1, 2, 0, 3))
        else:
            self._same = context[:, 0, 0]

    def weights(self, kernel, bias, order=None):
        """How a kernel `(k, n)` of the context takes part, its features in some `order`: as a list of
        one kernel for the rows that are read, or of none; and in the bias, `(n,)` or `(batch, n)`."""

        def ordered(x):
            return x if order is None else ops.take(x, order, axis=1)

        if self._same is not None:  # the product is reordered: the kernel may be thousands of rows
            return [], bias + ordered(ops.matmul(self._same, kernel))
        return [] if self._rows is None else [ordered(kernel)], bias

    def first(self):
        """What a layer has to remember to know its row."""
        return {} if self._rows is None else {"row": ops.convert_to_tensor(0, "int32")}

    def next(self, memory):
        """`memory` with the row after."""
        return memory if self._rows is None else {**memory, "row": memory["row"] + 1}

    def read(self, memory):
        """The context `(width, batch, k)` of the row in `memory`, as a list of one, or of none."""
        if self._rows is None:
            return []
        # When the last row closes, one past it is asked for and never used.
        return [ops.take(self._rows, ops.minimum(memory["row"], self._rows.shape[0] - 1), axis=0)]


def by_pixel(context):
    """Whether a context differs from pixel to pixel."""
    return context is not None and tuple(context.shape[1:3]) != (1, 1)


class CausalLayer(StrictLayer, Tracked, keras.layers.Layer):
    """Base of all causal layers: `call` for whole maps, `stream` for one pixel at a time.

    Both compute the same function. `call(x, context=None)` takes `(batch, height, width, features)`
    and serves training and likelihood; `stream` serves drawing. The context is a map `(batch, height,
    width, k)`, or `(batch, 1, 1, k)` where it is the same at every pixel of an image.
    """

    def build(self, x_shape, context_shape=None):
        """Creates the weights. A layer built without a `context_shape` ignores contexts."""
        super().build(x_shape)

    def compute_output_shape(self, x_shape, context_shape=None):
        return x_shape

    def stream(
        self, batch_size: Any, height: int, width: int, context: Tensor | None = None
    ) -> Stream:
        """A `Stream` over `batch_size` images.

        Args:
            batch_size: int or scalar tensor.
            height, width: ints.
            context: `(batch, height, width, k)` as `call` would get it, or None.

        Returns:
            A `Stream`. It computes in float32 whatever the layer's dtype policy.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement `stream`.")

    # As a wavefront: see `keras_pixelrnn.layers.wave`.
    lead = 0  # columns right of its pixel that a layer works on in the same step

    def reach(self, context: Tensor | None = None) -> int | None:
        """Columns to the right of a pixel up to which the row above has to be finished before it, and at
        least those that a kernel reaches over the edge of the image.

        Args:
            context: as `stream` would get it.

        Returns:
            An int; None where the layer cannot be part of a wavefront: it reads all of the row above,
            or something else that its stream's `wave` does not provide for.
        """
        return None


class CompositeLayer(CausalLayer):
    """A causal layer made of others; `run` says how, once, for both executions."""

    @property
    def children(self) -> Sequence[CausalLayer]:
        """The causal layers that `run` applies, in order."""
        raise NotImplementedError(f"{type(self).__name__} does not name its `children`.")

    def run(self, x: Tensor, apply: Callable) -> Tensor:
        """The function itself; `apply(layer, x)` executes one of the children."""
        raise NotImplementedError(f"{type(self).__name__} does not implement `run`.")

    def call(self, x, context=None):
        return self.run(x, lambda layer, x: layer(x, context))

    @property
    def lead(self) -> int:
        return max(layer.lead for layer in self.children)

    def reach(self, context: Tensor | None = None) -> int | None:
        reaches = [layer.reach(context) for layer in self.children]
        return None if None in reaches else max(reaches)

    def stream(
        self, batch_size: Any, height: int, width: int, context: Tensor | None = None
    ) -> Stream:
        return self.joined(
            [layer.stream(batch_size, height, width, context) for layer in self.children]
        )

    def joined(self, streams: Sequence[Stream]) -> Stream:
        """The `Stream` of this layer from those of its `children`."""
        index_of = {id(layer): index for index, layer in enumerate(self.children)}
        return joined(
            streams, lambda x, apply: self.run(x, lambda layer, x: apply(index_of[id(layer)], x))
        )


def joined(streams, run):
    """Several streams as one.

    Args:
        streams: list of `Stream`s.
        run: `(x, apply) -> y`, what one step does; `apply(index, x)` steps one of the streams.
    """

    def step(x, above, left, color):
        new_left = list(left)

        def apply(index, x):
            y, new_left[index] = streams[index].step(x, above[index], left[index], color)
            return y

        return run(x, apply), new_left

    def close(x, left):
        closed = [s.close(x, part) for s, part in zip(streams, left, strict=True)]
        return [left for left, _ in closed], [record for _, record in closed]

    def row_inputs(state, row):
        triples = zip(streams, split_state(state), row, strict=True)
        return [z for s, part, part_row in triples for z in s.row_inputs(part, part_row)]

    def next_row(state, row, swept):
        triples = zip(streams, split_state(state), row, strict=True)
        return join_states([s.next_row(part, part_row, swept) for s, part, part_row in triples])

    return Stream(
        join_states([stream.state for stream in streams]),
        step,
        close=close,
        row_inputs=row_inputs,
        row_lstms=tuple(lstm for stream in streams for lstm in stream.row_lstms),
        next_row=next_row,
        wave=lambda front: waves.joined([stream.wave(front) for stream in streams]),
    )


def join_states(states):
    """The `RowState` of a composite from those of its children."""
    return RowState(*(list(parts) for parts in zip(*states, strict=True)))


def split_state(state):
    """The `RowState`s of the children from that of a composite."""
    return [RowState(*parts) for parts in zip(*state, strict=True)]
