"""Checkpoints from which a killed training goes on, losing no more than the epoch in progress."""

import csv
import os
from pathlib import Path

import keras


class Checkpoint(keras.callbacks.Callback):
    """Keeps the latest state of a training, and the weights that were best on validation.

    The state is everything: weights, optimizer, schedule, averaged weights, random state of dropout.
    It is written at the end of each epoch; the best weights at the end of each validation, which
    `fit` must be given data for. Files are written beside their place and moved there, so that no kill
    leaves half a file. List it after `keras.callbacks.CSVLogger` and before
    `keras.callbacks.SwapEMAWeights`: the best weights are the averaged ones, the latest are not.

    Args:
        folder: where `latest.weights.h5` and `best.weights.h5` are kept.
        history: CSV file of the `CSVLogger`, cut back to what is resumed.
        monitor: loss or metric on the validation data, the lower the better.

    Example:

    >>> checkpoint = Checkpoint(folder, history=folder / "history.csv")
    >>> model.compile("adam")
    >>> first_epoch = checkpoint.resume(model, steps_per_epoch=1) if checkpoint.exists() else 0
    >>> log = model.fit(
    ...     images,
    ...     epochs=2,
    ...     initial_epoch=first_epoch,
    ...     validation_data=(images, images),
    ...     callbacks=[keras.callbacks.CSVLogger(checkpoint.history), checkpoint],
    ...     verbose=0,
    ... )
    """

    def __init__(self, folder, history, monitor="loss"):
        super().__init__()
        self.latest = Path(folder) / "latest.weights.h5"
        self.best = Path(folder) / "best.weights.h5"
        self.history = Path(history)
        self.monitor = monitor
        self._lowest = float("inf")

    def exists(self):
        """Whether there is an unfinished training."""
        return self.latest.exists()

    def resume(self, model, steps_per_epoch):
        """Give the compiled `model` its latest state; returns the epoch to go on with.

        Raises:
            ValueError: the checkpoint cannot be read, or is that of another model.
        """
        model.optimizer.build(model.trainable_variables)
        try:
            model.load_weights(self.latest)
        except Exception as error:  # h5py and Keras raise a dozen kinds
            raise ValueError(
                f"The checkpoint {self.latest} cannot be read into this model. Use the settings it "
                "was trained with, or, if the file is damaged, delete its folder and train anew. "
                f"Received: {type(error).__name__}: {error}"
            ) from error
        epoch = int(model.optimizer.iterations) // steps_per_epoch
        rows = self.rows()[:epoch]
        self._lowest = min(
            (float(row[f"val_{self.monitor}"]) for row in rows), default=float("inf")
        )
        if rows:
            beside = self.history.with_suffix(".tmp")
            with open(beside, "w", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
            os.replace(beside, self.history)
        return epoch

    def rows(self):
        """The history so far, one dict per epoch."""
        if not self.history.exists():
            return []
        with open(self.history, newline="") as file:
            return list(csv.DictReader(file))

    def finish(self):
        """Give the model its best weights and drop the latest state."""
        self.model.load_weights(self.best)
        self.latest.unlink(missing_ok=True)

    def on_test_end(self, logs=None):
        if logs[self.monitor] < self._lowest or not self.best.exists():
            self._lowest = logs[self.monitor]
            self._save(self.best)

    def on_epoch_end(self, epoch, logs=None):
        self._save(self.latest)

    def _save(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"writing-{path.name}")
        self.model.save_weights(beside, overwrite=True)
        os.replace(beside, path)
