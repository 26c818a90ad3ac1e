"""The convolution of the vertical stack."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_pixelrnn import checks, geometry
from keras_pixelrnn.layers.causal import ContextRows
from keras_pixelrnn.layers.strict import StrictLayer


@keras.saving.register_keras_serializable("keras_pixelrnn")
class VerticalConv2D(StrictLayer, keras.layers.Layer):
    """Convolution that sees the `rows` rows above a pixel, `columns` wide, colours and all.

    Args:
        filters: number of output features.
        rows: rows seen, the lowest of which is the pixel's own, or else the one above it.
        columns: odd number.
        own_row: whether the pixel's own row is the lowest. For maps that already hide it.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: `(batch, height, width, features)`.
        context: optional `(batch, height, width, k)` or `(batch, 1, 1, k)`, seen at every
            pixel through a 1x1 kernel.

    Output shape:
        `(batch, height, width, filters)`.

    Example:

    >>> VerticalConv2D(8, rows=2, columns=3, own_row=True)(keras.ops.ones((2, 5, 6, 4))).shape
    TensorShape([2, 5, 6, 8])
    """

    def __init__(self, filters: int, rows: int, columns: int, *, own_row: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = checks.positive_int("filters", filters, checks.MOST_FEATURES)
        self.rows = checks.positive_int("rows", rows, checks.MOST_KERNEL)
        self.columns = checks.odd("columns", columns)
        self.own_row = checks.switch("own_row", own_row)

    def build(self, x_shape, context_shape=None):
        self.kernel = self.add_weight(
            name="kernel", shape=(self.rows, self.columns, x_shape[-1], self.filters)
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        self.context_kernel = None
        if context_shape is not None:
            self.context_kernel = self.add_weight(
                name="context_kernel", shape=(context_shape[-1], self.filters)
            )

    def call(self, x, context=None):
        height, half = x.shape[1], self.columns // 2
        x = ops.pad(x, [[0, 0], [self.rows - self.own_row, 0], [half, half], [0, 0]])
        y = ops.conv(x, self.kernel, padding="valid", data_format="channels_last")
        added = self.bias
        if self.context_kernel is not None:
            added = added + ops.matmul(context, self.context_kernel)
        return y[:, :height] + added

    def by_row(self, context: ContextRows) -> Callable:
        """A function `(rows, seen) -> y`, one row of the output, float32, its weights cut once.

        `context` is a `ContextRows`; `rows` a list of the `rows` rows seen, `(width, batch, features)`,
        from the top; `seen` what `context` reads at this row.
        """
        kernel, bias = self._weights(context)

        def run(rows, seen):
            window = geometry.windows(ops.concatenate(rows, axis=-1), self.columns)
            return geometry.row_product(ops.concatenate([window, *seen], axis=-1), kernel) + bias

        return run

    def by_pixel(self, context: ContextRows, batch_size: Any) -> Callable:
        """A function of a window to one pixel of the output, `(batch, filters)`, its weights cut once.

        The window is a list of `(batch, ..)` tensors: columns from the left, in each its rows from the
        top. `context` is the same at every pixel.
        """
        kernel, bias = self._weights(context)
        bias = ops.broadcast_to(bias, (batch_size, self.filters))
        return lambda window: ops.matmul(ops.concatenate(window, axis=-1), kernel) + bias

    def _weights(self, context):
        """Kernel `(columns * rows * features + k, filters)` and bias, float32."""
        kernel = ops.swapaxes(ops.cast(self.kernel, "float32"), 0, 1)  # one window for all rows
        kernel, bias = ops.reshape(kernel, (-1, self.filters)), ops.cast(self.bias, "float32")
        if self.context_kernel is not None:
            of_map, bias = context.weights(ops.cast(self.context_kernel, "float32"), bias)
            kernel = ops.concatenate([kernel, *of_map], axis=0)
        return kernel, bias

    def get_config(self):
        names = ("filters", "rows", "columns", "own_row")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
