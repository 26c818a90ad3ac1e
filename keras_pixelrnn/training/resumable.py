"""`fit` that can be killed at any moment and goes on as if it had not been."""

import contextlib
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_pixelrnn import backend, checks
from keras_pixelrnn.training import arguments
from keras_pixelrnn.training import progress as states
from keras_pixelrnn.training.begun import check_same, endless, facts
from keras_pixelrnn.training.checkpoint import Checkpoint
from keras_pixelrnn.training.checkpoints import Checkpoints
from keras_pixelrnn.training.lock import alone
from keras_pixelrnn.training.stopping import Stopping


def steps_of(steps, steps_per_execution):
    """Batches of an epoch: Keras runs whole executions, so they are a multiple of these."""
    return -(-steps // steps_per_execution) * steps_per_execution


def resumable_fit(
    model: keras.Model,
    batches: Callable[[int], Any],
    *,
    epochs: int,
    steps_per_epoch: int,
    validation_data: Any,
    folder: str | Path,
    monitor: str = "loss",
    settings: Any = None,
    history: Any = None,
    minutes: float | None = None,
    stopping: Any = None,
    callbacks: Sequence[Any] = (),
    resident: Any = None,
    writes: bool = True,
    verbose: Any = "auto",
) -> Any:
    """Train a compiled model, going on from the newest checkpoint in `folder` if there is one.

    Killed at any moment, several times, and called again in a new process with the same arguments, it
    ends with the same weights, optimizer and history as without a kill, bit for bit on one machine's
    CPU. The checkpoint is the whole state: every variable of the model (the random states of dropout
    among them) and of its optimizer, the sums of the metrics, the position in the data, the history
    and the best weights.

    Args:
        model: compiled `keras.Model`.
        batches: function of the number of batches seen to an endless data set that begins there.
        epochs: number of epochs in all.
        steps_per_epoch: batches of an epoch.
        validation_data: data set that `model.evaluate` takes, or a function of the model and callbacks
            that returns its metrics; the averaged weights are judged by it, where the optimizer keeps
            some.
        folder: where the checkpoints are kept, the newest two of them.
        monitor: "loss" or the name of a metric, the lower the better on the validation data.
        settings: what is stored in the checkpoints beside the state, for JSON.
        history: CSV file of one row for each epoch; `history.csv` in `folder` if None.
        minutes: minutes between checkpoints within an epoch; None: only between epochs.
        stopping: a `Stopping` that watches for SIGTERM and SIGINT; one for the call if None.
        callbacks: further Keras callbacks.
        resident: under JAX, a tuple of arrays `(n, ...)` that stay on the device; `batches` then gives
            numbers of their rows, `(batch,)` ints, and no host handles data in a step.
        writes: False in all but one of several processes that train together on the same folder.
        verbose: of `fit`.

    Returns:
        The `Progress` at the end. The model has the weights that were best on the validation data.

    Raises:
        ValueError: a checkpoint that is damaged or of another model; a loss that was never finite; a
            model that is not compiled; a path that is none of this machine.
        OSError: a checkpoint cannot be written; the one before it is untouched.

    Example:

    >>> model.compile("adam")
    >>> progress = resumable_fit(
    ...     model,
    ...     lambda seen: tf.data.Dataset.from_tensors(images).repeat().skip(seen),
    ...     epochs=2,
    ...     steps_per_epoch=1,
    ...     validation_data=tf.data.Dataset.from_tensors(images),
    ...     folder=folder,
    ...     verbose=0,
    ... )
    >>> progress.epoch, len(progress.rows)
    (2, 2)
    """
    checkpoints = Checkpoints(folder)
    arguments.check_model(model)
    checks.positive_int("epochs", epochs, checks.MOST_STEPS)
    checks.positive_int("steps_per_epoch", steps_per_epoch, checks.MOST_STEPS)
    checks.optional(checks.positive, "minutes", minutes)
    checks.switch("writes", writes)
    arguments.check_batches(batches)
    arguments.check_judging(validation_data, monitor)
    arguments.check_settings(settings)
    arguments.check_callbacks(callbacks)
    arguments.check_stopping(stopping)
    arguments.check_resident(resident, model)
    history = checks.local(
        "history", checkpoints.folder / "history.csv" if history is None else history
    )
    with contextlib.ExitStack() as held:
        if stopping is None:
            stopping = held.enter_context(Stopping())
        if writes:
            held.enter_context(alone(checkpoints.folder))
        return _go_on(
            model,
            batches,
            checkpoints,
            callbacks=callbacks,
            epochs=epochs,
            history=history,
            minutes=minutes,
            monitor=monitor,
            resident=resident,
            settings=settings,
            steps=steps_of(steps_per_epoch, model.steps_per_execution),
            stopping=stopping,
            validation_data=validation_data,
            verbose=verbose,
            writes=writes,
        )


def _go_on(
    model,
    batches,
    checkpoints,
    *,
    callbacks,
    epochs,
    history,
    minutes,
    monitor,
    resident,
    settings,
    steps,
    stopping,
    validation_data,
    verbose,
    writes,
):
    """`resumable_fit`, all arguments checked."""
    model.optimizer.build(model.trainable_variables)
    made = facts(model, monitor)
    kept = checkpoints.load()
    progress, best = states.Progress(), None
    if kept is not None:
        manifest, arrays = kept
        progress = states.Progress.of(manifest)
        check_same(
            progress,
            manifest["settings"],
            epochs=epochs,
            steps=steps,
            execution=model.steps_per_execution,
            made=made,
            settings=settings,
            folder=checkpoints.folder,
        )
        states.restore(model, arrays)
        best = states.of_kind(arrays, "best") or None
    progress.steps, progress.begun = steps, made
    checkpoint = Checkpoint(
        progress,
        checkpoints,
        validate=_validation(validation_data),
        monitor=monitor,
        settings=settings,
        history=history,
        steps=steps,
        stopping=stopping,
        minutes=minutes,
        best=best,
        writes=writes,
    )
    checkpoint.write_history()
    several = getattr(model, "distribute_strategy", None)  # of TensorFlow
    if progress.step or backend.name() == "jax" or several.num_replicas_in_sync > 1:
        # Makes the variables of the metrics; `fit` would take a batch away for it, or a mean of batches.
        first = next(iter(batches(progress.batches)))
        if resident is not None:
            first = tuple(array[np.asarray(first)] for array in resident)
        x, y, weight = keras.utils.unpack_x_y_sample_weight(first)
        model.test_on_batch(x, y, sample_weight=weight)
    # Numbers of rows are no images: the model's own `fit` would refuse them.
    fit = model.fit if resident is None else functools.partial(keras.Model.fit, model)
    with _steps_of_our_own(model, resident):
        stopping.at_ease()
        if kept is None:
            checkpoint.save(states.capture(model))  # there is something to resume from now on
        elif progress.step:
            metrics = states.checked(model, arrays, "metrics")
            _finish_epoch(model, fit, batches, checkpoint, metrics, callbacks, verbose)
        if progress.epoch < epochs and not progress.ended:
            fit(
                endless(batches(progress.batches), (epochs - progress.epoch) * steps),
                steps_per_epoch=steps,
                initial_epoch=progress.epoch,
                epochs=epochs,
                shuffle=False,  # the batches say the order
                callbacks=[checkpoint, *callbacks],
                verbose=verbose,
            )
    stopping.at_ease(False)
    if checkpoint.best is None:
        raise ValueError(
            f"The training has no weights that score: {progress.ended or 'no validation was finite'}. "
            "Lower the learning rate, or clip gradients at a smaller norm, and train anew."
        )
    for weight, value in zip(model.weights, checkpoint.best):
        weight.assign(value)
    return progress


def _validation(data):
    """A function of the model and callbacks that returns the metrics of a validation."""
    if callable(data) and not isinstance(data, keras.utils.PyDataset):
        return data
    return lambda model, callbacks: model.evaluate(
        data, callbacks=callbacks, verbose=0, return_dict=True
    )


@contextlib.contextmanager
def _steps_of_our_own(model, resident):
    """Under JAX `fit` runs all steps of an execution in one dispatch, on data that the device holds."""
    if not arguments.of_one_dispatch(model) or (
        resident is None and model.steps_per_execution == 1
    ):
        yield
        return
    model.train_function = backend.train_function(model, resident)
    try:
        yield
    finally:
        model.train_function = None  # Keras makes its own again


def _finish_epoch(model, fit, batches, checkpoint, metrics, callbacks, verbose):
    """The rest of an epoch that was interrupted."""
    progress = checkpoint.progress
    if progress.step == checkpoint.steps:
        for variable, value in zip(model.metrics_variables, metrics):
            variable.assign(value)
        logs = {name: float(value) for name, value in model.get_metrics_result().items()}
        checkpoint.finish_epoch(model, logs)
        return
    checkpoint.go_on_within(metrics)
    fit(
        batches(progress.batches),
        steps_per_epoch=checkpoint.steps - progress.step,
        initial_epoch=progress.epoch,
        epochs=progress.epoch + 1,
        shuffle=False,
        callbacks=[checkpoint, *callbacks],
        verbose=verbose,
    )
    # At its end `fit` overwrites the weights with averaged ones.
    states.restore(model, checkpoint.arrays)
