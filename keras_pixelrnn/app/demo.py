"""What the page does, without the page: examples to begin with, and completions that grow."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from keras_pixelrnn import visualize
from keras_pixelrnn.app import canvas
from keras_pixelrnn.models import PixelModel

FRAMES = 24
PICTURE = 168  # pixels of a picture in the grid, about
EACH = "each in turn"  # instead of a label


class Shown(NamedTuple):
    """One frame: RGB uint8 of the completions, of their nats once they are whole, and what to say."""

    pictures: np.ndarray
    nats: np.ndarray | None
    text: str


class Demo:
    """A model behind the page.

    Args:
        model: a `PixelModel` of grey or RGB images, conditional on nothing or on a label.
        count: completions at a time.

    Raises:
        ValueError: a model that the page has no means for.
    """

    def __init__(self, model: PixelModel, count: int = 4):
        self.model, self.count = model, count
        self.levels, self.classes = model.distribution.levels, model.context.num_classes
        canvas.check_model(model.image_shape, self.levels)
        if model.context.given and self.classes is None:
            raise ValueError(
                f"This model is conditional {model.context}, which the page cannot give; use it from "
                "Python."
            )

    def labels(self) -> list[str]:
        """What can be chosen; nothing where the model is not conditional."""
        return [EACH, *map(str, range(self.classes))] if self.classes else []

    def example(self, seed: int, temperature: float = 1.0, label: str | None = None) -> np.ndarray:
        """A canvas with an image that the model drew, its lower half hidden."""
        image = self.model.sample(
            1, seed=_seed(seed), temperature=temperature, **self._context(label, 1)
        )[0]
        known = np.zeros(image.shape[:2], bool)
        known[: len(image) // 2] = True
        return canvas.paint(image, known, self.levels)

    def empty(self) -> np.ndarray:
        """A canvas with everything hidden."""
        shape = self.model.image_shape
        return canvas.paint(np.zeros(shape, np.uint8), np.zeros(shape[:2], bool), self.levels)

    def complete(
        self,
        painted: dict[str, Any],
        seed: int,
        temperature: float = 1.0,
        label: str | None = None,
    ) -> Iterator[Shown]:
        """Completions of what is painted, as they grow.

        They are those of `model.complete(..., seed=seed, temperature=temperature)`. Each frame but the
        last shows what has been drawn when it is asked for (`model.complete_rows`); those of a model
        that cannot draw by rows are drawn at once, and appear in the order in which they were drawn.

        Args:
            painted: "background" and "layers" of the canvas, RGBA.
            seed, temperature: of `model.complete`.
            label: of `labels()`.

        Raises:
            ValueError: nothing is hidden, or an argument does not fit.
        """
        image, known = canvas.read(
            painted["background"], painted["layers"], self.model.image_shape, self.levels
        )
        if known.all():
            raise ValueError(
                "Nothing is hidden, so there is nothing to draw: paint over a part with the pink brush."
            )
        images = np.repeat(np.where(known[..., None], image, 0)[None], self.count, axis=0)
        context = self._context(label, self.count)
        options = {"seed": _seed(seed), "temperature": temperature, **context}
        if self.model.has_rows:
            said = "Drawn row by row: this is as far as it is."
            yield Shown(self._grid(images, known), None, said)
            took, below = 0.0, 0
            for part, seconds in _timed(self._parts(images, known, options)):
                first, below, took = below, below + part.shape[1], took + seconds
                images[:, first:below] = part
                if not known[first:below].all():
                    seen = known | (np.arange(len(known)) < below)[:, None]
                    yield Shown(self._grid(images, seen), None, said)
            said = f"Drawn in {took:.2f} s."
        else:
            begun = time.perf_counter()
            images = self.model.complete(images, known, **options)
            took = time.perf_counter() - begun
            said = f"Drawn at once in {took:.2f} s, shown in the order of drawing."
            for seen in self._growing(known):
                yield Shown(self._grid(images, seen), None, said)
        nats = self.model.nats_map(images, **context)
        totals = ", ".join(f"{total:.1f}" for total in nats.sum(axis=(1, 2, 3)))
        highest = float(-nats.sum(axis=-1).min())
        said += (
            f" log p of each image: {totals} nats. White on the map: {highest:.2f} nats a pixel."
        )
        yield Shown(self._grid(images), self._tiled(visualize.nats_map(nats, top=highest)), said)

    def warm_up(self) -> None:
        """Compile what the page runs, so that the first person does not wait for it."""
        painted = {"background": self.example(0), "layers": []}
        for temperature in (1.0, 0.9):
            for _ in self.complete(painted, 0, temperature):
                pass

    def _parts(self, images, known, options):
        """Rows of completions, each part when it is asked for."""
        rows = max(1, len(known) // FRAMES)
        return self.model.complete_rows(images, known, rows=rows, **options)

    def _growing(self, known):
        """What can be seen of images drawn at once, `(height, width)` booleans, frame by frame, but for
        the last: all of it."""
        order = np.arange(known.size).reshape(known.shape)
        factor = getattr(self.model, "factor", None)
        if factor:  # the small image comes first
            order[::factor, ::factor] -= known.size
        hidden = np.sort(order[~known])
        for count in np.unique(np.linspace(0, len(hidden), FRAMES).astype(int))[:-1]:
            yield known | (order < hidden[count])

    def _grid(self, images, seen=True):
        rgb = visualize.to_rgb(images, self.levels)
        return self._tiled(np.where(np.asarray(seen)[..., None], rgb, visualize.UNKNOWN))

    def _tiled(self, pictures):
        factor = max(1, PICTURE // max(self.model.image_shape[:2]))
        return visualize.grid(pictures.astype(np.uint8), scale=factor)

    def _context(self, label, n):
        if not self.classes:
            return {}
        each = label in (None, EACH)
        return {"context": np.arange(n) % self.classes if each else np.full(n, int(label))}


def _timed(parts):
    """What an iterator yields, each with the seconds it took."""
    begun = time.perf_counter()
    for part in parts:
        yield part, time.perf_counter() - begun
        begun = time.perf_counter()


def _seed(seed):
    """The number in the field, which may be empty or hold a fraction."""
    if seed is None or seed != int(seed) or seed < 0:
        raise ValueError(f"The seed must be a whole number from 0 on. Received: {seed}")
    return int(seed)
