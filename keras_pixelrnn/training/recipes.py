"""Recipes: settings by name, packaged as TOML files."""

import tomllib
from dataclasses import fields
from importlib import resources
from typing import Any

from keras_pixelrnn.training.settings import Settings


def recipe_names() -> list[str]:
    """Names of all recipes that come with the package."""
    folder = resources.files("keras_pixelrnn") / "recipes"
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def read_recipe(name: str, gpu: bool = False) -> dict[str, Any]:
    """Settings of a recipe, as keyword arguments of `Settings`.

    Args:
        name: of the recipe.
        gpu: with what its table `[gpu]` says instead: batches and rates that suit a GPU, where a step
            takes hardly longer for a larger batch.

    Raises:
        ValueError: there is no such recipe, or it has settings that a training does not, or `gpu` is
            asked of a recipe without that table.

    Example:

    >>> read_recipe("digits_conditional")["dataset"]
    'digits'
    >>> read_recipe("binarized_mnist_row")["batch_size"]
    16
    >>> read_recipe("binarized_mnist_row", gpu=True)["batch_size"]
    64
    """
    if name not in recipe_names():
        raise ValueError(
            f"Unknown recipe. Expected one of: {', '.join(recipe_names())}. Received: {name!r}"
        )
    file = resources.files("keras_pixelrnn") / "recipes" / f"{name}.toml"
    written = _read(file)
    own = written.pop("gpu", None)
    if gpu:
        if own is None:
            raise ValueError(
                f"The recipe {name!r} has no [gpu] table. Leave --gpu out, and choose the settings "
                f"yourself. Received: gpu={gpu}"
            )
        written |= {**own, "gpu": True}
    settings = {key.replace("-", "_"): value for key, value in written.items()}
    unknown = set(settings) - {field.name for field in fields(Settings)}
    if unknown:
        raise ValueError(
            f"The recipe {name!r} has settings that a training does not. Received: {sorted(unknown)}"
        )
    return {**settings, "recipe": name}


def _read(file):
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # no UTF-8, or no TOML
        raise ValueError(
            f"The recipe {file} is damaged. Install the package again. Received: {error}"
        ) from error
