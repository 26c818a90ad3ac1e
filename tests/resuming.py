"""A small training that can be interrupted anywhere: what the tests of resuming share, and what they
run in a process without TensorFlow."""

import keras
import numpy as np

import keras_pixelrnn as kp
from keras_pixelrnn.training import progress
from keras_pixelrnn.training.resumable import resumable_fit

BATCH, STEPS, EPOCHS = 4, 5, 3
D = kp.distributions
SHAPE = (4, 5, 1)


class Kill(BaseException):
    """Stands for SIGKILL: nothing that runs afterwards knows of it."""


class KillAt(keras.callbacks.Callback):
    """Raises `Kill` before the given training batch, counted from the call of `fit` on."""

    def __init__(self, batch):
        super().__init__()
        self.left = batch

    def on_train_batch_begin(self, batch, logs=None):
        if self.left <= 0:
            raise Kill
        self.left -= 1


class Training:
    """A training whose model is compiled once. Before each `run` every variable gets the value that it
    has in a new process, or, where there is something to resume, one that no training gives it."""

    def __init__(self, steps_per_execution=1):
        keras.utils.set_random_seed(3)
        self.model = kp.models.PixelCNN(
            image_shape=SHAPE, distribution=D.Bernoulli(), units=4, num_blocks=1, dropout=0.4
        )
        schedule = keras.optimizers.schedules.CosineDecay(1e-2, EPOCHS * STEPS)
        self.model.compile(
            keras.optimizers.Adam(schedule, global_clipnorm=5.0, use_ema=True),
            metrics=[kp.metrics.BitsPerDimension(self.model.distribution)],
            steps_per_execution=steps_per_execution,
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.new = progress.capture(self.model, ("model", "optimizer"))

    def run(self, folder, callbacks=(), stopping=None, minutes=None):
        """Begins it or goes on; returns history and all variables at the end."""
        begun = list(folder.glob("state-*.npz"))
        progress.restore(
            self.model, {k: np.full_like(v, 9) for k, v in self.new.items()} if begun else self.new
        )
        reached = resumable_fit(
            self.model,
            batches,
            epochs=EPOCHS,
            steps_per_epoch=STEPS,
            validation_data=images(6),
            folder=folder,
            callbacks=callbacks,
            stopping=stopping,
            minutes=minutes,
            verbose=0,
        )
        rows = [{**row, "seconds": 0} for row in reached.rows]
        lines = (folder / "history.csv").read_text().count("\n")
        return rows, progress.capture(self.model, ("model", "optimizer")), lines

    def run_with_kills(self, folder, kills, minutes=None):
        """The same, killed before each of these batches in turn, counted from where it went on."""
        for batch in kills:
            try:
                self.run(folder, [KillAt(batch)], minutes=minutes)
            except Kill:
                continue
            raise AssertionError("the training ended before it was killed")
        return self.run(folder, minutes=minutes)


def images(count=BATCH * STEPS):
    return np.random.default_rng(0).integers(0, 2, (count, *SHAPE)).astype(np.uint8)


def batches(seen):
    """Endless batches in an order of their own each epoch, from the one numbered `seen` on."""
    while True:
        epoch, step = divmod(seen, STEPS)
        order = np.random.default_rng(epoch).permutation(BATCH * STEPS)
        yield (images()[order[step * BATCH : (step + 1) * BATCH]],)
        seen += 1


def assert_same(first, second):
    assert first[0] == second[0]
    assert first[1].keys() == second[1].keys()
    for name, array in first[1].items():
        np.testing.assert_array_equal(array, second[1][name], err_msg=name)
    assert first[2] == second[2] == EPOCHS + 1
