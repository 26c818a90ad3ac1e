"""Trained models that come with the package: a folder each, and what is known of it.

A folder is an unzipped `.keras` file (`config.json`, `metadata.json`, `model.weights.h5`), which
`keras.saving.load_model` reads, with `preset.json` beside: figures, data set and its licence, protocol,
settings of the training, version of the package. Reading those needs no Keras.
"""

import json
from importlib import resources
from pathlib import Path
from typing import Any

FACTS = "preset.json"


def names() -> list[str]:
    """Names of all trained models that come with the package.

    Example:

    >>> "digits" in names()
    True
    """
    root = Path(str(resources.files(__name__)))
    return sorted(entry.parent.name for entry in root.glob(f"*/{FACTS}"))


def folder(name: str) -> Path:
    """Folder of a trained model that comes with the package; `ValueError` for an unknown name."""
    if name not in names():
        raise ValueError(
            f"Unknown preset. Expected one of: {', '.join(names())}. Received: {name!r}"
        )
    return Path(str(resources.files(__name__))) / name


def facts(preset: str | Path) -> dict[str, Any]:
    """What `preset.json` says of a model: figures, data set, protocol, settings.

    Args:
        preset: a name of `names()`, or a folder that `save_to_preset` wrote.

    Returns:
        dict, with the keys "name", "model", "image_shape", "parameters", "package_version" and, where
        they are known, "test", "protocol", "dataset", "training", "paper", "sampling".

    Raises:
        ValueError: there is no such preset, or its file cannot be read.

    Example:

    >>> facts("digits")["dataset"]["licence"]
    'CC BY 4.0'
    """
    here = Path(preset)
    file = (here if (here / FACTS).is_file() else folder(str(preset))) / FACTS
    return read_object(file)


def read_object(file: Path) -> dict[str, Any]:
    """The object in a JSON file; `ValueError` that names a file which holds none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is damaged. Received: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file} is damaged: it must hold an object. Received: {str(found)[:100]}")
    return found
