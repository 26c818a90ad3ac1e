"""Variables of models by the names that two models of one architecture share."""

from collections import Counter

import numpy as np
from keras import ops


def values_by_path(model) -> dict:
    """`{(path, occurrence): variable}` of all weights, without the random state of dropout.

    Two networks in one model have the same paths; they come in the same order in each model.
    """
    seen, found = Counter(), {}
    for variable in model.variables:
        if "seed_generator" in variable.path:
            continue
        found[variable.path, seen[variable.path]] = variable
        seen[variable.path] += 1
    return found


def check_finite(model, where: str) -> None:
    """`ValueError` where weights are nan or infinite: every image would get 0, and nobody a word."""
    for (path, _), variable in values_by_path(model).items():
        values = ops.convert_to_numpy(ops.cast(variable, "float32"))
        wrong = int((~np.isfinite(values)).sum())
        if wrong:
            raise ValueError(
                f"The weights of {where} are no numbers: its training went wrong. Train it anew, with a "
                f"lower learning rate, or take weights from before. Received: {wrong} of {values.size} "
                f"values of {path} nan or infinite"
            )


def differences(source, target) -> list[str]:
    """Sentences about each variable that only one of two models has, or whose shapes differ."""
    return told_apart(values_by_path(source), values_by_path(target))


def told_apart(ours: dict, theirs: dict) -> list[str]:
    """`differences` of what `values_by_path` returned of two models."""
    found = []
    for key in dict.fromkeys([*theirs, *ours]):
        if key not in ours:
            found.append(f"{key[0]} {tuple(theirs[key].shape)}: only the target has it")
        elif key not in theirs:
            found.append(f"{key[0]} {tuple(ours[key].shape)}: only the source has it")
        elif ours[key].shape != theirs[key].shape:
            found.append(
                f"{key[0]}: {tuple(ours[key].shape)} of the source, "
                f"{tuple(theirs[key].shape)} of the target"
            )
    return found
