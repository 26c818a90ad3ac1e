"""Settings from what is given: arguments, a recipe, an interrupted training."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from keras_pixelrnn.training.recipes import read_recipe
from keras_pixelrnn.training.settings import Settings


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
    from keras_pixelrnn.training.resuming import resumed  # Keras

    return resumed(given)
