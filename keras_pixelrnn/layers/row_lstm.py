"""Row LSTM."""

import keras
from keras import ops

from keras_pixelrnn import geometry
from keras_pixelrnn.layers.causal import RowState, Stream
from keras_pixelrnn.layers.lstm import CausalLSTM
from keras_pixelrnn.sweep import GATES, sweep


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
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: `(batch, height, width, features)`.
        context: optional `(batch, height, width, k)`, added to the input-to-state map.

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
        z = ops.expand_dims(ops.transpose(z, (1, 3, 2, 0)), axis=1)
        h = sweep(z, self.state_to_state, self.taps)[:, 0]
        return ops.cast(ops.transpose(h, (3, 0, 2, 1)), self.compute_dtype)

    def stream(self, batch_size, height, width, context=None):
        inputs = self.inputs_to_state[0].stream(batch_size, height, width, context)
        kernel = ops.concatenate(self.stream_kernels(0), axis=0)
        z_span, span = self.stream_spans()

        def step(x, above, left, color):
            z, input_left = inputs.step(x, above["input"], left["input"], color)
            if self.colors == 1:
                z, c = z + above["z"], above["c"]
            else:
                z, c = z + above["z"][:, z_span[color]], above["c"][:, span[color]]
            h, cells = self.stream_cell(z, c, left["cells"], color)
            return h, {"input": input_left, "cells": cells}

        def next_row(state, row, swept):
            child = RowState(state.above["input"], state.left["input"], state.memory)
            child = inputs.next_row(child, row["input"], swept)
            finished = row["cells"][0]
            z = geometry.row_product(geometry.windows(finished["h"], len(self.taps)), kernel)
            above = {"input": child.above, "z": z, "c": finished["c"]}
            return RowState(above, state.left, child.memory)

        row_zeros = ops.zeros((width, batch_size, self.units))
        zeros = ops.zeros((batch_size, self.units))
        state = RowState(
            above={
                "input": inputs.state.above,
                "z": ops.zeros((width, batch_size, GATES * self.units)),
                "c": row_zeros,
            },
            left={"input": inputs.state.left, "cells": ({"h": zeros, "c": zeros}, [])},
            memory=inputs.state.memory,
        )
        return Stream(state, step, next_row=next_row)
