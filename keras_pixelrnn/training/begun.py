"""What a training was begun with, and whether a call goes on with it."""

import inspect
import json

import keras
import numpy as np

# Of an optimizer: what its variables hold, what differs from process to process, and a rate that may
# be planned anew for more epochs.
CHANGES = ("learning_rate", "name", "inner_optimizer")
# Of a layer: both are made up where none was given, and what a seed began is in the checkpoint.
MADE_UP = ("name", "seed")


def facts(model, monitor):
    """What the variables of a checkpoint do not tell of a training, for JSON."""
    optimizer = model.optimizer
    found = {"monitor": monitor, "model": type(model).__name__}
    if (distribution := getattr(model, "distribution", None)) is not None:
        found["distribution"] = repr(distribution)
    layers = list(model._flatten_layers())
    found["layers"] = [type(layer).__name__ for layer in layers]  # one may come, or go
    for layer in layers:
        for key, value in _settings(layer).items():
            found.setdefault(f"{type(layer).__name__}.{key}", []).append(value)
    found["frozen_weights"] = [i for i, w in enumerate(model.weights) if not w.trainable]
    found["loss"] = getattr(model, "loss", None)  # also where there is none: one may come
    while optimizer is not None:
        name = type(optimizer).__name__
        found["optimizer"] = " of ".join(filter(None, [found.get("optimizer"), name]))
        config = optimizer.get_config()
        found |= {f"{name}.{key}": config[key] for key in config if key not in CHANGES}
        optimizer = getattr(optimizer, "inner_optimizer", None)
    return json.loads(json.dumps(found, default=_shown))


def _settings(layer):
    """What a layer was made with, as far as it is plain, and what it computes in."""
    found = {"dtype": layer.dtype_policy.name}
    if isinstance(layer, keras.Model):  # its layers tell; it tells of names
        return found
    try:
        config = layer.get_config()
    except Exception:  # of whatever the user's own class raises
        return found
    return {key: x for key, x in config.items() if key not in MADE_UP and _is_plain(x)} | found


def _is_plain(value):
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _shown(value):
    """What JSON does not know, so that it is the same in another process."""
    if inspect.isroutine(value):
        return value.__name__
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    try:
        return keras.saving.serialize_keras_object(value)
    except Exception:  # of whatever the user's own class raises
        return type(value).__name__


def check_same(progress, before, *, epochs, steps, execution, made, settings, folder):
    """`ValueError` where a checkpoint is of a training that this call does not go on with.

    Args:
        progress: of the checkpoint.
        before: `settings` of the checkpoint.
        epochs, settings, folder: of the call.
        steps, execution: steps of an epoch, and of an execution.
        made: the `facts` of the call.
    """
    others = []
    if progress.steps not in (None, steps):
        others.append(f"{steps} steps an epoch, begun with {progress.steps}")
    elif progress.step and (left := steps - progress.step) % execution:
        others.append(
            f"steps_per_execution={execution}, with {left} steps of an epoch in progress left"
        )
    # Where nothing is judged yet, it may be judged by something else.
    judged = progress.lowest is not None
    pairs = [({k: v for k, v in made.items() if judged or k != "monitor"}, progress.begun)]
    if isinstance(before, dict) and isinstance(settings, dict):
        # As they come back from JSON. More epochs are a way to go on.
        given = json.loads(json.dumps({k: v for k, v in settings.items() if k != "epochs"}))
        pairs.append((given, before))
    for given, begun in pairs:
        others += [
            f"{name}={value!r}, begun with {name}={begun[name]!r}"
            for name, value in given.items()
            if name in (begun or {}) and begun[name] != value
        ]
    if epochs < progress.epoch:
        others.append(f"epochs={epochs}, {progress.epoch} of which are done")
    if others:
        raise ValueError(
            f"The training in {folder} goes on with what it was begun with, and as many epochs or more. "
            f"Choose another `folder` for another training. Received: {'; '.join(others)}"
        )


def endless(data, steps):
    """`data`, or `ValueError` where a `tf.data.Dataset` is known to end before so many batches."""
    count = int(data.cardinality()) if hasattr(data, "cardinality") else -1
    if 0 <= count < steps:
        raise ValueError(
            "`batches` must return a data set without an end: dataset.repeat().skip(seen). "
            f"Received: one of {count} batches, where {steps} are left to do"
        )
    return data
