"""Training on images, or on (image, context): the images are the targets themselves."""

import contextlib
import itertools
import types
from collections.abc import Collection

import keras

from keras_pixelrnn import backend, checks, losses
from keras_pixelrnn.models import compiled
from keras_pixelrnn.models.inputs import Inputs
from keras_pixelrnn.models.sources import NOTHING, Sources
from keras_pixelrnn.models.stored_batches import StoredBatches

# The state that Keras hands from step to step under JAX, in its order.
STATE = ("trainable_variables", "non_trainable_variables")
OF_TRAINING = (*STATE, "optimizer_variables", "metrics_variables")
OF_TESTS = (*STATE, "metrics_variables")


class Trained:
    """`fit`, `evaluate`, `predict` and calls of a `PixelModel`, as strict as its `log_prob`; mixed in.

    They take images, `(image, context)` of a conditional model, or either in a dict by name, with
    weights of images behind; as arrays, `tf.data.Dataset`, generator, `keras.utils.PyDataset` or Grain
    data set. Arrays are checked before the first step and read where they lie, those in files a batch
    at a time; batches of streams are checked as they come; what is
    refused is refused with the words of `log_prob`, and the model is what it was after the step
    before. Distributed data sets and PyTorch's loaders are passed on as they are: of their batches only
    shapes and dtypes are checked.
    """

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        **options,
    ):
        """`keras.Model.fit` on images, or on images and their context.

        Args:
            x: images; a pair of images and context; a dict of either by name; or a data set, generator
                or `PyDataset` of batches of these.
            y: context `(n, ...)` of a conditional model; labels also as `(n, 1)` or one-hot rows.
            validation_data: the same: `x`, `(x, y)` or `(x, y, sample_weight)`.
            class_weight: of a model conditional on a label: dict from labels to weights.
            sample_weight: `(n,)`, a weight for each image.
            batch_size, epochs, verbose, callbacks, validation_split, shuffle, **options: of
                `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: what does not fit the model, in the data or in what `compile` was given; it
                names what was expected.
        """
        compiled.check(self)
        compiled.check_optimizer(self)
        checks.whole("epochs", epochs, 0)
        checks.rate("validation_split", validation_split)
        _check_steps(options)
        sources = Sources(self._rules)
        x, y, sample_weight = sources.wrapped(x, y, sample_weight, class_weight, batch_size)
        # By default Keras asks for what such data cannot do, and then warns of it.
        endless = isinstance(x, keras.utils.PyDataset) and x.num_batches is None
        stream = backend.is_dataset(x) or isinstance(x, types.GeneratorType)
        shuffle = shuffle and not (endless or stream)
        if validation_data is not None:
            given = keras.utils.unpack_x_y_sample_weight(validation_data)
            given = sources.wrapped(
                *given, batch_size=options.get("validation_batch_size") or batch_size
            )
            validation_data = given[0] if isinstance(given[0], StoredBatches) else given
        if isinstance(x, StoredBatches):
            share = validation_split if validation_data is None else 0.0
            x, held = x.parted(share, shuffle)
            validation_data = held if share else validation_data
            shuffle, validation_split = False, 0.0
        with sources.spoken():
            history = super().fit(
                x,
                y,
                batch_size=batch_size,
                epochs=epochs,
                verbose=verbose,
                callbacks=callbacks,
                validation_split=validation_split,
                validation_data=validation_data,
                shuffle=shuffle,
                sample_weight=sample_weight,
                **options,
            )
            if history.epoch and not history.history:
                raise ValueError(NOTHING)
            return history

    def evaluate(
        self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, **options
    ):
        """`keras.Model.evaluate` on what `fit` takes."""
        compiled.check(self)
        _check_steps(options)
        sources = Sources(self._rules)
        if not options.get("_use_cached_eval_dataset"):  # `fit` has wrapped what it evaluates on
            x, y, sample_weight = sources.wrapped(x, y, sample_weight, batch_size=batch_size)
        with sources.spoken(), self._state_kept():
            found = super().evaluate(
                x, y, batch_size, verbose=verbose, sample_weight=sample_weight, **options
            )
            if isinstance(found, (list, dict)) and not found:
                raise ValueError(NOTHING)
            return found

    def predict(self, x, batch_size=None, **options):
        """Parameters `(n, height, width, P)` of what `fit` takes: `keras.Model.predict`."""
        _check_steps(options)
        sources = Sources(self._rules)
        x, _, _ = sources.wrapped(x, batch_size=batch_size)
        with sources.spoken(), self._state_kept():
            return super().predict(x, batch_size, **options)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, **options):
        """`keras.Model.train_on_batch` on a batch of what `fit` takes."""
        compiled.check(self)
        compiled.check_optimizer(self)
        x, weight = self._rules.arrays(x, y, sample_weight, class_weight)
        return super().train_on_batch(x, None, weight, **options)

    def test_on_batch(self, x, y=None, sample_weight=None, **options):
        """`keras.Model.test_on_batch` on a batch of what `fit` takes."""
        compiled.check(self)
        x, weight = self._rules.arrays(x, y, sample_weight)
        return super().test_on_batch(x, None, weight, **options)

    def predict_on_batch(self, x):
        """`keras.Model.predict_on_batch` on a batch of what `fit` takes."""
        return super().predict_on_batch(self._rules.arrays(x)[0])

    def __call__(self, inputs, *args, **kwargs):
        return super().__call__(self._rules.called(inputs), *args, **kwargs)

    # ---- steps ----------------------------------------------------------------------------------

    @property
    def _rules(self):
        return Inputs(self.image_shape, self.distribution, self.context)

    def train_step(self, *args):
        return super().train_step(*args[:-1], self._laid_out(args[-1]))

    def test_step(self, *args):
        return super().test_step(*args[:-1], self._laid_out(args[-1]))

    def predict_step(self, *args):
        return super().predict_step(*args[:-1], self._laid_out(args[-1]))

    def _laid_out(self, data):
        """A batch as `(x, None, weight)`, x the images or a pair of images and context."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        image, context, _ = self._rules.parts(x, y)
        self._rules.static(image)
        return (image if context is None else (image, context)), None, weight

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        image = x[0] if self.context.given else x
        y = image if y is None else y
        if self._compile_loss is None:
            loss = losses.NegativeLogLikelihood(self.distribution)
            further = map(self._aggregate_additional_loss, self.losses)  # a part on each device
            found = sum(further, loss(y, y_pred, sample_weight=sample_weight))
        else:
            loss = self.loss
            found = super().compute_loss(x, y, y_pred, sample_weight, training)
        while isinstance(loss, (list, tuple, dict)) and len(loss) == 1:  # of the one output
            (loss,) = loss.values() if isinstance(loss, dict) else loss
        # Keras takes the mean of what a function gives.
        reduction = getattr(loss, "reduction", "sum_over_batch_size")
        share = keras.ops.shape(image)[0]
        if reduction == "mean_with_sample_weight" and sample_weight is not None:
            share = keras.ops.sum(sample_weight)
        is_mean = reduction in ("mean", "sum_over_batch_size", "mean_with_sample_weight")
        # Of a mean alone: sums add up as they are.
        return backend.by_share(found, share) if training and is_mean else found

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        image = x[0] if self.context.given else x
        return super().compute_metrics(x, image if y is None else y, y_pred, sample_weight)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Under `tf.distribute` Keras builds loss and metrics from the mean of the devices' batches: of
        # images that are floats. They are built from what the model takes, and no batch is used up.
        if getattr(self, "_distribute_strategy", None) is None:
            return super()._maybe_symbolic_build(iterator, data_batch)
        image, *context = self.inputs
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=((image, *context) if context else image, None, None))

    # ---- functions of steps ---------------------------------------------------------------------

    def make_train_function(self, force=False):
        alone = keras.backend.backend() == "tensorflow" and self._distribute_strategy is None
        if alone and self.optimizer is not None:
            # Else TensorFlow makes the optimizer's variables while it traces the first step: it traces
            # twice, and cannot write the first new values where the old ones lie.
            self.optimizer.build(self.trainable_variables)
        self._make("train_function", super().make_train_function, force, OF_TRAINING)

    def make_test_function(self, force=False):
        self._make("test_function", super().make_test_function, force, OF_TESTS)

    def make_predict_function(self, force=False):
        self._make("predict_function", super().make_predict_function, force, STATE)

    def _make(self, name, make, force, state):
        """Keras' function, made again where the network has other weights (LoRA, say) or others of them
        are frozen than when it was made: what was traced knows the old. One that was set from outside
        stays."""
        before, own = getattr(self, name), (self.weights, self.trainable_weights)
        known = getattr(before, "made_of", own)
        other = any(
            len(now) != len(then) or any(a is not b for a, b in zip(now, then, strict=True))
            for now, then in zip(own, known, strict=True)
        )
        make(force or other)
        if getattr(self, name) is not before:
            function = self._careful(getattr(self, name), state)
            with contextlib.suppress(AttributeError):  # none of ours: eager, or a strategy's
                function.made_of = own
            setattr(self, name, function)

    def _careful(self, function, names):
        """`function(state, batches)`, which gives the state back where there is no next batch: a step of
        JAX takes the variables' values away from the model."""
        if keras.backend.backend() != "jax":
            return function

        def careful(state, batches):
            try:
                ready = list(itertools.islice(batches, self.steps_per_execution))
            except BaseException:
                self._jax_state = dict(zip(names, state, strict=True))
                raise
            if not ready:
                self._jax_state = dict(zip(names, state, strict=True))
                raise StopIteration
            return function(state, iter(ready))

        return careful

    def _state_kept(self):
        return _StateKept(self)


def _check_steps(options):
    """`ValueError` for numbers that are none: Keras takes 0 steps for all there are."""
    for name in ("steps_per_epoch", "validation_steps", "steps", "validation_batch_size"):
        checks.optional(checks.positive_int, name, options.get(name))
    if not isinstance(often := options.get("validation_freq", 1), Collection):
        checks.positive_int("validation_freq", often)


class _StateKept:
    """Under JAX an error must not leave the model without its variables."""

    def __init__(self, model):
        self._model = model

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None and keras.backend.backend() == "jax":
            self._model.jax_state_sync()
