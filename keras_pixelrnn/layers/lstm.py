"""What Row LSTM and Diagonal BiLSTM share: weights, and the cell run one pixel at a time."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_pixelrnn import backend, checks, geometry, masks
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.causal import CausalLayer
from keras_pixelrnn.layers.masked_conv import MaskedConv2D, color_spans
from keras_pixelrnn.sweep import GATES, activate, sweep, update

GATE_OPEN = 1e4  # its sigmoid is 1 in float32, that of -GATE_OPEN 0


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
        learned_initial_state: learn the state outside the image; it is zero otherwise.
        **kwargs: of `keras.layers.Layer`.
    """

    taps = ()
    directions = 1
    input_width = 1

    def __init__(
        self, units: int, *, colors: int = 1, learned_initial_state: bool = False, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.units = units = checks.positive_int("units", units, checks.MOST_UNITS)
        self.colors = checks.positive_int("colors", colors, checks.MOST_UNITS)
        self.learned_initial_state = checks.switch("learned_initial_state", learned_initial_state)
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
        if self.learned_initial_state:
            self.initial_state = self.add_weight(
                name="initial_state",
                shape=(self.directions, self.units),
                initializer="zeros",
                autocast=False,
            )

    def compute_output_shape(self, x_shape, context_shape=None):
        return (*x_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in ("units", "colors", "learned_initial_state")},
        }

    def initial(self) -> tuple[Tensor, Tensor]:
        """Hidden features and cell states outside the image, `(directions, h)` each.

        The weight is what a gate of new content would be fed, so that a sweep can be started with it.
        """
        if not self.learned_initial_state:
            return (ops.zeros((self.directions, self.units)),) * 2
        c = ops.tanh(ops.cast(self.initial_state, "float32"))
        return ops.tanh(c), c

    def sweep_from_initial(self, z: Tensor, spans: Any = None) -> Tensor:
        """`sweep` of `z (length, directions, 4 h, positions, batch)` from the initial state."""
        if not self.learned_initial_state:
            return sweep(z, self.state_to_state, self.taps, spans)
        # States outside the image are not zero, as they are outside the spans: all is computed.
        # One vector before the first, whose gates are open for the new content and nothing else.
        start = ops.cast(self.initial_state, "float32")
        is_open, ignored = ops.full_like(start, GATE_OPEN), ops.zeros_like(start)
        start = ops.concatenate([is_open, ignored, is_open, start], axis=-1)
        start = ops.zeros_like(z[:1]) + start[None, :, :, None, None]
        return sweep(ops.concatenate([start, z], axis=0), self.state_to_state, self.taps)[1:]

    def sweep_maps(self, z: Sequence[Tensor], positions: Any, diagonal: bool) -> Tensor | None:
        """`sweep` of `z`, a list of maps `(batch, height, width, 4 h)`, one for each direction, by one
        kernel of a GPU: hidden states `(directions, batch, height, width, h)`; None where there is no
        such kernel, or no number of images yet. The second direction is that of the mirrored map."""
        run = backend.fused_sweep(self.units, positions)
        if run is None or self.learned_initial_state or not isinstance(z[0].shape[0], int):
            return None
        return run(ops.stack(z), ops.cast(self.state_to_state, "float32"), self.taps, diagonal)

    def stream_kernels(self, direction: int) -> Sequence[Tensor]:
        """State-to-state kernel `(h, 4 h)` of each tap, columns ordered colour by colour."""
        order = self.inputs_to_state[direction].by_color()
        kernel = ops.take(ops.cast(self.state_to_state[direction], "float32"), order, axis=1)
        return ops.split(kernel, len(self.taps), axis=0)


class StreamCell:
    """The LSTM cell one pixel at a time: kernels cut once, finished rows summed up once per row.

    What a pixel has is `"x"`, its input; `"h"`, its hidden features; and `"c"`, its cell state.

    Args:
        units, colors: of the layer.
        near: for each colour the kernel `(n, 4 h_c)` of what is seen in the current row.
        far: list of kernels `(.., 4 h)` of what is seen of the context and of finished rows.
        bias: `(4 h,)`, or `(batch, 4 h)`. Columns of all of them are ordered colour by colour.
        carry: what the next pixel needs of the one before.
        record: what closing the row needs of each pixel.
    """

    def __init__(self, units, colors, near, far, bias, carry, record):
        self.colors = colors
        self.spans = color_spans(masks.color_of_features(units, colors))
        self._near, self._bias, self._units = near, bias, units
        self._far = ops.concatenate(far, axis=0) if len(far) > 1 else far[0]
        self._carry, self._record = carry, record
        self._fused = None
        if colors == 1:
            kernel = ops.concatenate([near[0], self._far], axis=0)
            self._fused = backend.fused_lstm(kernel, bias)

    def above(self, seen):
        """What `step` wants to know of finished rows: `seen (width, batch, m)` at every column, or
        `(batch, m)` at one."""
        if not self._fused:
            return {"z": geometry.row_product(seen, self._far) + self._bias}
        if seen.shape[-1] == self._units:
            return {"h": seen}
        return {"x": seen[..., : -self._units], "h": seen[..., -self._units :]}

    def first(self, batch_size, inputs, h, c):
        """`left` of the first column: no input of `inputs` features, initial state `(h,)`."""
        initial = {"x": ops.zeros((inputs,)), "h": h, "c": c}
        return {
            key: ops.broadcast_to(initial[key], (batch_size, initial[key].shape[0]))
            for key in self._carry
        }, []

    def step(self, x, near, c, above, left, color):
        """One colour of one pixel.

        Args:
            x: `(batch, features)` input of this colour.
            near: list of tensors seen in the current row, as ordered in the kernel.
            c: `(batch, h)` cell state of the pixel before.
            above: from `above`, at this column.
            left: what is carried of the pixel before, and this pixel's colours so far.

        Returns:
            The new hidden features `(batch, h_c)`, and `left`.
        """
        before, so_far = left
        if self._fused:
            near = [*near, above["x"]] if "x" in above else near
            h, c = self._fused.step(ops.concatenate(near, axis=-1), above["h"], c)
        else:
            z, span = above["z"], self.spans[color]
            if self.colors > 1:
                z, c = z[:, GATES * span.start : GATES * span.stop], c[:, span]
            z = backend.product(near, self._near[color]) + z
            h, c = update(activate(z), c)
        return h, (before, [*so_far, {"x": x, "h": h, "c": c}])

    def close(self, x, left):
        """`left` for the next pixel, and what is recorded of this one."""
        _, parts = left

        def whole(key):
            return ops.concatenate([part[key] for part in parts], axis=-1)

        if len(parts) == 1:
            whole = parts[0].__getitem__
        carried = {key: whole(key) for key in self._carry}
        return (carried, []), {key: whole(key) for key in self._record}
