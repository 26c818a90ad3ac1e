"""The training that settings ask for: its checks, its data, its fit."""

import importlib.util

import keras

from keras_pixelrnn.training.resumable import resumable_fit


def fit(settings, model, data, stopping=None, callbacks=()):
    """Train, or go on. Returns the `Progress`; the model has the weights that are best on validation."""
    steps = data.steps_per_epoch(settings.batch_size)

    def batches(seen):
        return data.training(
            settings.batch_size,
            seed=settings.seed,
            first_epoch=seen // steps,
            first_step=seen % steps,
            labels=settings.conditional,
        )

    return resumable_fit(
        model,
        batches,
        epochs=settings.epochs,
        steps_per_epoch=steps,
        validation_data=data.evaluation(
            "validation", settings.batch_size, labels=settings.conditional
        ),
        folder=settings.state,
        monitor="bits_per_dim",
        settings=stored(settings, data),
        history=settings.output / "history.csv",
        minutes=settings.checkpoint_minutes,
        stopping=stopping,
        callbacks=[*callbacks, *_tensorboard(settings.state / "tensorboard")],
        verbose=2,  # a line an epoch
    )


def stored(settings, data):
    """What a checkpoint says of the training it belongs to."""
    return {
        **settings.to_dict(),
        "data_protocol": data.protocol,
        "training_images": data.sizes["train"],
        "keras_backend": keras.config.backend(),
    }


def _tensorboard(folder):
    """TensorBoard logs where TensorFlow, which writes them, is installed."""
    if importlib.util.find_spec("tensorflow") is not None:
        yield keras.callbacks.TensorBoard(str(folder), write_graph=False)
