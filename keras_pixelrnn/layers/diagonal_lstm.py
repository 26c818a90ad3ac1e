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
        inputs = self.inputs_to_state[LEFT].stream(batch_size, height, width, context)
        beside, upper = self.stream_kernels(LEFT)
        right_kernel = ops.cast(self.state_to_state[RIGHT], "float32")
        right_beside, right_upper = ops.split(right_kernel, 2, axis=0)
        z_span, span = self.stream_spans()

        def step(x, above, left, color):
            z, input_left = inputs.step(x, above["input"], left["input"], color)
            before = left["cells"][0]
            z = z + above["z"][:, z_span[color]]
            z = z + ops.matmul(before["h"], beside[:, z_span[color]])
            c = before["c"][:, span[color]]
            h, cells = self.stream_cell(z, c, left["cells"], color, x=x)
            return h + above["right"][:, span[color]], {"input": input_left, "cells": cells}

        def row_inputs(state, row):
            x = ops.transpose(row["cells"][0]["x"], (1, 0, 2))[:, None]
            row_context = None
            if context is not None:
                row_context = ops.take(context, state.memory["row"], axis=1)[:, None]
            z = self.inputs_to_state[RIGHT].call(x, row_context)[:, 0]
            return [ops.transpose(z, (1, 0, 2)) + ops.matmul(state.above["right"], right_upper)]

        def next_row(state, row, swept):
            child = RowState(state.above["input"], state.left["input"], state.memory["input"])
            child = inputs.next_row(child, row["input"], swept)
            z = ops.matmul(row["cells"][0]["h"], upper)
            above = {"input": child.above, "z": z, "right": next(swept)}
            memory = {**state.memory, "input": child.memory}
            if context is not None:
                memory["row"] = memory["row"] + 1
            return RowState(above, state.left, memory)

        zeros = {"h": self.units, "c": self.units, "x": self.inputs_to_state[LEFT].in_colors.size}
        zeros = {name: ops.zeros((batch_size, size)) for name, size in zeros.items()}
        memory = {"input": inputs.state.memory}
        if context is not None:
            memory["row"] = ops.convert_to_tensor(0, "int32")
        state = RowState(
            above={
                "input": inputs.state.above,
                "z": ops.zeros((width, batch_size, GATES * self.units)),
                "right": ops.zeros((width, batch_size, self.units)),
            },
            left={"input": inputs.state.left, "cells": (zeros, [])},
            memory=memory,
        )
        return Stream(
            state,
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
