"""What comes with a model of its training: figures, settings, what numbers meant, names of classes."""

from dataclasses import fields
from pathlib import Path

from keras_pixelrnn import presets
from keras_pixelrnn.training.settings import Settings, as_given


def stated(name):
    """Figures and settings that come with a model, as far as they are known."""
    facts, training, file = _kept(name)
    return {**facts, "settings": _settings(training.get("settings"), file)} if facts else {}


def stored_numbers(name):
    """What the numbers of a model's training meant, as `Values`, and how its image files were read; each
    None where it is not known; and the file that says so."""
    from keras_pixelrnn.data.values import Values

    _, training, file = _kept(name)
    described = training.get("values")
    if described is None:
        return None, None, file
    try:
        values, files = Values.of(described), described.get("files")
        if not isinstance(files, dict | None):
            raise ValueError(f"Expected how image files were read. Received: files={files!r}")
    except ValueError as error:
        raise ValueError(f"{file} is damaged: {error}") from error
    return values, files, file


def class_names(name):
    """Names of a model's classes by their numbers, [] where they are not known."""
    facts, _, file = _kept(name)
    found = facts.get("class_names") or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"{file} is damaged: its class_names must be a list of names.")
    return found


def _kept(name):
    """What a model's folder says of it, of its training there, and the file."""
    folder = Path(name).parent if Path(name).name == "model.keras" else Path(name)
    if presets.comes_along(name):
        folder = presets.folder(name)
    file = folder / "metrics.json"
    if file.is_file():
        facts = presets.read_object(file)
        return facts, facts, file
    file = folder / presets.FACTS
    if not file.is_file():
        return {}, {}, None
    facts = presets.read_object(file)
    training = facts.get("training") or {}
    if not isinstance(training, dict):
        raise ValueError(f"{file} is damaged: its training must be an object.")
    return facts, training, file


def _settings(settings, file):
    """Settings of a file as they were given, or None; `ValueError` for those that a training does not
    have."""
    known = {field.name for field in fields(Settings)}
    if settings and not (isinstance(settings, dict) and known >= set(settings)):
        wrong = sorted(set(settings) - known) if isinstance(settings, dict) else settings
        raise ValueError(
            f"{file} holds settings that a training does not have: pass --dataset, or use the version "
            f"of this package that wrote it. Received: {wrong!r}"
        )
    try:
        Settings(**as_given(settings or {}))
        if settings and "dataset" not in settings:
            raise ValueError("its settings name no dataset.")
    except ValueError as error:
        raise ValueError(f"{file} is damaged: {error}") from error
    return settings and as_given(settings)
