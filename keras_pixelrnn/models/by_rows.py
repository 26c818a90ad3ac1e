"""Completing images some rows at a time, for whoever watches."""

from collections.abc import Iterator

import numpy as np
from keras import ops

from keras_pixelrnn import backend, checks, growing, noise
from keras_pixelrnn._types import Array, Number, Seed, Tensor
from keras_pixelrnn.layers.causal import CausalLayer


class ByRows:
    """`complete_rows` of all models whose rows depend on the rows above alone."""

    def complete_rows(
        self,
        images: Array,
        known: Array,
        *,
        seed: Seed,
        rows: int = 1,
        context: Array | None = None,
        temperature: Number = 1.0,
        top_k: Number | None = None,
        top_p: Number = 1.0,
        xla: bool = True,
    ) -> Iterator[np.ndarray]:
        """The images of `complete`, from the top downwards, each part as soon as it is drawn.

        The next rows are drawn when they are asked for: whoever stops asking stops the work.

        Args:
            images, known, seed, context, temperature, top_k, top_p: of `complete`; all images are
                drawn together, in one block.
            rows: how many are drawn at a time.
            xla: compile with XLA: slower to begin with, faster from then on.

        Yields:
            `(batch, at most rows, width, channels)` arrays, which make up the images.

        Raises:
            ValueError: what `complete` refuses; `rows` is not positive; a model whose rows do not
                depend on the rows above alone (see `has_rows`).

        Example:

        >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
        >>> known = np.zeros((8, 8), bool)
        >>> parts = model.complete_rows(images[:2], known, seed=0, rows=3)
        >>> [part.shape for part in parts]
        [(2, 3, 8, 1), (2, 3, 8, 1), (2, 2, 8, 1)]
        """
        rows = checks.positive_int("rows", rows)
        checks.switch("xla", xla)
        if not self.has_rows:
            raise ValueError(
                "`complete_rows` is for models whose rows depend on the rows above alone: not for "
                "context maps, nor for multi-scale models. Use `complete`."
            )
        images, known = self.check_completion(images, known)
        images = checks.given(images, known, self.distribution.dtype)
        given = self.context.check(context, len(images))
        controls = checks.controls(len(images), self.distribution.levels, temperature, top_k, top_p)
        return self._by_rows(
            images, known, noise.image_seeds(seed, len(images)), rows, given, controls, xla
        )

    def _by_rows(self, images, known, seeds, rows, given, controls, xla):
        height, count = self.image_shape[0], len(images)
        rows = min(rows, height)
        uniform = ops.convert_to_numpy(noise.uniform(seeds, self.image_shape))
        draw = self._functions("complete_rows" if controls is None else "complete_rows_with", xla)
        state = np.zeros((count, self.row_state_size_for(xla)), np.float32)
        for first in range(0, height, rows):
            # The last part is filled up with its last row, which is not shown.
            places = np.minimum(np.arange(first, first + rows), height - 1)
            maps = [x[:, places] for x in (images, known, uniform)]
            row = np.full(count, first, np.int32)
            image, _, state = draw(*maps, row, state, *(controls or ()), *given)
            yield ops.convert_to_numpy(image)[:, : height - first]

    def sample_rows_graph(
        self, uniform: Tensor, row: Tensor, state: Tensor, *given: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same as of `complete_rows_graph` where nothing is known."""
        uniform, row, state = self._tensors(rows=True, uniform=uniform, row=row, state=state)
        context = self.context.map(*given)
        return growing.sample_rows(self.network, self.distribution, uniform, row, state, context)

    def complete_rows_graph(
        self,
        images: Tensor,
        known: Tensor,
        uniform: Tensor,
        row: Tensor,
        state: Tensor,
        *given: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The next rows of images, the nats of each sub-pixel drawn, and the state for the rows below.

        Args:
            images, known, uniform: `(batch, rows, width, channels)` of these rows.
            row: `(batch,)` int32, the first of them.
            state: `(batch, row_state_size)` float32, of the rows above; at row 0 anything finite.
        """
        rows = self._tensors(
            rows=True, images=images, known=known, uniform=uniform, row=row, state=state
        )
        context = self.context.map(*given)
        return growing.complete_rows(self.network, self.distribution, *rows, context)

    def complete_rows_with_graph(
        self,
        images: Tensor,
        known: Tensor,
        uniform: Tensor,
        row: Tensor,
        state: Tensor,
        temperature: Tensor,
        top_k: Tensor,
        top_p: Tensor,
        *given: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same under sampling controls `(batch,)`; nats are still those of the model itself."""
        *rows, temperature, top_k, top_p = self._tensors(
            rows=True,
            images=images,
            known=known,
            uniform=uniform,
            row=row,
            state=state,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )
        context, controls = self.context.map(*given), (temperature, top_k, top_p)
        return growing.complete_rows(self.network, self.distribution, *rows, context, controls)

    @property
    def has_rows(self) -> bool:
        """Whether rows depend on the rows above alone: not with a context that differs from row to row,
        nor where a small image comes first."""
        return self.row_state_size is not None

    @property
    def row_state_size(self) -> int | None:
        """Numbers that the rows above mean to the next one, for one image, without XLA; None where
        `has_rows` is False."""
        return self.row_state_size_for(xla=False)

    def row_state_size_for(self, xla: bool) -> int | None:
        """The same with XLA or without, which sum up finished rows in different ways."""
        if not isinstance(self.network, CausalLayer):  # two networks, of different maps
            return None
        given = []
        if self.context.given:
            given = [ops.zeros([1, *self.context.shape], self.context.dtype)]
        with backend.tracing(xla):
            return growing.state_size(self.network, self.image_shape, self.context.map(*given))
