"""The masked convolution."""

import itertools
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import backend, checks, geometry, masks
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.adapted import KeepsAdapters
from keras_pixelrnn.layers.causal import CausalLayer, ContextRows, RowState, Stream, by_pixel
from keras_pixelrnn.layers.wave import Wave, WindowAbove


@keras.saving.register_keras_serializable("keras_pixelrnn")
class MaskedConv2D(KeepsAdapters, CausalLayer, keras.layers.Conv2D):
    """Convolution whose output at a sub-pixel depends on earlier sub-pixels only.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), section 3.4.
    Features are cut into one group per colour: a feature of colour c sees all pixels before its
    own and, of its own, the colours before c (mask type A) or up to c (type B).

    Args:
        filters: number of output features.
        kernel_size: odd int, or `(rows, columns)` of odd ints.
        mask_type: "A" for the first layer of a network, "B" for all later ones. No default: one
            layer of the wrong type makes a model see the pixel it predicts.
        colors: number of colour groups; 1 where colours are not told apart.
        gates: number of equal runs of output features, each cut into colour groups on its own;
            4 where the output feeds the gates of an LSTM.
        **kwargs: of `keras.layers.Conv2D`: `activation`, `use_bias`, `kernel_initializer`, ...
            Strides, dilation, padding and data format are fixed.

    Call arguments:
        x: `(batch, height, width, features)`.
        context: optional `(batch, height, width, k)` or `(batch, 1, 1, k)`, seen whole at
            every pixel through an unmasked 1x1 convolution added to the output. A layer first
            called with a context always needs one.

    Output shape:
        `(batch, height, width, filters)`.

    Raises:
        ValueError: unknown `mask_type`, an even kernel, or fewer features than colours.

    Example:

    >>> layer = MaskedConv2D(8, kernel_size=7, mask_type="A")
    >>> layer(keras.ops.ones((2, 5, 6, 1))).shape
    TensorShape([2, 5, 6, 8])
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        *,
        mask_type: str,
        colors: int = 1,
        gates: int = 1,
        **kwargs: Any,
    ):
        filters = checks.positive_int("filters", filters, checks.MOST_FILTERS)
        kernel_size = checks.kernel_size("kernel_size", kernel_size)
        masks.check_mask_type(mask_type)
        for fixed, value in {"strides": 1, "dilation_rate": 1, "groups": 1}.items():
            if kwargs.pop(fixed, value) not in (value, (value, value)):
                raise ValueError(f"MaskedConv2D has a fixed `{fixed}` of {value}.")
        for fixed, value in {"padding": "same", "data_format": "channels_last"}.items():
            if kwargs.pop(fixed, value) != value:
                raise ValueError(f"MaskedConv2D has a fixed `{fixed}` of {value!r}.")
        super().__init__(
            filters, kernel_size, padding="same", data_format="channels_last", **kwargs
        )
        self.mask_type = mask_type
        self.colors = checks.positive_int("colors", colors, checks.MOST_UNITS)
        self.gates = checks.positive_int("gates", gates, checks.MOST_UNITS)
        self.out_colors = masks.color_of_features(filters, colors, gates)

    def build(self, x_shape, context_shape=None):
        rank, self.lora_rank = self.lora_rank, None  # an adapter's weights come last
        super().build(x_shape)
        self.in_colors = masks.color_of_features(x_shape[-1], self.colors)
        # Kept to the rows a causal layer can see; a NumPy constant, never a weight.
        live_rows = self.kernel_size[0] // 2 + 1
        self._mask = masks.causal_mask(
            self.kernel_size, self.in_colors, self.out_colors, self.mask_type
        )[:live_rows]
        self.context_kernel = None
        if context_shape is not None:
            self.context_kernel = self.add_weight(
                name="context_kernel", shape=(context_shape[-1], self.filters)
            )
        if rank:
            self.enable_lora(rank, lora_alpha=self.lora_alpha)

    def convolution_op(self, inputs, kernel):
        kernel = kernel[: len(self._mask)] * ops.cast(self._mask, kernel.dtype)
        if self.kernel_size == (1, 1):
            return ops.matmul(inputs, kernel[0, 0])
        rows, columns = (size // 2 for size in self.kernel_size)
        inputs = ops.pad(inputs, [[0, 0], [rows, 0], [columns, columns], [0, 0]])
        return ops.conv(inputs, kernel, padding="valid", data_format="channels_last")

    def call(self, x, context=None):
        y = self.convolution_op(x, self.kernel)
        added = self.bias if self.use_bias else 0.0
        if self.context_kernel is not None:  # one pass over the map, whatever is added to it
            added = added + ops.matmul(context, self.context_kernel)
        if self.use_bias or self.context_kernel is not None:
            y = y + added
        return self.activation(y)

    def compute_output_shape(self, x_shape, context_shape=None):
        return (*x_shape[:-1], self.filters)

    merged = False  # Keras leaves the context kernel out

    def further_variables(self) -> list:
        return [self.context_kernel]

    def get_config(self):
        config = super().get_config()
        for fixed in ("strides", "dilation_rate", "groups", "padding", "data_format"):
            del config[fixed]
        return {
            **config,
            "mask_type": self.mask_type,
            "colors": self.colors,
            "gates": self.gates,
        }

    def stream(
        self, batch_size: Any, height: int, width: int, context: Tensor | None = None
    ) -> Stream:
        rows, columns = (size // 2 for size in self.kernel_size)
        features = len(self.in_colors)
        context = self.context_rows(context)

        # Once: masked weights, each colour's outputs together, cut per colour.
        far, near, bias = self.stream_weights(context)
        has_above = bool(far)
        spans = color_spans(self.out_colors[self.by_color()])
        far = ops.concatenate(far, axis=0) if has_above else None
        # As large as what it is added to: without XLA a vector takes longer to add.
        bias_of = [
            ops.broadcast_to(bias[..., span], (batch_size, span.stop - span.start))
            for span in spans
        ]

        # Per row: all that finished rows and the context add to each column.
        def above(memory):
            if not has_above:
                return ()
            seen = context.read(memory)
            if rows:
                finished = backend.side_by_side(memory["rows"])
                seen = [geometry.windows(finished, self.kernel_size[1]), *seen]
            return geometry.row_product(backend.side_by_side(seen), far) + bias

        def next_row(state, row, swept):
            memory = context.next(state.memory)
            if rows:
                memory = {**memory, "rows": [*memory["rows"][1:], row]}
            return RowState(above(memory), state.left, memory)

        # Per pixel: `left` is the window of pixels to the left, then this pixel's colours so far.
        def step(x, above, left, color):
            window, so_far = left[: bool(columns)], left[bool(columns) :]
            if self.mask_type == "A":  # `x` is the whole pixel, as far as it is drawn
                visible = near[color].shape[0] - columns * features
                pixel = (x[:, :visible],) if visible else ()
            else:
                pixel = so_far = (*so_far, x)
            seen = (*window, *pixel)
            if not has_above:
                y = bias_of[color]
            else:
                y = above if self.colors == 1 else above[:, spans[color]]
            if seen:  # a 1x1 kernel of type A sees nothing of its first colour's row
                y = backend.product(seen, near[color]) + y
            return self.activation(y), (*window, *so_far)

        def close(x, left):
            window, so_far = left[: bool(columns)], left[bool(columns) :]
            pixel = x if self.mask_type == "A" else backend.side_by_side(so_far)
            if columns > 1:
                pixels = (backend.side_by_side([window[0][:, features:], pixel]),)
            else:
                pixels = (pixel,) * columns
            return pixels, pixel if rows else ()

        def wave(front):
            if not rows:
                return Wave()
            window = WindowAbove(front, rows, self.kernel_size[1], features)
            added = ops.broadcast_to(bias, (batch_size, self.filters))

            def above(memory, arrived, valid):
                memory, seen = window.next(memory, arrived)
                return memory, ops.matmul(backend.side_by_side(seen), far) + added

            return Wave(
                window.memory(), front.zeros(features), above, lambda memory, record: record
            )

        memory = context.first()
        if rows:
            memory["rows"] = [ops.zeros((width, batch_size, features))] * rows
        left = (ops.zeros((batch_size, columns * features)),) if columns else ()
        state = RowState(above(memory), left, memory)
        return Stream(state, step, close=close, next_row=next_row, wave=wave)

    def reach(self, context: Tensor | None = None) -> int | None:
        if self.context_kernel is not None and by_pixel(context):
            return None
        return self.kernel_size[1] // 2

    def stream_weights(self, context: Any) -> tuple[list[Tensor], Any, Tensor]:
        """Masked float32 weights, output features ordered colour by colour.

        Args:
            context: from `context_rows`.

        Returns:
            A list of what finished rows and a context map are multiplied by, `(columns * rows * in,
            filters)` and `(k, filters)`, each only where there is such; for this row one
            `(pixels to the left * in + visible features of the pixel, features of the colour)` per
            colour; and the bias, `(filters,)`, or `(batch, filters)` with a context in it.
        """
        rows, columns = (size // 2 for size in self.kernel_size)
        order = self.by_color()
        kernel, bias = self.masked_weights()
        kernel, bias = ops.take(kernel, order, axis=3), ops.take(bias, order)
        sees = np.less if self.mask_type == "A" else np.less_equal
        near = []
        for color, span in enumerate(color_spans(self.out_colors[order])):
            left = ops.reshape(kernel[rows, :columns, :, span], (-1, span.stop - span.start))
            visible = int(sees(self.in_colors, color).sum())
            near.append(ops.concatenate([left, kernel[rows, columns, :visible, span]], axis=0))
        far = []
        if rows:  # columns first: one window is cut for all rows
            far.append(ops.reshape(ops.swapaxes(kernel[:rows], 0, 1), (-1, self.filters)))
        kernels, bias = self.context_weights(context, bias, order)
        return [*far, *kernels], near, bias

    def pointwise_weights(self) -> tuple[Tensor, list[Tensor], Tensor, list[slice]]:
        """Of a 1x1 convolution of type B without context, output features ordered colour by colour: the
        whole kernel `(in, filters)`; that of `stream_weights` of each colour; the bias; and the
        slice of each colour's outputs."""
        _, near, bias = self.stream_weights(self.context_rows(None))
        order = self.by_color()
        kernel = ops.take(self.masked_weights()[0][0, 0], order, axis=1)
        return kernel, near, bias, color_spans(self.out_colors[order])

    def masked_weights(self) -> tuple[Tensor, Tensor]:
        """Float32 kernel, masked and without the rows below its centre, and bias."""
        kernel = self.kernel_in_float32()[: len(self._mask)] * self._mask
        bias = ops.cast(self.bias, "float32") if self.use_bias else ops.zeros((self.filters,))
        return kernel, bias

    def context_rows(self, context: Tensor | None) -> ContextRows:
        """The context of a stream, as far as this layer reads it."""
        return ContextRows(context if self.context_kernel is not None else None)

    def context_weights(
        self, context: Any, bias: Tensor, order: Any = None
    ) -> tuple[list[Tensor], Tensor]:
        """`ContextRows.weights` of this layer's context kernel, output features in some `order`."""
        if self.context_kernel is None:
            return [], bias
        return context.weights(ops.cast(self.context_kernel, "float32"), bias, order)

    def by_color(self) -> np.ndarray:
        """Order of the output features that puts each colour's together; streams use it."""
        return self.out_colors.argsort(kind="stable")


def color_spans(colors):
    """Slice of each colour's run in a sorted array of colours."""
    starts = np.searchsorted(colors, np.arange(colors[-1] + 2))
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(starts)]
