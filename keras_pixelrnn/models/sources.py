"""Where the batches of `fit`, `evaluate` and `predict` come from, each looked at before it is used."""

import contextlib
import os
import types

import keras
import numpy as np
from keras import tree

from keras_pixelrnn import backend, checks, mapped
from keras_pixelrnn.models.stored_batches import StoredBatches

NOTHING = "Expected one batch or more. Received: a data set that ended before its first batch"


class Sources:
    """Wraps what people pass to `fit` so that no batch reaches the model unseen.

    Args:
        inputs: `Inputs` of the model.

    Attributes:
        error: what a batch met in a data pipeline was refused for, or None.
    """

    def __init__(self, inputs):
        self.inputs, self.error = inputs, None
        self.context = inputs.context

    def wrapped(self, x, y=None, weight=None, class_weight=None, batch_size=None):
        """`(x, y, sample_weight)` for Keras: arrays checked, those in files as batches; streams checked
        as they are read."""
        inputs = self.inputs
        if x is None:
            raise ValueError("Expected images, or a data set of them. Received: None")
        if batch_size is not None:
            checks.drawn(batch_size, self.image_shape, "batch_size")
        table = None if class_weight is None else inputs.class_weights(class_weight)
        if backend.is_dataset(x):
            if int(x.cardinality()) == 0:  # a training on nothing
                raise ValueError(
                    "Expected one batch or more. Received: a tf.data.Dataset without elements"
                )
            levels = inputs.distribution.levels
            x = backend.checked_dataset(x, self, levels, checks.MOST_WEIGHT, table)
        elif isinstance(x, keras.utils.PyDataset):
            if x.num_batches == 0:  # JAX would end in a fault of Keras
                raise ValueError("Expected one batch or more. Received: a PyDataset of length 0")
            x = CheckedBatches(x, lambda element: self.batch(element, class_weight))
        elif isinstance(x, types.GeneratorType):
            x = self._generated(x, class_weight)
        elif backend.is_grain(x):
            x = x.map(lambda element: self.batch(element, class_weight))
        elif isinstance(x, (dict, tuple, list)) or hasattr(x, "shape"):
            x, weight = inputs.arrays(x, y, weight, class_weight)
            # Keras leaves weights out where there are no targets.
            y = None if weight is None else inputs.parts(x)[0]
            images, *context = x if self.context.given else (x,)
            if mapped.is_stored(images):
                return StoredBatches(images, tuple(context), weight, batch_size), None, None
        elif class_weight is not None and backend.passes_through(x):
            raise ValueError(
                "`class_weight` cannot be applied to the batches of a loader that is passed on as it "
                f"is. Let it yield (image, label, weight). Received: {type(x).__name__}"
            )
        elif not backend.passes_through(x):
            raise ValueError(_no_data(x))
        return x, y, weight

    def _generated(self, batches, class_weight):
        """Batches of a generator, checked, each in memory of its own: Keras looks ahead, and the next
        one may be written where this one lies."""
        parts = None
        for element in batches:
            batch = self.batch(element, class_weight)
            if len(batch) != (parts or len(batch)):
                with self._remembered():
                    raise ValueError(
                        "Batches have weights all or none. Received: a generator that yields both"
                    )
            parts = len(batch)
            yield _own(batch)

    # What `backend.checked_dataset` asks for, which remembers what is wrong.

    def parts(self, x, y=None):
        return self.inputs.parts(x, y)

    def static(self, image):
        return self.inputs.static(image)

    @property
    def image_shape(self):
        return self.inputs.image_shape

    def arrays(self, *args):
        with self._remembered():
            return self.inputs.arrays(*args)

    def batch(self, element, class_weight=None):
        with self._remembered():
            return self.inputs.batch(element, class_weight)

    @contextlib.contextmanager
    def _remembered(self):
        try:
            yield
        except ValueError as error:
            self.error = error
            raise

    @contextlib.contextmanager
    def spoken(self):
        """Errors of ours come out of TensorFlow's pipelines as what they were."""
        try:
            yield
        except Exception as error:
            if self.error is not None and error is not self.error:
                raise self.error from None
            if isinstance(error, UnboundLocalError):  # Keras knows no result of no batch
                raise ValueError(NOTHING) from None
            known = type(error).__module__.startswith("tensorflow.")
            if known and (inner := checks.inside(error)):  # of a source that is read meanwhile
                raise inner from error
            raise


def _own(batch):
    """A batch whose arrays no one else writes to."""
    return tree.map_structure(
        lambda array: array.copy() if isinstance(array, np.ndarray) else array, batch
    )


def _no_data(x):
    """What to say of what holds no images as Keras reads them."""
    way_out = "An array of images, a tf.data.Dataset, generator, PyDataset or Grain data set does."
    if hasattr(x, "training") and hasattr(x, "evaluation"):  # an `ImageData`
        way_out = (
            "Pass its batches: fit(data.training(batch_size=32), steps_per_epoch="
            'data.steps_per_epoch(32)), evaluate(data.evaluation("test", batch_size=32)).'
        )
    elif isinstance(x, (str, os.PathLike)):
        way_out = "keras_pixelrnn.data.load reads folders and names, its `training` makes batches."
    elif hasattr(x, "__next__"):
        way_out = "Make an iterator a generator: (batch for batch in iterator)."
    elif callable(x):
        way_out = "Of a function that yields batches pass what it returns: f()."
    return f"Expected batches of images. {way_out} Received: {checks.shown(x)}"


class CheckedBatches(keras.utils.PyDataset):
    """The batches of another `PyDataset`, checked.

    Args:
        batches: that data set.
        check: function of a batch.
    """

    def __init__(self, batches, check):
        options = ("workers", "use_multiprocessing", "max_queue_size")
        super().__init__(**{name: getattr(batches, name) for name in options})
        self._batches, self._check = batches, check

    @property
    def num_batches(self):
        """Number of batches, None for an endless data set."""
        return self._batches.num_batches

    def __getitem__(self, number):
        return _own(self._check(self._batches[number]))

    def on_epoch_begin(self):
        self._batches.on_epoch_begin()

    def on_epoch_end(self):
        self._batches.on_epoch_end()
