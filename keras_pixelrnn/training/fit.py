"""The training itself: epochs, checkpoints, history."""

import sys
import time

import keras

from keras_pixelrnn.training.checkpoint import Checkpoint


def fit(settings, model, data):
    """Train, keeping the weights that are best on validation. Returns the seconds it took."""
    state, history = settings.output / "training", settings.output / "history.csv"
    checkpoint = Checkpoint(state, history, monitor="bits_per_dim")
    if checkpoint.exists() and not settings.resume:
        raise ValueError(
            f"{settings.output} holds an interrupted training. Go on with it by --resume, or choose "
            f"another --output, or delete {state} to give it up."
        )
    if settings.resume and not checkpoint.exists():
        raise ValueError(f"There is no interrupted training to resume in {settings.output}.")
    steps = data.steps_per_epoch(settings.batch_size)
    first_epoch = checkpoint.resume(model, steps) if settings.resume else 0
    rows = checkpoint.rows() if settings.resume else []
    state.mkdir(parents=True, exist_ok=True)

    watch = [
        Seconds(sum(float(row["seconds"]) for row in rows[-1:])),
        keras.callbacks.CSVLogger(str(history), append=bool(rows)),
        checkpoint,
        keras.callbacks.TensorBoard(str(state / "tensorboard"), write_graph=False),
        keras.callbacks.TerminateOnNaN(),
    ]
    if settings.ema:
        watch.append(keras.callbacks.SwapEMAWeights())
    model.fit(
        data.training(
            settings.batch_size,
            seed=settings.seed,
            first_epoch=first_epoch,
            labels=settings.conditional,
        ),
        steps_per_epoch=steps,
        initial_epoch=first_epoch,
        epochs=settings.epochs,
        validation_data=data.evaluation(
            "validation", settings.batch_size, labels=settings.conditional
        ),
        callbacks=watch,
        verbose=1 if sys.stdout.isatty() else 2,
    )
    checkpoint.finish()
    return float(checkpoint.rows()[-1]["seconds"])


class Seconds(keras.callbacks.Callback):
    """Adds the time spent in training so far to the log of each epoch."""

    def __init__(self, before):
        super().__init__()
        self._start = time.monotonic() - before

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = round(time.monotonic() - self._start, 1)
