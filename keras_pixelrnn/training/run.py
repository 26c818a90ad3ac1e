"""A whole training: data, model, fit, and the results of it."""

import sys
from collections.abc import Sequence
from typing import Any

import keras

from keras_pixelrnn import data as sources
from keras_pixelrnn.training import resuming
from keras_pixelrnn.training.checkpoints import sweep_up
from keras_pixelrnn.training.fit import fit, stored
from keras_pixelrnn.training.lock import only_one
from keras_pixelrnn.training.making import make_model
from keras_pixelrnn.training.results import finished_epochs, forget, write_results
from keras_pixelrnn.training.resumable import steps_of
from keras_pixelrnn.training.schedule import compile_model
from keras_pixelrnn.training.settings import Settings
from keras_pixelrnn.training.stopping import Stopped, Stopping


def load_data(settings):
    """The images that `settings` name, as an `ImageData`."""
    found = sources.load(
        settings.dataset,
        data_dir=settings.data_dir,
        levels=settings.levels,
        binarization=settings.binarization,
        image_size=settings.image_size,
        channels=settings.channels,
    )
    return found if settings.background is None else found.noised(settings.background)


def train(settings: Settings, callbacks: Sequence[Any] = ()) -> Any:
    """Train, evaluate, draw, export. Everything lands in `settings.output`.

    Killed at any moment and called again with `resume`, it ends with the same weights, history and
    metrics as without the kill, times aside. Told to stop by SIGTERM or SIGINT it keeps its state and
    raises `Stopped`, a `SystemExit` with the usual code, within ten seconds.

    Args:
        settings: a `Settings`.
        callbacks: more `keras.callbacks.Callback`s, such as one that shows progress.

    Raises:
        ValueError: settings that fit neither model nor data nor what the folder holds; another process
            trains into the folder.
        OSError: something cannot be written; the last checkpoint is untouched.
    """
    try:
        with Stopping() as stopping:
            _train(settings, stopping, callbacks)
    except Stopped as stopped:
        print(f"pixelrnn: {stopped}", file=sys.stderr, flush=True)
        raise


def _train(settings, stopping, callbacks):
    keras.utils.set_random_seed(settings.seed)
    data = load_data(settings)
    model = make_model(settings, data)
    steps = steps_of(data.steps_per_epoch(settings.batch_size), settings.steps_per_execution)
    settings.state.mkdir(parents=True, exist_ok=True)
    with only_one(settings.state):
        begun = resuming.check_folder(settings, stored(settings, data))
        sweep_up(settings.state)
        sweep_up(settings.output)
        if begun is None:
            forget(settings.state)
        elif resuming.finished(settings.state, begun) and (
            begun.ended or begun.epoch == settings.epochs
        ):
            print(
                f"The training in {settings.output} is finished: {begun.epoch} epochs, results "
                f"written. {begun.ended or 'To go on, ask for more with --epochs.'}"
            )
            return
        compile_model(settings, model, settings.epochs * steps)
        print(f"{model.name}: {model.count_params():,} parameters on {data.protocol}")
        if begun is not None:
            print(_goes_on(settings, begun, steps))
        progress = fit(settings, model, data, stopping, callbacks)
        write_results(settings, model, data, progress)


def _goes_on(settings, begun, steps):
    """What a resumed training says first."""
    where = f"epoch {begun.epoch} of {settings.epochs}"
    if begun.step:
        where += f", step {begun.step} of {steps}"
    text = f"going on at {where}"
    before = finished_epochs(settings.state)
    if before is not None:
        text += (
            f". The results of {before} epochs are there: their SavedModel stays, model.keras, "
            "metrics.json and the pictures are replaced at the end. The learning rate goes on along "
            f"the cosine of {settings.epochs} epochs, from where {begun.epoch} of them have brought it"
        )
    return text
