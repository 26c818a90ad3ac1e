"""Diagonal BiLSTM."""

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import geometry
from keras_pixelrnn.layers.causal import RowState, Stream
from keras_pixelrnn.layers.lstm import CausalLSTM
from keras_pixelrnn.sweep import GATES, sweep

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
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: `(batch, height, width, features)`.
        context: optional `(batch, height, width, k)`, added to the input-to-state maps.

    Output shape:
        `(batch, height, width, units)`.

    Example:

    >>> DiagonalBiLSTM(16)(keras.ops.ones((2, 5, 6, 32))).shape
    TensorShape([2, 5, 6, 16])
    """

    taps = (0, -1)  # on the skewed map: the pixel beside, the pixel above
    directions = 2

    def call(self, x, context=None):
        z = [
            ops.transpose(ops.cast(convolution(x, context), "float32"), (1, 2, 3, 0))
            for convolution in self.inputs_to_state
        ]
        z[RIGHT] = ops.flip(z[RIGHT], axis=1)
        height, width = z[LEFT].shape[:2]
        # (diagonal, direction, feature, row, batch), as the sweep wants it
        z = ops.stack([ops.swapaxes(geometry.skew(half), 1, 2) for half in z], axis=1)
        z = z + _before_the_row(height, width, self.units)
        h = sweep(z, self.state_to_state, self.taps)
        left, right = (
            geometry.unskew(ops.swapaxes(h[:, direction], 1, 2), width)
            for direction in (LEFT, RIGHT)
        )
        h = left + geometry.shift(ops.flip(right, axis=1), 1, axis=0)
        return ops.cast(ops.transpose(h, (3, 0, 1, 2)), self.compute_dtype)

    def stream(self, batch_size, height, width, context=None):
        # Once: this pixel's input and the left neighbour's state take one product per colour.
        inputs = self.inputs_to_state[LEFT]
        beside, upper = self.stream_kernels(LEFT)
        z_span, span = self.stream_spans()
        _, near, bias = inputs.stream_weights()
        kernels = [
            ops.concatenate([kernel, beside[:, at]], axis=0)
            for kernel, at in zip(near, z_span, strict=True)
        ]
        projected = inputs.stream_context(context)
        right_inputs = self.inputs_to_state[RIGHT]
        right_kernel, right_bias = right_inputs.masked_weights()
        right_states = ops.cast(self.state_to_state[RIGHT], "float32")
        right_beside, right_upper = ops.split(right_states, 2, axis=0)
        right_kernel = ops.concatenate([right_kernel[0, 0], right_upper], axis=0)
        right_projected = right_inputs.stream_context(context, ordered=False)

        # Per row: the upper neighbours of all columns, and the right-to-left LSTM of the row above.
        def above(h, right, memory):
            z = geometry.row_product(h, upper) + bias
            if projected is not None:
                z = z + ops.take(projected, ops.minimum(memory["row"], height - 1), axis=0)
            return {"z": z, "right": right}

        def row_inputs(state, row):
            seen = ops.concatenate([row[0]["x"], state.above["right"]], axis=-1)
            z = geometry.row_product(seen, right_kernel) + right_bias
            if projected is not None:
                z = z + ops.take(right_projected, state.memory["row"], axis=0)
            return [z]

        def next_row(state, row, swept):
            memory = {key: number + 1 for key, number in state.memory.items()}
            return RowState(above(row[0]["h"], next(swept), memory), state.left, memory)

        # Per pixel.
        def step(x, above, left, color):
            before, so_far = left
            seen = [*(part["x"] for part in so_far), x, before["h"]]
            z = ops.matmul(ops.concatenate(seen, axis=-1), kernels[color])
            if self.colors == 1:
                z, c, right = z + above["z"], before["c"], above["right"]
            else:
                z = z + above["z"][:, z_span[color]]
                c, right = before["c"][:, span[color]], above["right"][:, span[color]]
            h, left = self.stream_cell(z, c, left, color, x=x)
            return h + right, left

        sizes = {"h": self.units, "c": self.units, "x": inputs.in_colors.size}
        left = ({name: ops.zeros((batch_size, size)) for name, size in sizes.items()}, [])
        memory = {"row": ops.convert_to_tensor(0, "int32")} if projected is not None else {}
        zeros = ops.zeros((width, batch_size, self.units))
        return Stream(
            RowState(above(zeros, zeros, memory), left, memory),
            step,
            row_inputs=row_inputs,
            row_kernels=(right_beside,),
            next_row=next_row,
        )


def _before_the_row(height, width, units):
    """Shuts the input gate where the skewed map has not reached the row yet, so that the state
    there stays zero. Past the row's end nothing reads the state."""
    diagonal, row = np.ogrid[: width + height - 1, :height]
    shut = np.zeros((width + height - 1, 1, GATES * units, height, 1), np.float32)
    shut[:, 0, 2 * units : 3 * units, :, 0] = np.where(diagonal < row, -1e4, 0.0)[:, None]
    return shut
