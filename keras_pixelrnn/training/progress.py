"""The whole state of a training: where it stands, and every variable there is."""

from dataclasses import asdict, dataclass, field

import numpy as np
from keras import ops

FORMAT = 1


@dataclass
class Progress:
    """Where a training stands.

    Attributes:
        epoch: the epoch in progress, from 0.
        step: batches of it that are done; all of them where only its validation is left to do.
        batches: batches seen in all, the position in the data.
        seconds: time spent so far.
        rows: the history, one dict for each finished epoch.
        lowest: the best value of what is monitored.
        ended: why the training ended before its last epoch, or None.
        steps: batches of an epoch; None in checkpoints that do not say.
        begun: what else it was begun with, as `begun.facts` says; None likewise.
    """

    epoch: int = 0
    step: int = 0
    batches: int = 0
    seconds: float = 0.0
    rows: list = field(default_factory=list)
    lowest: float | None = None
    ended: str | None = None
    steps: int | None = None
    begun: dict | None = None

    def manifest(self, settings):
        """What goes beside the arrays in a checkpoint."""
        return {"format": FORMAT, "progress": asdict(self), "settings": settings}

    @classmethod
    def of(cls, manifest):
        """The progress in the manifest of a checkpoint."""
        if manifest.get("format") != FORMAT:
            raise ValueError(
                f"The checkpoint is of another version of this package, which reads format {FORMAT}. "
                f"Go on with the one that wrote it. Received: format {manifest.get('format')!r}"
            )
        return cls(**manifest["progress"])


def groups(model):
    """Every variable that training changes, by kind: `{kind: variables}`.

    Those of the model include the random states of dropout; those of the optimizer its step count and
    the averaged weights; the metrics hold the sums of an epoch in progress.
    """
    return {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "metrics": model.metrics_variables,
    }


def capture(model, kinds=("model", "optimizer", "metrics")):
    """Copies of all variables as `{"kind/position": array}`."""
    return {
        f"{kind}/{index:04}": np.array(ops.convert_to_numpy(variable))
        for kind in kinds
        for index, variable in enumerate(groups(model)[kind])
    }


def restore(model, arrays, kinds=("model", "optimizer")):
    """Give all variables of some kinds the values of `capture`.

    Raises:
        ValueError: the arrays are those of another model or optimizer.
    """
    for kind in kinds:
        for variable, array in zip(groups(model)[kind], checked(model, arrays, kind)):
            variable.assign(array)


def checked(model, arrays, kind):
    """The arrays of one kind, or `ValueError` where they do not fit the variables of the model."""
    stored = of_kind(arrays, kind)
    wanted = [tuple(variable.shape) for variable in groups(model)[kind]]
    if wanted != [array.shape for array in stored]:
        raise ValueError(
            f"The checkpoint holds the {kind} variables of another model: {len(stored)} arrays "
            f"where this one has {len(wanted)}, or of other shapes. Resume with the code and "
            "the settings it was made with."
        )
    return stored


def of_kind(arrays, kind):
    """The arrays of one kind, in their order."""
    return [arrays[name] for name in sorted(arrays) if name.startswith(kind + "/")]
