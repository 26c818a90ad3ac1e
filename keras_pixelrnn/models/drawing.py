"""Drawing any number of images, and completing them."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, overload

import numpy as np
from keras import ops

from keras_pixelrnn import checks, noise
from keras_pixelrnn._types import Array, Number, Seed, Shape
from keras_pixelrnn.completion import complete as particles
from keras_pixelrnn.models import blocks
from keras_pixelrnn.models.variables import check_finite

CONTROLS = ("temperature", "top_k", "top_p")
OF_PARTICLES = ("ess_threshold", "lookahead", "n", "n_particles")


class Drawing:
    """`sample` and `complete` of all models.

    The images are drawn in blocks of one compiled size, the last of them filled up, one block on each
    core at the same time; memory stays that of these blocks. An image depends on its own seed, known
    sub-pixels and context alone. With the same `batch_size` it is the same bit for bit, whatever the
    number of images and in whichever of the methods below. Without one, the size is a power of two, the
    next one where there are few images and 64 where there are many (1,024 on an accelerator; fewer if
    they are large). Between blocks of different size the network's last bits may differ, and a pixel
    with them where its random number lies within 1e-5 of the border between two values.
    """

    def sample(
        self,
        n: int,
        *,
        seed: Seed,
        size: Shape | None = None,
        context: Array | None = None,
        temperature: Number = 1.0,
        top_k: Number | None = None,
        top_p: Number = 1.0,
        batch_size: int | None = None,
        progress: bool | Callable[[int, int], Any] | None = None,
    ) -> np.ndarray:
        """Draw images, exactly and in about the time of one forward pass.

        Args:
            n: number of images.
            seed: int, or an array of `n` ints, one per image. An image depends on its own seed
                alone, whatever the batch it is drawn in.
            size: `(height, width)` where it is not the model's own: see `resized`.
            context: of a conditional model: one for all images, or one for each.
            temperature: log-probabilities are divided by it; below 1 for more likely values. This
                and the next two are each a number, or an array of one number per image.
            top_k: draw only from the k most likely values; 1 is the greedy image.
            top_p: draw only from the most likely values that make up this probability.
            batch_size: images of a block, drawn at a time by one core; None to choose it.
            progress: True for a bar, or a function of the number of images done and of all.

        Returns:
            `(n, height, width, channels)` array, uint8 up to 256 levels and uint16 beyond.

        Raises:
            ValueError: an argument of the wrong shape or outside its range.
        """
        model = self.at_size(size)
        n = checks.drawn(n, model.image_shape)
        controls = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        drawn = model.sample_batches(
            n, seed=seed, context=context, batch_size=batch_size, **controls
        )
        return blocks.gathered(drawn, n, model.image_shape, model.distribution.dtype, progress)

    def sample_batches(
        self,
        n: int,
        *,
        seed: Seed,
        size: Shape | None = None,
        context: Array | None = None,
        temperature: Number = 1.0,
        top_k: Number | None = None,
        top_p: Number = 1.0,
        batch_size: int | None = None,
        xla: bool = True,
    ) -> Iterator[np.ndarray]:
        """What `sample` returns, a block at a time.

        Args, errors: of `sample`, and
            xla: compile with XLA: slower to begin with, faster from then on.

        Yields:
            `(at most batch_size, height, width, channels)` arrays, in order.

        Example:

        >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
        >>> [len(images) for images in model.sample_batches(5, seed=0, batch_size=2)]
        [2, 2, 1]
        """
        n = checks.whole("n", n, 1, checks.MOST_DRAWN)
        checks.switch("xla", xla)
        controls = (temperature, top_k, top_p)
        model = self.at_size(size)
        return model._drawn("sample", n, seed, context, controls, batch_size, xla)

    @overload
    def complete(
        self,
        images: Array,
        known: Array,
        *,
        seed: Seed,
        context: Array | None = None,
        method: Literal["ancestral"] = ...,
        batch_size: int | None = None,
        progress: bool | Callable[[int, int], Any] | None = None,
        **options: Any,
    ) -> np.ndarray: ...

    @overload
    def complete(
        self,
        images: Array,
        known: Array,
        *,
        seed: Seed,
        context: Array | None = None,
        method: Literal["smc"],
        batch_size: int | None = None,
        progress: bool | Callable[[int, int], Any] | None = None,
        **options: Any,
    ) -> particles.Completion: ...

    def complete(
        self,
        images: Array,
        known: Array,
        *,
        seed: Seed,
        context: Array | None = None,
        method: str = "ancestral",
        batch_size: int | None = None,
        progress: bool | Callable[[int, int], Any] | None = None,
        **options: Any,
    ) -> np.ndarray | particles.Completion:
        """Draw the unknown sub-pixels of images.

        By the method "ancestral" each is drawn given all earlier ones: exact p(unknown | known) where
        the known sub-pixels come first in raster order (an upper half, say). Known sub-pixels that
        come later are kept, but do not act back on what is drawn before them: the usual approximation.

        By the method "smc", sequential Monte Carlo, they act back: many completions are drawn side
        by side and weighted by the probability of every known sub-pixel, at many times the cost.

        Args:
            images: `(batch, height, width, channels)` integers; values not `known` do not matter.
            known: boolean, the same shape, or `(height, width)`, `(height, width, channels)` or
                `(batch, height, width)` for all that is left out.
            seed: int, or an array of one int per image.
            context: of a conditional model: one for all images, or one for each.
            method: "ancestral" or "smc".
            batch_size: images of a block, drawn at a time by one core; None to choose it.
            progress: True for a bar, or a function of the number of images done and of all.
            **options: of "ancestral": `temperature`, `top_k` and `top_p`, as of `sample`. Of "smc":
                `n_particles`, `ess_threshold`, `n` and `lookahead`; see
                `keras_pixelrnn.completion.complete.complete`.

        Returns:
            Array like `images`, uint8 or uint16; by "smc" a `keras_pixelrnn.completion.Completion`,
            of which `images` is one part.

        Raises:
            ValueError: wrong shapes, no booleans, a known value outside the levels, or an unknown
                method.
            TypeError: an option that the method does not have.
        """
        if checks.choice("method", method, ("ancestral", "smc")) == "smc":
            wrong = sorted(set(options) - set(OF_PARTICLES))
            if wrong:
                raise TypeError(
                    f"`complete` has no argument {wrong[0]!r} with method='smc', which takes: "
                    f"{', '.join(OF_PARTICLES)}."
                )
            options |= {"batch_size": batch_size, "progress": progress}
            return particles.complete(self, images, known, seed=seed, context=context, **options)
        controls = {name: options.pop(name) for name in CONTROLS if name in options}
        if options:
            raise TypeError(
                f"`complete` has no argument {min(options)!r} with method='ancestral'. Pass "
                "method='smc' for completion by particles."
            )
        drawn = self.complete_batches(
            images, known, seed=seed, context=context, batch_size=batch_size, **controls
        )
        return blocks.gathered(
            drawn, len(images), self.image_shape, self.distribution.dtype, progress
        )

    def complete_batches(
        self,
        images: Array,
        known: Array,
        *,
        seed: Seed,
        context: Array | None = None,
        temperature: Number = 1.0,
        top_k: Number | None = None,
        top_p: Number = 1.0,
        batch_size: int | None = None,
        xla: bool = True,
    ) -> Iterator[np.ndarray]:
        """What `complete` returns by the method "ancestral", a block at a time.

        Args, errors: of `complete`, and
            xla: compile with XLA: slower to begin with, faster from then on.

        Yields:
            `(at most batch_size, height, width, channels)` arrays, in order.
        """
        checks.switch("xla", xla)
        images, known = self.check_completion(images, known)
        controls = (temperature, top_k, top_p)

        def given(rows):
            return checks.given(images[rows], known[rows], self.distribution.dtype)

        return self._drawn(
            "complete", len(images), seed, context, controls, batch_size, xla, given, known
        )

    def _drawn(self, name, n, seed, context, controls, batch_size, xla, *images):
        given = self.context.check(context, n)
        controls = checks.controls(n, self.distribution.levels, *controls)
        if controls is not None:
            name += "_with"
        seeds = noise.image_seeds(seed, n)
        size = blocks.drawing_size(self, n, batch_size)

        def uniform(rows):
            return ops.convert_to_numpy(noise.uniform(seeds[rows], self.image_shape))

        arrays = [*images, uniform, *(controls or ()), *given]
        return self._checked(self._functions.in_blocks(name, arrays, size, n, xla=xla))

    def _checked(self, found):
        for image, nats in found:
            self.check_drawn(nats)
            yield image

    def check_drawn(self, nats: np.ndarray, lookahead: Any = None) -> None:
        """`ValueError` where the nats of values drawn are nan: the values are all 0 then. A
        `lookahead` that they were drawn by may be the cause."""
        if count := np.isnan(nats).sum():
            check_finite(self, "this model")
            if lookahead is not None:
                check_finite(lookahead, "the look-ahead")
            who = "this model" if lookahead is None else "this model with the look-ahead"
            raise ValueError(
                f"The probabilities of {who} are no numbers: its weights are too large for its "
                f"dtype policy, {self.dtype_policy.name}. Train it anew, with a lower learning rate, or "
                f"take weights from before. Received: nan for {count} values drawn"
            )
