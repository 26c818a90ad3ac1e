"""Variables of models by the names that two models of one architecture share."""

from collections import Counter


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


def differences(source, target) -> list[str]:
    """Sentences about each variable that only one of two models has, or whose shapes differ."""
    ours, theirs = values_by_path(source), values_by_path(target)
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
