"""Trained models that come with the package: a folder each, and what is known of it.

A folder is an unzipped `.keras` file (`config.json`, `metadata.json`, `model.weights.h5`), which
`keras.saving.load_model` reads, with `preset.json` beside: figures, data set and its licence, protocol,
settings of the training, version of the package. Reading those needs no Keras.
"""

import json
import os
import shlex
from importlib import resources
from pathlib import Path
from typing import Any

FACTS = "preset.json"
HUB = "hf://"  # how names of a hub begin


def names() -> list[str]:
    """Names of all trained models that come with the package.

    Example:

    >>> "digits" in names()
    True
    """
    root = Path(str(resources.files(__name__)))
    return sorted(entry.parent.name for entry in root.glob(f"*/{FACTS}"))


def comes_along(preset: str | os.PathLike) -> bool:
    """Whether `preset` is the name of a model that comes with the package: such a name goes before a
    file or folder of that name, which is meant by "./name" or a `Path`.

    Example:

    >>> comes_along("digits"), comes_along("./digits"), comes_along(Path("digits"))
    (True, False, False)
    """
    return isinstance(preset, str) and preset in names()


def spelled(path: str | os.PathLike) -> str:
    """A path as a word of a shell's command that means it: quoted, and neither the name of a model that
    comes with the package, nor an option, nor in somebody's home folder.

    Example:

    >>> spelled("runs/mine"), spelled("digits"), spelled("my runs"), spelled("-x")
    ('runs/mine', './digits', "'my runs'", './-x')
    """
    text = os.fspath(path)
    here = comes_along(text) or text.startswith(("-", "~"))
    return shlex.quote(f"./{text}" if here else text)


def called(preset: str | os.PathLike) -> str:
    """What a model goes by: its name, or that of its folder or `.keras` file, also of "." or "..".

    Example:

    >>> called("digits"), called("hf://me/mine"), called("runs/v1.2/"), called("runs/../mine.keras")
    ('digits', 'mine', 'v1.2', 'mine')
    """
    name = os.path.basename(os.path.abspath(os.path.expanduser(preset)))
    return name.removesuffix(".keras")


def folder(name: str) -> Path:
    """Folder of a trained model that comes with the package; `ValueError` for an unknown name."""
    if name not in names():
        raise ValueError(
            f"Unknown preset. Expected one of: {', '.join(names())}. Received: {name!r}"
        )
    return Path(str(resources.files(__name__))) / name


def held(path: Path) -> Path:
    """What Keras reads of the model at a path: a `.keras` file, or a folder with a configuration.

    Raises:
        ValueError: nothing of the kind is there.
    """
    if path.is_file() and path.suffix == ".keras":
        return path
    for file, source in (("model.keras", path / "model.keras"), ("config.json", path)):
        if (path / file).is_file():
            return source
    named = path.resolve().name in names()
    hint = f" For the model that comes along, write {path.resolve().name!r} alone." * named
    raise ValueError(
        f"The {'folder' if path.is_dir() else 'file'} {path} holds no model. Expected config.json "
        "beside model.weights.h5, as `save_to_preset` writes them, or model.keras, as `pixelrnn train` "
        f"does.{hint}"
    )


def facts(preset: str | Path) -> dict[str, Any]:
    """What `preset.json` says of a model: figures, data set, protocol, settings.

    Args:
        preset: a name of `names()`, or a folder that `save_to_preset` wrote ("./name" where it has such
            a name).

    Returns:
        dict, with the keys "name", "model", "image_shape", "parameters", "package_version" and, where
        they are known, "test", "protocol", "dataset", "training", "paper", "sampling".

    Raises:
        ValueError: there is no such preset, or its file cannot be read.

    Example:

    >>> facts("digits")["dataset"]["licence"]
    'CC BY 4.0'
    """
    here = Path(os.path.expanduser(preset))
    if not comes_along(preset) and here.is_dir():
        if not (here / FACTS).is_file():
            card = f" What is known of it is {here / 'README.md'}." * (here / "README.md").is_file()
            raise ValueError(
                f"The folder {here} has no {FACTS}, as `save_to_preset` writes it.{card}"
            )
        return read_object(here / FACTS)
    return read_object(folder(str(preset)) / FACTS)


def read_object(file: Path) -> dict[str, Any]:
    """The object in a JSON file; `ValueError` that names a file which holds none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged. Received: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file} is damaged: it must hold an object. Received: {str(found)[:100]}")
    return found
