"""A model run sub-pixel by sub-pixel, with the value of each decided outside of it.

The same loop as `raster`, driven from here: the network's steps are compiled, the loop is not, because
what decides a value, a range decoder, runs on the host.
"""

import numpy as np
from keras import ops, tree

from keras_pixelrnn import backend, raster
from keras_pixelrnn.models.multi_scale_network import MultiScaleNetwork


def order(model):
    """Numbers of an image's pixels, `row * width + column`, in the order in which they are decided."""
    return np.concatenate([pixels for _, pixels in _plan(model)])


def _plan(model):
    """The networks that run one after the other, each with the pixels that it decides, `(n,)` ints, as
    they lie in the image."""
    height, width, _ = model.image_shape
    pixels = np.arange(height * width)
    if not isinstance(model.network, MultiScaleNetwork):
        return [(model.network, pixels)]
    factor = model.network.factor
    rows, columns = np.divmod(pixels, width)
    small = (rows % factor == 0) & (columns % factor == 0)
    return [(model.network.coarse, pixels[small]), (model.network.fine, pixels[~small])]


def steps_of(model, xla):
    """`Steps` of each network of a model, compiled when first used and kept with the model."""
    variables = model.variables
    kept = vars(model).setdefault(
        "_codec_steps", {}
    )  # not tracked: of the process, not of the file
    old = kept.get("variables", ())
    if len(old) != len(variables) or any(a is not b for a, b in zip(old, variables, strict=True)):
        kept.clear()  # the network is another one
        kept["variables"] = variables
    if xla not in kept:
        kept[xla] = [Steps(model, network, xla) for network, _ in _plan(model)]
    return kept[xla]


def decide(model, count, given, choose, xla=True):
    """Images, every sub-pixel of which is decided by `choose`.

    Args:
        model: a `PixelModel`.
        count: number of images, run together.
        given: tuple of the context `(count, ...)`, or empty.
        choose: from `(count, levels)` nats to `(count,)` ints; called for each sub-pixel, in the order
            of `order`, channel by channel.
        xla: compile the steps with XLA.

    Returns:
        `(count, height, width, channels)` float32 array of whole numbers.
    """
    height, width, channels = model.image_shape
    images = np.zeros((count, height * width, channels), np.float32)
    for steps, (_, pixels) in zip(steps_of(model, xla), _plan(model), strict=True):
        whole = images.reshape(count, height, width, channels)
        run = _Run(steps, whole, given)
        rows, columns = steps.places(height, width)
        decided = set(pixels.tolist())
        for row in rows:
            for column in columns:
                pixel = row * width + column
                run.pixel(images[:, pixel], choose if pixel in decided else None)
            run.next_row()
    return images.reshape(count, height, width, channels)


class Steps:
    """The compiled steps of one network of a model.

    Args:
        model: a `PixelModel`.
        network: one causal layer of it.
        xla: compile with XLA.
    """

    def __init__(self, model, network, xla):
        self._network, self._whole = network, model.network
        self._context, self.distribution = model.context, model.distribution
        self._coarse = network is not model.network and network is model.network.coarse
        self.scaled = isinstance(model.network, MultiScaleNetwork)
        height, width, self.channels = model.image_shape
        if self._coarse:
            height, width = -(-height // self._whole.factor), -(-width // self._whole.factor)
        self.height, self.width = height, width
        variables = model.variables
        self.context = backend.compiled(self._context_graph, variables, xla)
        self.start = backend.compiled(self._start_graph, variables, xla)
        self.close = backend.compiled(self._close_graph, variables, xla)
        self.next_row = backend.compiled(self._next_row_graph, variables, xla)
        self.step = [
            backend.compiled(self._step_graph(channel), variables, xla)
            for channel in range(self.channels)
        ]

    def places(self, height, width):
        """Rows and columns of the image that the network runs over."""
        factor = self._whole.factor if self._coarse else 1
        return range(0, height, factor), range(0, width, factor)

    def _context_graph(self, images, *given):
        """What the network is told, as a tuple of a map or of nothing, of images as far as known."""
        context = self._context.map(*given)
        if self.scaled and self._coarse:
            context = self._whole.coarse_context(context)
        elif self.scaled:
            small = self.distribution.network_input(self._whole.reduce(images))
            context = self._whole.fine_context(small, context)
        return () if context is None else (context,)

    def _stream(self, values, context):
        batch = ops.shape(values)[0]
        return self._network.stream(batch, self.height, self.width, *context)

    def _start_graph(self, values, *context):
        return self._stream(values, context).state

    def _close_graph(self, values, left, *context):
        pixel = ops.cast(self.distribution.network_input(values), "float32")
        return self._stream(values, context).close(pixel, left)

    def _next_row_graph(self, values, state, row, *context):
        stream = self._stream(values, context)
        return stream.next_row(state, row, iter(raster.sweep_back(stream)(state, row)))

    def _step_graph(self, channel):
        distribution, channels = self.distribution, self.channels
        size = distribution.params_size(channels)

        def step(values, params, above, left, column, *context):
            """Nats of all values, and the parameters so far and `left` for the next channel."""
            if channel == 0 or distribution.masks_channels:
                above = tree.map_structure(lambda leaf: ops.take(leaf, column, axis=0), above)
                seen = ops.cast(distribution.network_input(values), "float32")
                seen = ops.where(np.arange(channels) < channel, seen, 0.0)
                stream = self._stream(values, context)
                own, left = stream.step(seen, above, left, channel)
                params = ops.concatenate([params, own], axis=-1) if channel else own
            known = params  # the parameters of later colours are not, and do not matter
            if params.shape[-1] < size:
                known = ops.pad(params, [[0, 0], [0, size - params.shape[-1]]])
            return distribution.log_pmf(known, values, channel), params, left

        return step


class _Run:
    """One run of a network over a batch of images."""

    def __init__(self, steps, images, given):
        self._steps = steps
        self._blank = np.zeros((len(images), steps.channels), np.float32)
        self._context = steps.context(images, *given)
        self._state = steps.start(self._blank, *self._context)
        self._begin()

    def _begin(self):
        self._left, self._records = self._state.left, []

    def pixel(self, values, choose):
        """Fills in `values (batch, channels)`, or reads them where there is nothing to choose."""
        steps, params, context = self._steps, self._blank, self._context
        column = np.array(len(self._records), np.int32)
        for channel, step in enumerate(steps.step):
            log_pmf, params, self._left = step(
                values.copy(), params, self._state.above, self._left, column, *context
            )
            if choose is not None:
                values[:, channel] = choose(ops.convert_to_numpy(log_pmf))
        self._left, record = steps.close(values.copy(), self._left, *context)
        self._records.append(record)

    def next_row(self):
        row = tree.map_structure(lambda *parts: ops.stack(parts), *self._records)
        self._state = self._steps.next_row(self._blank, self._state, row, *self._context)
        self._begin()
