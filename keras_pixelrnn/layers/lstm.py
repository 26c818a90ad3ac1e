"""What Row LSTM and Diagonal BiLSTM share: weights, and the cell run one pixel at a time."""

import keras
from keras import ops

from keras_pixelrnn import masks
from keras_pixelrnn.layers.causal import CausalLayer
from keras_pixelrnn.layers.masked_conv import MaskedConv2D, color_spans
from keras_pixelrnn.sweep import GATES, activate, update


@keras.saving.register_keras_serializable("keras_pixelrnn")
class ForgetBias(keras.initializers.Initializer):
    """Bias of the four gates o, f, i, g: 1 for the forget gate, 0 for the others.

    Jozefowicz et al. 2015, "An empirical exploration of recurrent network architectures".
    """

    def __call__(self, shape, dtype=None):
        units = shape[0] // GATES
        return ops.concatenate(
            [ops.full((units,), value, dtype=dtype) for value in (0.0, 1.0, 0.0, 0.0)]
        )


class CausalLSTM(CausalLayer):
    """Base of the two recurrent layers.

    Subclasses set `taps`, the offsets read from the vector of positions before; `directions`; and
    `input_width`, the columns that the masked input-to-state convolution covers.

    Args:
        units: number of hidden features h.
        colors: number of colour groups. The features of each gate are grouped on their own.
        **kwargs: of `keras.layers.Layer`.
    """

    taps = ()
    directions = 1
    input_width = 1

    def __init__(self, units, *, colors=1, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.colors = colors
        self.inputs_to_state = [
            MaskedConv2D(
                GATES * units,
                (1, self.input_width),
                mask_type="B",
                colors=colors,
                gates=GATES,
                bias_initializer=ForgetBias(),
                dtype=self.dtype_policy,
                name=f"input_to_state_{direction}",
            )
            for direction in range(self.directions)
        ]

    def build(self, x_shape, context_shape=None):
        for convolution in self.inputs_to_state:
            convolution.build(x_shape, context_shape)
        self.state_to_state = self.add_weight(
            name="state_to_state",
            shape=(self.directions, len(self.taps) * self.units, GATES * self.units),
            initializer=keras.initializers.VarianceScaling(
                # Each direction alone is a dense layer; Glorot would count the directions in.
                scale=1.0 / (len(self.taps) * self.units),
                mode="fan_in",
                distribution="truncated_normal",
            ),
            autocast=False,  # the sweep runs in float32 under any policy
        )

    def compute_output_shape(self, x_shape, context_shape=None):
        return (*x_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "colors": self.colors}

    def stream_kernels(self, direction):
        """State-to-state kernel `(h, 4 h)` of each tap, columns ordered colour by colour."""
        order = self.inputs_to_state[direction].by_color()
        kernel = ops.take(ops.cast(self.state_to_state[direction], "float32"), order, axis=1)
        return ops.split(kernel, len(self.taps), axis=0)

    def stream_spans(self):
        """Slices of each colour: in the ordered pre-activations, and in the hidden features."""
        own = color_spans(masks.color_of_features(self.units, self.colors))
        return [slice(GATES * span.start, GATES * span.stop) for span in own], own

    def stream_cell(self, z, c_before, cells, color, **remembered):
        """One colour of one pixel: pre-activations and old cell state to new hidden features.

        `cells` holds the finished pixel to the left, as `{"h", "c", ...}`, and this pixel's colours
        so far. After the last colour they become the finished pixel, together with what else is
        to be `remembered` of each.
        """
        finished, so_far = cells
        h, c = update(activate(z), c_before)
        so_far = [*so_far, {"h": h, "c": c, **remembered}]
        if color == self.colors - 1:
            if self.colors == 1:
                return h, (so_far[0], [])
            finished = {
                key: ops.concatenate([part[key] for part in so_far], axis=-1) for key in finished
            }
            so_far = []
        return h, (finished, so_far)
