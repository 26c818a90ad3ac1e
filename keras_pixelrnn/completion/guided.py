"""A model and its look-ahead as one network that draws by both and scores by the model alone."""

from keras import ops

from keras_pixelrnn.layers.causal import join_states, joined, split_state


class GuidedNetwork:
    """Runs two causal networks side by side; parameters are the model's, then the correction.

    Args:
        model, lookahead: causal layers.
    """

    def __init__(self, model, lookahead):
        self._networks = (model, lookahead)

    def stream(self, batch_size, height, width, context=None):
        """A `Stream`; `context` is a pair, one for each network."""
        streams = [
            network.stream(batch_size, height, width, own)
            for network, own in zip(self._networks, context, strict=True)
        ]

        def run(x, apply):
            return ops.concatenate([apply(0, x), apply(1, x)], axis=-1)

        return joined(streams, run)

    def unguided(self, batch_size, height, width, context=None):
        """The same without the look-ahead, whose state stays and whose correction is 0: for rows below
        which nothing is drawn."""
        stream = self._networks[0].stream(batch_size, height, width, context[0])

        def step(x, above, left, color):
            params, new = stream.step(x, above[0], left[0], color)
            return ops.concatenate([params, ops.zeros_like(params)], axis=-1), [new, left[1]]

        def close(x, left):
            new, record = stream.close(x, left[0])
            return [new, left[1]], record

        def next_row(state, row, swept):
            own, other = split_state(state)
            return join_states([stream.next_row(own, row, swept), other])

        return stream._replace(
            step=step,
            close=close,
            row_inputs=lambda state, row: stream.row_inputs(split_state(state)[0], row),
            next_row=next_row,
        )


class GuidedDistribution:
    """Draws from a distribution with corrected parameters, scores with the model's own.

    Args:
        distribution: a `PixelDistribution`.
        channels: of an image.
    """

    def __init__(self, distribution, channels):
        self._distribution = distribution
        # Where the network hides colours from each other, parameters come colour by colour.
        self._turns = channels if distribution.masks_channels else 1
        self.network_input = distribution.network_input
        self.levels, self.masks_channels = distribution.levels, distribution.masks_channels

    def params_size(self, channels):
        return 2 * self._distribution.params_size(channels)

    def log_prob(self, params, image):
        """Nats of `image` under the model."""
        return self._distribution.log_prob(self._split(params)[0], image)

    def log_proposal(self, params, image):
        """Nats of `image` under what is drawn from."""
        return self._distribution.log_prob(sum(self._split(params)), image)

    def draw(self, params, pixel, channel, u):
        return self._distribution.draw(sum(self._split(params)), pixel, channel, u)

    def drawer(self, channels):
        start = self._distribution.drawer(channels)
        return lambda params: start(sum(self._split(params)))

    def _split(self, params):
        places = ops.shape(params)[:-1]  # the batch may come second, and is not known in an export
        each = params.shape[-1] // (2 * self._turns)
        if self._turns == 1:
            return ops.split(params, 2, axis=-1)
        params = ops.reshape(params, (*places, self._turns, 2, each))
        size = self._turns * each
        return [ops.reshape(params[..., index, :], (*places, size)) for index in (0, 1)]
