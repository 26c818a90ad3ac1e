"""Whether a training may go on in its folder, and with which settings."""

from keras_pixelrnn.training.checkpoints import Checkpoints
from keras_pixelrnn.training.progress import Progress
from keras_pixelrnn.training.results import finished_epochs
from keras_pixelrnn.training.settings import Settings, as_given

GROWS = "epochs"  # the one setting that a resumed training may change


def resumed(given):
    """`Settings` of a training that goes on: those it was begun with, and more `epochs` if asked.

    Args:
        given: settings that were asked for explicitly, `output` among them.

    Raises:
        ValueError: there is nothing to go on with, or settings are not those it was begun with.
    """
    asked = Settings(**given)
    kept = Checkpoints(asked.state).load()
    if kept is None:
        raise ValueError(
            f"There is no training to resume in {asked.output}. Begin it without --resume."
        )
    begun = kept[0]["settings"]
    if not isinstance(begun, dict):
        raise ValueError(
            f"The training in {asked.output} was begun from Python: go on with it there, by the same "
            f"call of `resumable_fit`. Received: settings {begun!r} in its checkpoint"
        )
    names = {name for name in asked.to_dict() if name in begun and name != "data_dir"}
    refuse_others(
        {name: value for name, value in asked.to_dict().items() if name in names & set(given)},
        begun,
    )
    return Settings(**as_given({name: begun[name] for name in names}) | given)


def check_folder(settings, data_facts):
    """Look at what the folder of `settings` holds; returns its `Progress`, or None for a new training.

    Raises:
        ValueError: it does not fit the settings, naming what does not.
    """
    checkpoints = Checkpoints(settings.state)
    kept = checkpoints.load()
    if not settings.resume:
        if kept is not None and not finished(settings.state, Progress.of(kept[0])):
            raise ValueError(
                f"{settings.output} holds an interrupted training. Go on with it by --resume, or "
                f"choose another --output, or delete {settings.state} to give it up."
            )
        checkpoints.clear()
        return None
    if kept is None:
        raise ValueError(
            f"There is no training to resume in {settings.output}. Begin it without --resume."
        )
    manifest = kept[0]
    refuse_others(data_facts, manifest["settings"])
    progress = Progress.of(manifest)
    if settings.epochs < progress.epoch:
        raise ValueError(
            f"The training in {settings.output} has seen {progress.epoch} epochs already. Ask for "
            f"more, or train anew. Received: epochs={settings.epochs}"
        )
    return progress


def finished(state, progress):
    """Whether all results of a training that stands at `progress` are written."""
    return progress.step == 0 and progress.epoch == finished_epochs(state)


def refuse_others(given, begun):
    """`ValueError` that names every setting of `given` that is not as in `begun`."""
    others = [
        f"{name}={value!r}, begun with {name}={begun[name]!r}"
        for name, value in given.items()
        if name in begun and name not in (GROWS, "data_dir") and begun[name] != value
    ]
    if others:
        raise ValueError(
            "A training goes on with what it was begun with; only --epochs may change. Leave these "
            f"out, or choose another --output. Received: {'; '.join(others)}"
        )
