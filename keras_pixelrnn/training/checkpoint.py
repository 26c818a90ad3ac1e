"""The callback that validates, keeps the history, and writes the checkpoints of a training."""

import csv
import io
import math
import time

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import checks
from keras_pixelrnn.training import archive
from keras_pixelrnn.training import progress as states
from keras_pixelrnn.training.averaged import averaged


class Checkpoint(keras.callbacks.Callback):
    """Validates with the averaged weights after each epoch, and keeps all that a resume needs.

    A checkpoint is written at the end of each epoch, every `minutes` within one, and when the
    process is told to stop. `resumable_fit` uses it; it is not meant for `fit` alone.

    Args:
        progress: where the training stands; moved on.
        checkpoints: where they are kept.
        validate: function of the model and callbacks that gives the metrics of a validation.
        monitor: what is best where it is lowest: "loss" or a metric, on the validation data.
        settings: what is stored beside the variables, for JSON.
        history: CSV file of one row for each epoch.
        steps: batches of an epoch.
        stopping: a `Stopping`.
        minutes: between checkpoints within an epoch; None: none.
        best: weights that were best so far, or None.
        writes: False in a process that takes part in the training that another one keeps.
    """

    def __init__(
        self,
        progress,
        checkpoints,
        *,
        validate,
        monitor,
        settings,
        history,
        steps,
        stopping,
        minutes=None,
        best=None,
        writes=True,
    ):
        super().__init__()
        self.progress, self.checkpoints, self.settings = progress, checkpoints, settings
        self.validate, self.monitor, self.writes = validate, monitor, writes
        self.history, self.steps, self.stopping = history, steps, stopping
        self.interval = math.inf if minutes is None else 60.0 * minutes
        self.best, self.arrays = best, None
        self._first_step, self._begun, self._metrics = 0, 0, None
        self._tick = self._saved = time.monotonic()

    def go_on_within(self, metrics):
        """The first epoch is one in progress: `metrics` are the sums of its steps so far."""
        self._first_step, self._metrics = self.progress.step, metrics

    def on_epoch_begin(self, epoch, logs=None):
        if self._metrics is not None:  # the sums of the steps before the interruption
            for variable, value in zip(self.model.metrics_variables, self._metrics):
                variable.assign(value)
            self._metrics = None

    def on_train_batch_begin(self, batch, logs=None):
        # Not at a batch's end: Keras would wait for the device to hand over the logs of each.
        self._begun = self._first_step + batch
        if batch:
            self._now_at(self._begun)
        due = time.monotonic() - self._saved > self.interval
        if due or self.stopping.signal is not None:
            self.save(states.capture(self.model))
            self.stopping.check()

    def on_epoch_end(self, epoch, logs=None):
        last = self._begun + self.model.steps_per_execution >= self.steps
        if not last and not self.model.stop_training:
            raise ValueError(
                "`batches` must return a data set without an end, such as dataset.repeat().skip(seen). "
                f"Received: one that ended in epoch {epoch} after {self._begun} of {self.steps} batches"
            )
        self._now_at(self.steps)
        self._first_step = 0
        self.finish_epoch(self.model, logs)

    def finish_epoch(self, model, logs):
        """Validate, judge and keep an epoch whose steps are all done; adds to `logs`."""
        # Taken before the validation, which the process may be told to stop.
        arrays = states.capture(model)
        progress = self.progress
        try:
            with averaged(model):
                found = _plain(self.validate(model, [_Check(self.stopping)]))
                if self.monitor not in found:
                    raise ValueError(
                        f"`monitor` must be one of: {', '.join(found)}. The epoch is kept: call "
                        f"again with one of these. Received: monitor={self.monitor!r}"
                    )
                value = found[self.monitor]
                if not isinstance(value, (int, float)):
                    raise ValueError(
                        "`monitor` must name a number. The epoch is kept: call again with another. "
                        f"Received: monitor={self.monitor!r}, which is {checks.shown(value)}"
                    )
                if np.isfinite(value) and (progress.lowest is None or value < progress.lowest):
                    progress.lowest = value
                    self.best = [np.array(ops.convert_to_numpy(w)) for w in model.weights]
        except (Exception, SystemExit):  # told to stop, or it fails: the epoch is not lost
            self.save(arrays)
            raise
        logs.update(_plain(logs))
        logs.update({f"val_{name}": value for name, value in found.items()})
        self._now_at(self.steps)  # the time of the validation
        logs["seconds"] = round(progress.seconds, 1)
        progress.rows.append({"epoch": progress.epoch, **logs})
        if not np.isfinite(logs.get("loss", 0.0)):  # a step of the user's own may call it otherwise
            progress.ended = f"the loss of epoch {progress.epoch} was {logs['loss']}"
            model.stop_training = True
        progress.epoch, progress.step = progress.epoch + 1, 0
        self.save(arrays)
        self.write_history()
        self.stopping.check()

    def save(self, arrays):
        """Write a checkpoint of the variables `arrays`."""
        self.arrays = arrays
        if not self.writes:
            return
        best = {} if self.best is None else {f"best/{i:04}": w for i, w in enumerate(self.best)}
        self.checkpoints.save(
            self.progress.batches, self.progress.manifest(self.settings), {**arrays, **best}
        )
        self._saved = time.monotonic()

    def write_history(self):
        """The history so far as a CSV file, in one move."""
        rows = self.progress.rows
        if not self.writes:
            return
        if not rows:
            self.history.unlink(missing_ok=True)
            return
        text = io.StringIO(newline="")
        names = dict.fromkeys(name for row in rows for name in row)  # metrics may be added
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(rows)
        archive.replace_text(self.history, text.getvalue())

    def _now_at(self, step):
        progress, now = self.progress, time.monotonic()
        progress.batches += step - progress.step
        progress.step = step
        progress.seconds += now - self._tick
        self._tick = now


def _plain(values):
    """Metrics, which may be tensors or arrays of any dtype, as numbers and lists that JSON holds."""
    if not isinstance(values, dict):
        raise ValueError(
            "`validation_data`, a function, must return a dict of metrics. The epoch is kept: call "
            f"again with one that does. Received: {checks.shown(values)}"
        )

    def plain(value):
        if value is None or isinstance(value, (bool, int, float, str, dict, list)):
            return value
        array = np.asarray(ops.convert_to_numpy(value))
        return array.item() if array.size == 1 else array.tolist()

    return {name: plain(value) for name, value in values.items()}


class _Check(keras.callbacks.Callback):
    """Lets a validation be stopped between two of its batches."""

    def __init__(self, stopping):
        super().__init__()
        self.stopping = stopping

    def on_test_batch_begin(self, batch, logs=None):
        self.stopping.check()
