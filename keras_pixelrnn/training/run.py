"""A whole training: data, model, fit, and the results of it."""

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

import keras

from keras_pixelrnn import backend, checks
from keras_pixelrnn import data as sources
from keras_pixelrnn.training import resuming, together
from keras_pixelrnn.training.checkpoints import Checkpoints, sweep_up
from keras_pixelrnn.training.fit import stored
from keras_pixelrnn.training.given import nothing_there
from keras_pixelrnn.training.lock import only_one
from keras_pixelrnn.training.making import begin_with, make_model
from keras_pixelrnn.training.results import finished_epochs, forget, lost, repeat, write_results
from keras_pixelrnn.training.resumable import steps_of
from keras_pixelrnn.training.schedule import compile_model
from keras_pixelrnn.training.settings import Settings
from keras_pixelrnn.training.stopping import Stopped, Stopping


def load_data(settings):
    """The images that `settings` name, as an `ImageData`."""
    found = sources.load(
        settings.dataset,
        data_dir=settings.data_dir,
        values=settings.values,
        value_range=settings.value_range,
        levels=settings.levels,
        binarization=settings.binarization,
        image_size=settings.image_size,
        channels=settings.channels,
        background=settings.transparent_on,
        on_error=settings.on_error,
    )
    return found if settings.background is None else found.noised(settings.background)


def train(settings: Settings, callbacks: Sequence[Any] = ()) -> Any:
    """Train, evaluate, draw, export. Everything lands in `settings.output`.

    Killed at any moment and called again with `resume`, it ends with the same weights, history and
    metrics as without the kill, times aside. Told to stop by SIGTERM or SIGINT it keeps its state and
    raises `Stopped`, a `SystemExit` with the usual code, within ten seconds. One of several processes
    that train together ends there and then, and so it does where another one is gone.

    Args:
        settings: a `Settings`.
        callbacks: more `keras.callbacks.Callback`s, such as one that shows progress.

    Returns:
        Whether this process has written the results; of several that train together one does.

    Raises:
        ValueError: settings that fit neither model nor data nor what the folder holds; another process
            trains into the folder.
        OSError: something cannot be written; the last checkpoint is untouched.
    """
    if not isinstance(settings, Settings):
        raise ValueError(
            "`settings` must be a `Settings`, as `training.with_recipe({...})` makes them. "
            f"Received: settings={checks.shown(settings)}"
        )
    try:
        with Stopping() as stopping:
            return _train(settings, stopping, callbacks)
    except Stopped as stopped:
        kept = bool(Checkpoints(settings.state).paths())
        print(f"pixelrnn: {stopped.told(kept)}", file=sys.stderr, flush=True)
        raise


def _train(settings, stopping, callbacks):
    keras.utils.set_random_seed(settings.seed)
    team = backend.Team(settings.distribute)
    stopping.follows = team.rank > 0
    if not settings.resume:
        _keep_apart(settings.output, settings.dataset)
    data = load_data(settings)
    if settings.batch_size % team.devices:
        raise ValueError(
            f"Each of the {team.devices} devices takes an equal part of a batch: --batch-size must be a "
            f"multiple of {team.devices}. Received: batch_size={settings.batch_size}"
        )
    steps = steps_of(data.steps_per_epoch(settings.batch_size), settings.steps_per_execution)
    with contextlib.ExitStack() as held:
        with team:
            model = make_model(settings, data)
            # Refused, like all else that can be, before the folder is made.
            report = None
            if settings.initial_weights and not settings.resume:
                report = begin_with(settings.initial_weights, model)
            with team.led():
                begun, done = _begin(settings, data, held, team.rank == 0)
            if done:
                return not team.rank
            if report is not None and not team.rank:
                print(f"weights of {settings.initial_weights}: {report}")
            compile_model(settings, model, settings.epochs * steps)
            if not team.rank:
                print(f"{model.name}: {model.count_params():,} parameters on {data.protocol}")
                if begun is not None:
                    print(_goes_on(settings, begun, steps))
            progress = together.fit(settings, model, data, stopping, callbacks, team)
        if settings.distribute:
            model = together.apart(settings, model, data, steps, team)
        if not team.rank:
            write_results(settings, model, data, progress)
        return not team.rank


def _keep_apart(output, dataset):
    """`ValueError` where results, pictures among them, would be images of a later training."""
    folder = checks.home(dataset)
    named = str(dataset) == "digits"  # which comes along, whatever lies here
    if not named and folder.is_dir() and output.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            "The folder of results must not lie in that of the images: pictures that are drawn would be "
            f"trained on the next time. Choose another --output. Received: output={str(output)!r}, "
            f"dataset={str(dataset)!r}"
        )


def _begin(settings, data, held, leads):
    """`Progress` that the training in the folder goes on from, or None, and whether nothing is left to
    do. The process that leads locks the folder, within `held`, and tidies it up."""
    if settings.resume and not Checkpoints(settings.state).paths():
        raise nothing_there(settings)
    if leads:
        with checks.writing(settings.state, "Nothing was begun.", ", or choose another --output"):
            settings.state.mkdir(parents=True, exist_ok=True)
        held.enter_context(only_one(settings.state))
    begun = resuming.check_folder(settings, stored(settings, data))
    if leads:
        sweep_up(settings.state)
        sweep_up(settings.output)
        if begun is None:
            if (before := finished_epochs(settings.state)) is not None:
                print(_replaced(before))
            forget(settings.state)
    finished = (
        begun is not None
        and resuming.finished(settings.state, begun)
        and (begun.ended or begun.epoch == settings.epochs)
    )
    if finished and (names := lost(settings)):
        finished = False
        if leads:
            print(f"gone or damaged since they were written: {', '.join(names)}; written again")
            repeat(settings, names)
    if finished and leads:
        print(
            f"The training in {settings.output} is finished: {begun.epoch} epochs, results "
            f"written. {begun.ended or 'To go on, ask for more with --epochs.'}"
        )
    return begun, finished


def _goes_on(settings, begun, steps):
    """What a resumed training says first."""
    where = f"epoch {begun.epoch} of {settings.epochs}"
    if begun.step:
        where += f", step {begun.step} of {steps}"
    text = f"going on at {where}"
    before = finished_epochs(settings.state)
    if before is not None:
        text += (
            f". {_replaced(before)} The learning rate goes on along "
            f"the cosine of {settings.epochs} epochs, from where {begun.epoch} of them have brought it"
        )
    return text


def _replaced(epochs):
    """What becomes of the results that a folder has of an earlier end of a training."""
    return (
        f"The results of {epochs} epochs are there: their SavedModel stays, model.keras, metrics.json "
        "and the pictures are replaced at the end."
    )
