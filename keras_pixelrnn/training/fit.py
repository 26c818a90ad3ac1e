"""The training that settings ask for: its checks, its data, its fit."""

import importlib.util
import math

import keras

from keras_pixelrnn import backend
from keras_pixelrnn.data.digest import digest
from keras_pixelrnn.training.resumable import resumable_fit

MOST_BYTES = 2**30  # of training images that are kept on the device


def fit(settings, model, data, stopping=None, callbacks=(), team=None):
    """Train, or go on, on the devices of `team`. Returns the `Progress`; the model has the weights that
    are best on validation."""
    steps = data.steps_per_epoch(settings.batch_size)
    resident = _resident(settings, data)
    team = team or backend.Team(distribute=False)
    leads = team.rank == 0

    def batches(seen):
        if resident is not None:
            return data.numbers(
                settings.batch_size, seed=settings.seed, first_step=seen, part=team.part
            )
        return data.training(
            settings.batch_size,
            seed=settings.seed,
            first_epoch=seen // steps,
            first_step=seen % steps,
            labels=settings.conditional,
            part=team.part,
        )

    return resumable_fit(
        model,
        batches,
        epochs=settings.epochs,
        steps_per_epoch=steps,
        validation_data=_validation(settings, data, team),
        folder=settings.state,
        monitor="bits_per_dim",
        settings=stored(settings, data),
        history=settings.output / "history.csv",
        minutes=settings.checkpoint_minutes,
        stopping=stopping,
        callbacks=[*callbacks, *_tensorboard(settings.state / "tensorboard")] if leads else [],
        resident=resident,
        writes=leads,
        verbose=2 if leads else 0,  # a line an epoch
    )


def _validation(settings, data, team):
    """All validation images: those that fill no batch apart, since every device takes an equal part."""
    size, labels = settings.batch_size, settings.conditional
    if team.devices == 1:
        return data.evaluation("validation", size, labels=labels)
    count = data.sizes["validation"] // size * size
    parts = [(count, data.evaluation("validation", size, labels=labels, part=team.part))]
    rest = data.rest("validation", size, team.devices // team.processes, labels=labels)
    if rest is not None:
        parts.append((data.sizes["validation"] - count, rest))

    def validate(model, callbacks):
        found = [
            (count, model.evaluate(part, callbacks=callbacks, verbose=0, return_dict=True))
            for count, part in parts
            if count
        ]
        total = sum(count for count, _ in found)
        return {
            name: sum(count * metrics[name] for count, metrics in found) / total
            for name in found[0][1]
        }

    return validate


def _resident(settings, data):
    """The training images, and labels where they are wanted, if the device is to hold them: under JAX,
    where they are the same in every epoch and not too many."""
    size = data.sizes["train"] * math.prod(data.image_shape) * data.dtype.itemsize
    if keras.config.backend() != "jax" or data.binarization == "dynamic" or size > MOST_BYTES:
        return None
    images = data.whole("train", labels=settings.conditional)
    return images if settings.conditional else (images,)


def stored(settings, data):
    """What a checkpoint says of the training it belongs to."""
    return {
        **settings.to_dict(),
        "data_protocol": data.protocol,
        "training_images": data.sizes["train"],
        "data_digest": digest(data),
        "keras_backend": keras.config.backend(),
    }


def _tensorboard(folder):
    """TensorBoard logs where TensorFlow, which writes them, is installed."""
    if importlib.util.find_spec("tensorflow") is not None:
        yield keras.callbacks.TensorBoard(str(folder), write_graph=False)
