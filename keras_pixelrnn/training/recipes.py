"""Recipes: settings by name, packaged as TOML files."""

import tomllib
from dataclasses import fields
from importlib import resources

from keras_pixelrnn.training.settings import Settings


def recipe_names():
    """Names of all recipes that come with the package."""
    folder = resources.files("keras_pixelrnn") / "recipes"
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def read_recipe(name):
    """Settings of a recipe, as keyword arguments of `Settings`.

    Raises:
        ValueError: there is no such recipe, or it has settings that a training does not.

    Example:

    >>> read_recipe("digits_conditional")["dataset"]
    'digits'
    """
    if name not in recipe_names():
        raise ValueError(
            f"Unknown recipe. Expected one of: {', '.join(recipe_names())}. Received: {name!r}"
        )
    file = resources.files("keras_pixelrnn") / "recipes" / f"{name}.toml"
    settings = {
        key.replace("-", "_"): value for key, value in tomllib.loads(file.read_text()).items()
    }
    unknown = set(settings) - {field.name for field in fields(Settings)}
    if unknown:
        raise ValueError(
            f"The recipe {name!r} has settings that a training does not. Received: {sorted(unknown)}"
        )
    return {**settings, "recipe": name}
