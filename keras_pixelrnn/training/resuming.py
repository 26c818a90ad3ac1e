"""Whether a training may go on in its folder."""

from keras_pixelrnn.training.checkpoints import Checkpoints
from keras_pixelrnn.training.given import nothing_there, refuse_others
from keras_pixelrnn.training.progress import Progress
from keras_pixelrnn.training.results import finished_epochs


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
        raise nothing_there(settings)
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
