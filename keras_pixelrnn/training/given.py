"""Settings from what is given: arguments, a recipe, an interrupted training."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from keras_pixelrnn.training.checkpoints import Checkpoints
from keras_pixelrnn.training.recipes import read_recipe
from keras_pixelrnn.training.settings import Settings, as_given

GROWS = "epochs"  # the one setting that a resumed training may change


def with_recipe(given: dict[str, Any]) -> Settings:
    """`Settings` from keyword arguments: those given, else those of their recipe, else defaults.

    With `resume`, what is not given is as the training in `output` was begun with.

    Raises:
        TypeError: there is no setting of a name.
        ValueError: a value that is not what its setting takes, an unknown recipe, a training in
            `output` that was begun with other settings.
    """
    from keras_pixelrnn import checks  # NumPy

    if not isinstance(given, Mapping):
        raise ValueError(
            f"`given` must be a dict of settings. Received: given={checks.shown(given)}"
        )
    checks.unknown(Settings, dict(given), {field.name for field in fields(Settings)})
    recipe = given.get("recipe")
    gpu = given.get("gpu", False)
    if gpu and not recipe:
        raise ValueError(
            "--gpu takes the settings for a GPU from a recipe: name it by --recipe. Received: gpu=True"
        )
    said, given = given, {**(read_recipe(recipe, gpu) if recipe else {}), **given}
    if not given.get("resume"):
        settings = Settings(**given)
        settings.said = frozenset(name for name, value in said.items() if value is not None)
        return settings
    return resumed(given)


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
        raise nothing_there(asked)
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


def nothing_there(settings):
    """The error of a training that cannot go on."""
    return ValueError(
        f"There is no training to resume in {settings.output}. Begin it without --resume."
    )


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
