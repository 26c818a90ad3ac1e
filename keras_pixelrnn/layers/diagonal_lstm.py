"""Diagonal BiLSTM."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import geometry
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.causal import Apart, RowState, SideLSTM, Stream
from keras_pixelrnn.layers.lstm import GATE_OPEN, CausalLSTM, StreamCell
from keras_pixelrnn.layers.masked_conv import color_spans

LEFT, RIGHT = 0, 1


@keras.saving.register_keras_serializable("keras_pixelrnn")
class DiagonalBiLSTM(CausalLSTM):
    """Two LSTMs that sweep along the diagonals, from the top left and from the top right corner.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), section 3.2.
    Input-to-state is a masked 1x1 convolution (type B); state-to-state reads the neighbour in the
    same row and the one above. The map of the second direction is moved one row down, else a pixel
    would see those to its right, and added to the first: together they see the whole context.

    Args:
        units: number of hidden features h of each direction.
        colors: number of colour groups; 1 where colours are not told apart.
        learned_initial_state: learn the states outside the image, which are zero otherwise.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: `(batch, height, width, features)`.
        context: optional `(batch, height, width, k)` or `(batch, 1, 1, k)`, added to the
            input-to-state maps.

    Output shape:
        `(batch, height, width, units)`.

    Example:

    >>> DiagonalBiLSTM(16)(keras.ops.ones((2, 5, 6, 32))).shape
    TensorShape([2, 5, 6, 16])
    """

    taps = (0, -1)  # on the skewed map: the pixel beside, the pixel above
    directions = 2

    def call(self, x, context=None):
        z = [ops.cast(convolution(x, context), "float32") for convolution in self.inputs_to_state]
        maps = self.sweep_maps(z, positions=x.shape[1], diagonal=True)
        if maps is not None:
            h = maps[LEFT] + geometry.shift(maps[RIGHT], 1, axis=1)
            return ops.cast(h, self.compute_dtype)
        z = [ops.transpose(half, (1, 2, 3, 0)) for half in z]
        z[RIGHT] = ops.flip(z[RIGHT], axis=1)
        height, width = z[LEFT].shape[:2]
        # (diagonal, direction, feature, row, batch), as the sweep wants it
        z = ops.stack([ops.swapaxes(geometry.skew(half), 1, 2) for half in z], axis=1)
        z = z + _before_the_row(height, width, self.units)
        if self.learned_initial_state:  # it is also the neighbour above the first row
            upper = self.state_to_state[:, self.units :]
            seen = ops.sum(self.initial()[0][:, :, None] * upper, axis=1)
            z = z + seen[None, :, :, None, None] * np.eye(height, 1, dtype=np.float32)
        h = self.sweep_from_initial(z, geometry.skewed_spans(height, width))
        left, right = (
            geometry.unskew(ops.swapaxes(h[:, direction], 1, 2), width)
            for direction in (LEFT, RIGHT)
        )
        h = left + geometry.shift(ops.flip(right, axis=1), 1, axis=0)
        return ops.cast(ops.transpose(h, (3, 0, 1, 2)), self.compute_dtype)

    def stream(
        self, batch_size: Any, height: int, width: int, context: Tensor | None = None
    ) -> Stream:
        # Once: this pixel's input and the left neighbour's state take one product per colour.
        inputs, right_inputs = self.inputs_to_state
        context = inputs.context_rows(context)
        beside, upper = self.stream_kernels(LEFT)
        far, near, bias = inputs.stream_weights(context)
        spans = color_spans(inputs.out_colors[inputs.by_color()])
        near = [
            ops.concatenate([kernel, beside[:, span]], axis=0)
            for kernel, span in zip(near, spans, strict=True)
        ]
        cell = StreamCell(
            self.units,
            self.colors,
            near,
            [*far, upper],
            bias,
            carry=("h", "c"),
            record=("x", "h"),
        )
        states = ops.cast(self.state_to_state[RIGHT], "float32")
        right_beside, right_upper = ops.split(states, 2, axis=0)
        right_kernel, right_bias = right_inputs.masked_weights()
        of_context, right_bias = right_inputs.context_weights(context, right_bias)
        right_kernel = ops.concatenate([right_kernel[0, 0], right_upper, *of_context], axis=0)

        # Per row: the upper neighbours of all columns, and the right-to-left LSTM of the row above.
        def above(h, right, memory):
            seen = ops.concatenate([*context.read(memory), h], axis=-1)
            return {"left": cell.above(seen), "right": right}

        def row_inputs(state, row):
            seen = [row["x"], state.memory["right"], *context.read(state.memory)]
            return [ops.concatenate(seen, axis=-1)]

        def next_row(state, row, swept):
            right = next(swept)
            memory = context.next({**state.memory, "right": right})
            return RowState(above(row["h"], right, memory), state.left, memory)

        # Per pixel.
        def step_from_left(x, above, left, color):
            before, so_far = left
            near = [*(part["x"] for part in so_far), x, before["h"]]
            return cell.step(x, near, before["c"], above, left, color)

        def step(x, above, left, color):
            h, left = step_from_left(x, above["left"], left, color)
            right = above["right"]
            return h + (right if self.colors == 1 else right[:, cell.spans[color]]), left

        (left_h, right_h), (left_c, right_c) = (ops.unstack(x, 2) for x in self.initial())
        upper_left, upper_right, nothing = (
            ops.broadcast_to(h, (width, batch_size, self.units))
            for h in (left_h, right_h, ops.zeros_like(right_h))
        )
        memory = {**context.first(), "right": upper_right}
        return Stream(
            RowState(
                above(upper_left, nothing, memory),
                cell.first(batch_size, inputs.in_colors.size, left_h, left_c),
                memory,
            ),
            step,
            close=cell.close,
            row_inputs=row_inputs,
            row_lstms=(SideLSTM(right_kernel, right_beside, right_bias, right_h, right_c),),
            next_row=next_row,
            apart=Apart(lambda above: (above["left"], above["right"]), step_from_left),
        )


def _before_the_row(height, width, units):
    """Holds the state where the skewed map has not reached the row yet: output and forget gate open,
    input gate shut. Past the row's end nothing reads the state."""
    diagonal, row = np.ogrid[: width + height - 1, :height]
    gates = np.repeat(np.array([1.0, 1.0, -1.0, 0.0], np.float32) * GATE_OPEN, units)
    outside = (diagonal < row).astype(np.float32)
    # Multiplied in the graph: the product would be most of an exported file.
    return ops.multiply(gates[:, None, None], outside[:, None, None, :, None])
