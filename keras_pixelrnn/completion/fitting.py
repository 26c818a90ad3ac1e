"""Training a look-ahead with its model frozen."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import checks
from keras_pixelrnn._types import Array
from keras_pixelrnn.completion.lookahead import Lookahead, check_fits, check_guidable
from keras_pixelrnn.distributions.base import HoldsDistribution

# Bytes of the model's parameters for all training images, up to which they are computed just once.
MOST_BYTES = 2**30


def fit_lookahead(
    model: keras.Model,
    images: Array,
    *,
    context: Array | None = None,
    known: Callable[..., np.ndarray] | None = None,
    lookahead: Lookahead | None = None,
    epochs: int = 10,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
    seed: int = 0,
    verbose: Any = "auto",
    **sizes: int,
) -> Lookahead:
    """Train a look-ahead for completion by particles. The model does not change.

    It learns to draw each unknown sub-pixel given the earlier ones and all known ones, by maximum
    likelihood on images of which parts are hidden at random.

    Args:
        model: a trained `PixelModel`, not a `MultiScalePixelRNN`.
        images: `(n, height, width, channels)` integers: what the model was trained on, or drawn by it.
        context: of a conditional model: one for all images, or one for each.
        known: `(rng, n, height, width) -> (n, height, width)` booleans, what is left to see of n
            images; None for `random_known`: halves, holes, frames, scattered pixels.
        lookahead: one to train on, with a new optimizer; None for a new one.
        epochs: passes over the images, each with other sub-pixels hidden.
        batch_size: images a step.
        learning_rate: of Adam, at the start; it falls to 0 along a cosine.
        seed: int; `keras.utils.set_random_seed` is called with it.
        verbose: as in `keras.Model.fit`.
        **sizes: `units`, `num_blocks` and `reader_units` of the `Lookahead`.

    Returns:
        A `Lookahead`, for `model.complete(..., method="smc", lookahead=...)`.

    Raises:
        ValueError: images that the model does not take, none at all, or a number out of range.
        TypeError: a size that a `Lookahead` does not have.

    Example:

    >>> model = PixelModel.from_preset("digits")
    >>> lookahead = fit_lookahead(model, model.sample(32, seed=0), epochs=1, units=4, verbose=0)
    >>> lookahead.image_shape
    (8, 8, 1)

    From then on `model.complete(images, known, seed=1, method="smc", lookahead=lookahead)`.
    """
    check_guidable(model)
    images = model.check_images(images)
    if not len(images):
        raise ValueError("`images` must hold at least one image. Received: none")
    given = model.context.check(context, len(images))
    epochs = checks.positive_int("epochs", epochs)
    batch_size = min(checks.drawn(batch_size, model.image_shape, "batch_size"), len(images))
    learning_rate = checks.positive("learning_rate", learning_rate)
    seed = checks.whole("seed", seed, 0, 2**32 - 1)
    known = random_known if known is None else known
    if not callable(known):
        raise ValueError(
            "`known` must be a function of a random generator, a number of images, their height and "
            f"their width. Received: known={checks.shown(known)}"
        )
    keras.utils.set_random_seed(seed)
    if lookahead is None:
        lookahead = Lookahead(model.image_shape, model.distribution, **sizes)
    else:
        check_fits(lookahead, model)
        if sizes:
            raise TypeError(
                f"`{min(sizes)}` is of a new look-ahead; leave it out, or leave out `lookahead`."
            )
    data = Hidden(model, images, given, known, batch_size, seed)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(data))
    lookahead.compile(
        keras.optimizers.Adam(schedule, global_clipnorm=1.0),
        loss=HiddenNats(model.distribution),
        jit_compile=True,
    )
    lookahead.fit(data, epochs=epochs, verbose=verbose, shuffle=False)
    return lookahead


def random_known(rng: np.random.Generator, n: int, height: int, width: int) -> np.ndarray:
    """What is left to see of n images: `(n, height, width)` booleans.

    Of equal share: all but a part from one side; all but a rectangle; a rectangle alone; scattered
    pixels, from few to most.

    Args:
        rng: `numpy.random.Generator`.
        n, height, width: ints.

    Example:

    >>> random_known(np.random.default_rng(0), 3, 4, 5).shape
    (3, 4, 5)
    """
    known = np.zeros((n, height, width), bool)
    for one in known:
        kind = rng.integers(4)
        if kind == 3:
            one[:] = rng.random((height, width)) < rng.uniform(0.05, 0.95)
            continue
        rows, columns = (rng.integers(1, size + 1) for size in (height, width))
        if kind == 0:  # a part from one side
            rows, columns = (height, columns) if rng.random() < 0.5 else (rows, width)
        ends = rng.integers(2, size=2) if kind == 0 else rng.random(2)
        top, left = int(ends[0] * (height - rows)), int(ends[1] * (width - columns))
        one[top : top + rows, left : left + columns] = True
        if kind < 2:
            np.logical_not(one, out=one)
    return known


class Hidden(keras.utils.PyDataset):
    """Batches of images with parts hidden, each epoch in another order and with others hidden."""

    def __init__(self, model, images, given, known, batch_size, seed):
        super().__init__()
        self._images, self._given, self._known = images, given, known
        self._size, self._seed, self._epoch = batch_size, seed, 0
        self._params_of = model.params
        self._kept = None
        self._seen(np.random.default_rng(seed), batch_size)  # a wrong function is said at once
        one = 4 * np.prod(self._params(np.arange(1)).shape)
        if one * len(images) <= MOST_BYTES:
            rows = [np.arange(i, i + batch_size) for i in range(0, len(images), batch_size)]
            rows = [np.minimum(part, len(images) - 1) for part in rows]  # one size, one compilation
            self._kept = np.concatenate([self._params(part) for part in rows])[: len(images)]
        self.on_epoch_end()

    def _params(self, rows):
        return self._params_of(self._images[rows], *(x[rows] for x in self._given))

    def _seen(self, rng, n):
        shape = (n, *self._images.shape[1:])
        return checks.known(self._known(rng, *shape[:3]), shape, "known(...)")

    def on_epoch_end(self):
        self._order = np.random.default_rng([self._seed, self._epoch]).permutation(
            len(self._images)
        )
        self._epoch += 1

    def __len__(self):
        return len(self._images) // self._size

    def __getitem__(self, index):
        rows = self._order[index * self._size : (index + 1) * self._size]
        image = self._images[rows]
        rng = np.random.default_rng([self._seed, self._epoch, index])
        known = self._seen(rng, len(rows))
        params = self._params(rows) if self._kept is None else self._kept[rows]
        target = np.concatenate([image, known], axis=-1, dtype=np.float32)
        return (image, known, params), target


@keras.saving.register_keras_serializable("keras_pixelrnn")
class HiddenNats(HoldsDistribution, keras.losses.Loss):
    """Nats of the hidden sub-pixels of an image: what a look-ahead is trained by.

    Args:
        distribution: the model's.
        reduction, name, dtype: of `keras.losses.Loss`.
    """

    def __init__(
        self, distribution, reduction="sum_over_batch_size", name="hidden_nats", dtype=None
    ):
        super().__init__(reduction=reduction, name=name, dtype=dtype)
        self.distribution = distribution

    def call(self, y_true, y_pred):
        image, known = ops.split(y_true, 2, axis=-1)
        nats = self.distribution.log_prob(y_pred, image)
        return -ops.sum(ops.where(known > 0.5, 0.0, nats), axis=(1, 2, 3))
