"""The two stacks of the Gated PixelCNN."""

from typing import Any

import keras
from keras import ops

from keras_pixelrnn import checks, geometry
from keras_pixelrnn._types import Tensor
from keras_pixelrnn.layers.adapted import Dense
from keras_pixelrnn.layers.causal import CausalLayer, RowState, Stream, by_pixel
from keras_pixelrnn.layers.dropout import Dropout
from keras_pixelrnn.layers.masked_conv import MaskedConv2D, color_spans
from keras_pixelrnn.layers.vertical_conv import VerticalConv2D
from keras_pixelrnn.layers.wave import Wave, WindowAbove


def gate(z):
    """`tanh` of the first half of the features times the sigmoid of the second."""
    content, gates = ops.split(z, 2, axis=-1)
    return ops.tanh(content) * ops.sigmoid(gates)


@keras.saving.register_keras_serializable("keras_pixelrnn")
class GatedStacks(CausalLayer):
    """Vertical and horizontal stack of gated convolutions: all earlier pixels and no blind spot.

    Van den Oord et al. 2016, "Conditional Image Generation with PixelCNN Decoders" (arXiv 1606.05328),
    sections 2.2 to 2.4 and figure 2. The vertical map at a row knows the rows above it; the horizontal
    one adds what is to the left. While images are drawn the whole vertical stack runs once a row.

    Args:
        units: number of features p of each stack.
        num_blocks: number of layers of each, the first of which reads the image.
        colors: number of colour groups of the horizontal stack.
        kernel_size: of the first layer, odd, 3 or more: `kernel_size // 2` rows above, and columns.
        dropout: rate of the gated features of the horizontal stack dropped in training.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: `(batch, height, width, channels)` scaled images.
        context: optional `(batch, height, width, k)` or `(batch, 1, 1, k)`, added before the gates.

    Output shape:
        `(batch, height, width, units)`.

    Raises:
        ValueError: an argument outside its range, an even `kernel_size` for example.

    Example:

    >>> GatedStacks(16, num_blocks=2)(keras.ops.ones((2, 5, 6, 1))).shape
    TensorShape([2, 5, 6, 16])
    """

    mask_type = "A"

    def __init__(
        self,
        units: int,
        num_blocks: int,
        *,
        colors: int = 1,
        kernel_size: int = 7,
        dropout: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        # The vertical stack sees the kernel_size // 2 rows above, which have to be some.
        self.kernel_size = kernel_size = checks.odd("kernel_size", kernel_size, low=3)
        self.units = units = checks.positive_int("units", units, checks.MOST_UNITS)
        self.num_blocks = checks.positive_int("num_blocks", num_blocks, checks.MOST_BLOCKS)
        self.colors = checks.positive_int("colors", colors, checks.MOST_UNITS)
        dropout = checks.rate("dropout", dropout)
        self.dropout = Dropout(dropout, dtype=self.dtype_policy)
        options = {"colors": colors, "dtype": self.dtype_policy}
        self.vertical, self.link, self.horizontal, self.out = [], [], [], []
        for index in range(num_blocks):
            first = index == 0
            size = kernel_size if first else 3
            self.vertical.append(
                VerticalConv2D(
                    2 * units,
                    rows=size // 2 if first else 2,
                    columns=size,
                    own_row=not first,
                    dtype=self.dtype_policy,
                    name=f"vertical_{index}",
                )
            )
            self.link.append(
                Dense(2 * units, use_bias=False, dtype=self.dtype_policy, name=f"link_{index}")
            )
            self.horizontal.append(
                MaskedConv2D(
                    2 * units,
                    (1, size),
                    mask_type="A" if first else "B",
                    gates=2,
                    name=f"horizontal_{index}",
                    **options,
                )
            )
            self.out.append(MaskedConv2D(units, 1, mask_type="B", name=f"out_{index}", **options))

    def build(self, x_shape, context_shape=None):
        features = (*x_shape[:-1], self.units)
        gates = (*x_shape[:-1], 2 * self.units)
        for index in range(self.num_blocks):
            seen = x_shape if index == 0 else features
            self.vertical[index].build(seen, context_shape)
            self.horizontal[index].build(seen, context_shape)
            self.link[index].build(gates)
            self.out[index].build(features)

    def call(self, x, context=None):
        vertical = horizontal = x
        for index in range(self.num_blocks):
            above = self.vertical[index](vertical, context)
            vertical = gate(above)
            z = self.horizontal[index](horizontal, context) + self.link[index](above)
            y = self.out[index](self.dropout(gate(z)))
            horizontal = y if index == 0 else horizontal + y
        return horizontal

    def compute_output_shape(self, x_shape, context_shape=None):
        return (*x_shape[:-1], self.units)

    def get_config(self):
        names = ("units", "num_blocks", "colors", "kernel_size")
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own, "dropout": self.dropout.rate}

    def stream(
        self, batch_size: Any, height: int, width: int, context: Tensor | None = None
    ) -> Stream:
        # Once.
        children = [*self.horizontal, *self.out]
        streams = [child.stream(batch_size, height, width, context) for child in children]
        order = self.horizontal[0].by_color()
        spans = color_spans(self.horizontal[0].out_colors[order])
        kernels = [ops.take(link.kernel_in_float32(), order, axis=1) for link in self.link]
        context = self.horizontal[0].context_rows(context)
        vertical = [layer.by_row(context) for layer in self.vertical]

        # Per row: `memory["seen"]` holds, for each vertical layer, the rows that it still has to see.
        def vertical_row(memory):
            here = context.read(memory)
            rows, seen, above = memory["seen"][0], [memory["seen"][0][1:]], []
            for index, run in enumerate(vertical):
                z = run(rows, here)
                above.append(geometry.row_product(z, kernels[index]))
                if index + 1 < self.num_blocks:
                    below = gate(z)
                    rows = [*memory["seen"][index + 1], below]
                    seen.append([below])
            return above, {**memory, "seen": seen}

        def close(x, left):
            return [s.close(x, part)[0] for s, part in zip(streams, left, strict=True)], x

        def next_row(state, row, swept):
            memory = context.next(state.memory)
            first, *later = memory["seen"]
            links, memory = vertical_row({**memory, "seen": [[*first, row], *later]})
            child_states = [
                s.next_row(RowState(*parts), (), swept)
                for s, *parts in zip(
                    streams, state.above["children"], state.left, memory["children"], strict=True
                )
            ]
            return join(links, child_states, memory)

        def join(links, child_states, memory):
            return RowState(
                {"link": links, "children": [child.above for child in child_states]},
                [child.left for child in child_states],
                {**memory, "children": [child.memory for child in child_states]},
            )

        # Per pixel.
        def step(x, above, left, color):
            left = list(left)

            def run(index, x):
                y, left[index] = streams[index].step(
                    x, above["children"][index], left[index], color
                )
                return y

            for index in range(self.num_blocks):
                link = above["link"][index]
                z = run(index, x) + (link if self.colors == 1 else link[:, spans[color]])
                y = run(self.num_blocks + index, gate(z))
                x = y if index == 0 else x + y
            return x, left

        channels = self.horizontal[0].in_colors.size
        blank = [[ops.zeros((width, batch_size, channels))] * (self.kernel_size // 2)]
        blank += [[ops.zeros((width, batch_size, self.units))] for _ in self.vertical[1:]]
        links_above, memory = vertical_row({**context.first(), "seen": blank})
        state = join(links_above, [s.state for s in streams], memory)

        # As a wavefront: each vertical layer works a column further right than the one that reads it.
        lead = self.lead

        def wave(front):
            image = WindowAbove(front, self.kernel_size // 2, self.kernel_size, channels, lead)
            # Of a map there arrives a column further right than the middle of the window that reads it.
            windows = [WindowAbove(front, 1, 3, self.units, ahead=-1) for _ in range(lead)]
            first, *later = [layer.by_pixel(context, batch_size) for layer in self.vertical]

            def above(memory, arrived, valid):
                image_memory, seen = image.next(memory["image"], arrived["image"])
                z, maps, kept, links = first(seen), [], [], []
                for index in range(self.num_blocks):
                    late = memory["links"][index]
                    links.append((geometry.row_product(z, kernels[index]), *late))
                    if index == lead:
                        break
                    window, own = memory["maps"][index]
                    maps.append(gate(z) * valid[lead - index])
                    window, seen = windows[index].next(window, arrived["maps"][index])
                    own = (*own, maps[-1])
                    kept.append((window, own[1:]))
                    z = later[index]([x for pair in zip(seen, own, strict=True) for x in pair])
                memory = {"image": image_memory, "maps": kept, "new": maps}
                memory["links"] = [late[:-1] for late in links]
                here = {"link": [late[-1] for late in links], "children": [()] * len(children)}
                return memory, here

            maps = list(front.zeros(self.units, lead))
            memory = {
                "image": image.memory(),
                "maps": [(window.memory(), front.zeros(self.units, 2)) for window in windows],
                "links": [front.zeros(2 * self.units, lead - index) for index in range(lead + 1)],
                "new": maps,
            }
            return Wave(
                memory,
                {"image": front.zeros(channels), "maps": maps},
                above,
                lambda memory, record: {"image": record, "maps": memory["new"]},
            )

        return Stream(state, step, close=close, next_row=next_row, wave=wave)

    @property
    def lead(self) -> int:
        return self.num_blocks - 1

    def reach(self, context: Tensor | None = None) -> int | None:
        told = self.horizontal[0].context_kernel is not None
        return None if told and by_pixel(context) else self.lead + self.kernel_size // 2
