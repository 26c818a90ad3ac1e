"""Row LSTM."""

from typing import Any

import keras
from keras import ops

from keras_pixelrnn import geometry
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.causal import RowState, Stream, by_pixel
from keras_pixelrnn.layers.lstm import CausalLSTM, StreamCell
from keras_pixelrnn.layers.wave import Wave, WindowAbove


@keras.saving.register_keras_serializable("keras_pixelrnn")
class RowLSTM(CausalLSTM):
    """LSTM that sweeps from the top row down, all columns of a row at once.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), section 3.1.
    Input-to-state is a masked 1x3 convolution along the row (type B); state-to-state an unmasked
    convolution of three taps on the row above. A pixel sees a triangle above it, not the whole
    context.

    Args:
        units: number of hidden features h.
        colors: number of colour groups; 1 where colours are not told apart.
        learned_initial_state: learn the state before the first row, which is zero otherwise.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: `(batch, height, width, features)`.
        context: optional `(batch, height, width, k)` or `(batch, 1, 1, k)`, added to the
            input-to-state map.

    Output shape:
        `(batch, height, width, units)`.

    Example:

    >>> RowLSTM(16)(keras.ops.ones((2, 5, 6, 32))).shape
    TensorShape([2, 5, 6, 16])
    """

    taps = (-1, 0, 1)
    input_width = 3

    def call(self, x, context=None):
        z = ops.cast(self.inputs_to_state[0](x, context), "float32")
        maps = self.sweep_maps([z], positions=x.shape[2], diagonal=False)
        if maps is not None:
            return ops.cast(maps[0], self.compute_dtype)
        z = ops.expand_dims(ops.transpose(z, (1, 3, 2, 0)), axis=1)
        h = self.sweep_from_initial(z)[:, 0]
        return ops.cast(ops.transpose(h, (3, 0, 2, 1)), self.compute_dtype)

    def stream(
        self, batch_size: Any, height: int, width: int, context: Tensor | None = None
    ) -> Stream:
        # Once.
        inputs = self.inputs_to_state[0]
        context = inputs.context_rows(context)
        far, near, bias = inputs.stream_weights(context)
        cell = StreamCell(
            self.units,
            self.colors,
            near,
            [*far, *self.stream_kernels(0)],
            bias,
            carry=("x",),
            record=("h", "c"),
        )

        # Per row.
        def above_row(h, c, memory):
            seen = [*context.read(memory), geometry.windows(h, len(self.taps))]
            return {"cell": cell.above(ops.concatenate(seen, axis=-1)), "c": c}

        def next_row(state, row, swept):
            memory = context.next(state.memory)
            return RowState(above_row(row["h"], row["c"], memory), state.left, memory)

        # Per pixel.
        def step(x, above, left, color):
            before, so_far = left
            near = [before["x"], *(part["x"] for part in so_far), x]
            return cell.step(x, near, above["c"], above["cell"], left, color)

        h, c = (state[0] for state in self.initial())
        left = cell.first(batch_size, inputs.in_colors.size, h, c)
        h, c = (ops.broadcast_to(state, (width, batch_size, self.units)) for state in (h, c))
        state = RowState(above_row(h, c, context.first()), left, context.first())

        def wave(front):
            window = WindowAbove(front, 1, len(self.taps), self.units)

            def above(memory, arrived, valid):
                window_memory, late = memory
                window_memory, seen = window.next(window_memory, arrived["h"])
                late = (arrived["c"], *late)  # the cell state is that of the same column
                above = {"cell": cell.above(ops.concatenate(seen, axis=-1)), "c": late[-1]}
                return (window_memory, late[:-1]), above

            return Wave(
                (window.memory(), front.zeros(self.units, front.lag - 1)),
                {"h": front.zeros(self.units), "c": front.zeros(self.units)},
                above,
                lambda memory, record: record,
            )

        return Stream(state, step, close=cell.close, next_row=next_row, wave=wave)

    def reach(self, context: Tensor | None = None) -> int | None:
        # A learned state outside the image is not the zeros of a wavefront's idle steps.
        return None if self.learned_initial_state or by_pixel(context) else len(self.taps) // 2
