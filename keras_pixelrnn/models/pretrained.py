"""Trained models by name, from folders, files and the hub; and the way back."""

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Self

import keras

from keras_pixelrnn import checks, presets
from keras_pixelrnn._version import __version__
from keras_pixelrnn.models.architectures import ARCHITECTURES
from keras_pixelrnn.models.variables import check_finite, differences, values_by_path
from keras_pixelrnn.presets.card import FRONT_MATTER, card, given

WEIGHTS = "model.weights.h5"
DIGEST = "weights_sha256"  # key of the facts of a preset


class Pretrained:
    """`from_preset` and `save_to_preset` of all models."""

    @classmethod
    def from_preset(
        cls, preset: str | os.PathLike, load_weights: bool = True, **overrides: Any
    ) -> Self:
        """A model by name, with its trained weights.

        Args:
            preset: a name of `keras_pixelrnn.presets.names()`; a folder that `save_to_preset` or
                `pixelrnn train` wrote; a `.keras` file; or "hf://user/repository". A name that comes
                with the package goes before a folder of that name; write "./name" for the folder.
            load_weights: False for the architecture alone, with new weights. The names of
                `keras_pixelrnn.models.ARCHITECTURES` have no weights.
            **overrides: arguments of the model instead of its own. Where weights are loaded they must
                leave the weights as they are: `dropout`, `dtype`, the image's height and width.

        Returns:
            A model of this class, not compiled.

        Raises:
            ValueError: unknown name, no weights to load, another class of model, a damaged file, or an
                override that the weights do not fit, by name.
            TypeError: an override that is no argument of the model.

        Example:

        >>> model = PixelModel.from_preset("digits")
        >>> model.sample(16, seed=0).shape
        (16, 8, 8, 1)
        >>> PixelModel.from_preset("digits", load_weights=False, num_classes=10).count_params()
        90107
        """
        checks.switch("load_weights", load_weights)
        source = _source(preset)
        if source is None:
            if load_weights:
                raise ValueError(
                    f"{preset!r} names an architecture that comes without weights. Pass "
                    "load_weights=False for a new model of it, or choose one of: "
                    f"{', '.join(presets.names())}."
                )
            name, arguments = ARCHITECTURES[str(preset)]
            kind = keras.saving.get_registered_object(f"keras_pixelrnn>{name}")
            return _of_class(cls, kind, preset)(**{**arguments, **overrides})
        loaded = _load(source)
        _of_class(cls, type(loaded), preset)
        if load_weights:
            check_finite(loaded, os.fspath(preset))
        if load_weights and not overrides:
            return loaded
        model = type(loaded).from_config({**loaded.get_config(), **overrides})
        if load_weights:
            _refuse_misfits(loaded, model, overrides, preset)
            keep = values_by_path(loaded)
            for key, variable in values_by_path(model).items():
                variable.assign(keep[key])
        return model

    def save_to_preset(self, folder: str | os.PathLike, facts: dict | None = None) -> Path:
        """Write the model as a folder that `from_preset` and `keras.saving.load_model` read.

        Weights without the optimizer's, the configuration, `preset.json` and a model card
        (`README.md`); upload the folder to a hub as it is, and "hf://user/repository" loads it.

        Args:
            folder: made where missing; other files in it stay.
            facts: what is known of the model, of the keys that `keras_pixelrnn.presets.facts` lists:
                "test" figures (`evaluation.evaluate(...)._asdict()`), "protocol", "dataset"
                (`{"name": ..., "licence": ...}`). The card says what is given, no more.

        Returns:
            The folder.

        Raises:
            OSError: the folder cannot be written; what it held is left as it was.
            ValueError: `folder` is none of this machine, such as gs://bucket; `facts` that no card
                can say.

        Example:

        >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
        >>> path = model.save_to_preset(directory, {"protocol": "none: not trained"})
        >>> keras.saving.load_model(path).count_params() == model.count_params()
        True
        """
        folder = checks.local("folder", folder)
        check_finite(self, f"the model {self.name!r}")
        bare = type(self).from_config(self.get_config())  # without optimizer, loss and metrics
        bare.set_weights(self.get_weights())
        facts = {"name": folder.resolve().name, **described(self), **given(facts)}
        text = FRONT_MATTER + card(facts, own=True)
        with (
            checks.writing(folder, "What it held is left as it was."),
            _scratch(folder) as scratch,
        ):
            # HDF5 that writes to a full disk by itself ends the process; Keras hands it memory here.
            bare.save(scratch / "model.keras")
            with zipfile.ZipFile(scratch / "model.keras") as archive:
                archive.extractall(scratch)
            (scratch / "model.keras").unlink()
            facts[DIGEST] = digest(scratch / WEIGHTS)
            (scratch / presets.FACTS).write_text(
                json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
            )
            (scratch / "README.md").write_text(text, encoding="utf-8")
            for file in scratch.iterdir():
                os.replace(file, folder / file.name)
        return folder


@contextlib.contextmanager
def _scratch(folder):
    """A new folder within `folder`, which is made where missing; gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as scratch:
        yield Path(scratch)


def described(model) -> dict[str, Any]:
    """What a model says of itself, for `preset.json`."""
    return {
        "model": type(model).__name__,
        "distribution": repr(model.distribution),
        "image_shape": list(model.image_shape),
        "num_classes": model.context.num_classes,
        "parameters": model.count_params(),
        "package_version": __version__,
    }


def _source(preset):
    """What `keras.saving.load_model` is to read; None for an architecture."""
    if isinstance(preset, str) and preset.startswith(presets.HUB):
        return preset
    path = checks.local("preset", preset)
    text = os.fspath(preset)
    bare = isinstance(preset, str) and path.name == text
    if presets.comes_along(preset):
        return presets.folder(text)
    if bare and text in ARCHITECTURES and not path.exists():
        return None
    if path.exists():
        return presets.held(path)
    raise ValueError(
        f"Unknown preset. Expected one of: {', '.join(presets.names())}; without weights "
        f"(load_weights=False): {', '.join(ARCHITECTURES)}; or a folder, a .keras file or "
        f"hf://user/repository. Received: {preset!r}"
    )


def _load(source):
    if isinstance(source, Path) and source.is_dir():
        _check_weights(source)
    elif isinstance(source, Path) and not zipfile.is_zipfile(source):  # "not found", to Keras
        raise ValueError(
            f"Cannot load a model from {source}: the file is damaged or cut off. Copy it again. "
            f"Received: {source.stat().st_size} bytes that are no archive as `model.save` writes it"
        )
    try:
        model = keras.saving.load_model(source, compile=False, safe_mode=True)
    except Exception as error:  # h5py, zipfile and Keras raise a dozen kinds
        if isinstance(error, ImportError) and str(source).startswith(presets.HUB):
            raise  # Keras says what to install
        raise ValueError(
            f"Cannot load a model from {source}. Expected what `save_to_preset` or `model.save` wrote. "
            f"Received: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(model, Pretrained):
        raise ValueError(
            f"{source} is no model of keras_pixelrnn. Load it with keras.saving.load_model. "
            f"Received: {type(model).__name__}"
        )
    return model


def _check_weights(folder):
    """`ValueError` where the weights in a folder are not those that `save_to_preset` wrote."""
    file = folder / WEIGHTS
    if not file.is_file():
        raise ValueError(
            f"Cannot load a model from {folder}: {file.name} is not there. Copy it again."
        )
    wanted = presets.facts(folder).get(DIGEST) if (folder / presets.FACTS).is_file() else None
    if wanted is not None and digest(file) != wanted:
        raise ValueError(
            f"Cannot load a model from {folder}: {file.name} is damaged: its bytes do "
            f"not have the check sum that {presets.FACTS} states. Copy "
            f"it again; where it was changed on purpose, delete {DIGEST!r} from {presets.FACTS}."
        )


def digest(file):
    """SHA-256 of a file, as hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _of_class(wanted, kind, preset):
    if not issubclass(kind, wanted):
        raise ValueError(
            f"{os.fspath(preset)!r} is a {kind.__name__}, not a {wanted.__name__}. Use "
            f"{kind.__name__}.from_preset or PixelModel.from_preset."
        )
    return kind


def _refuse_misfits(loaded, model, overrides, preset):
    """`ValueError` naming the overrides with which the weights would not mean what they mean."""
    own = loaded.get_config()

    def unfit(name, value):
        if name == "distribution":  # may agree in size and yet differ in meaning
            return model.get_config()[name] != own[name]
        try:
            alone = type(loaded).from_config({**own, name: value})
        except ValueError:  # fits in the company of another override, which is judged by itself
            return False
        return bool(differences(loaded, alone))

    if "distribution" not in overrides and not differences(loaded, model):
        return
    wrong = [name for name, value in overrides.items() if unfit(name, value)]
    if wrong or differences(loaded, model):
        raise ValueError(
            f"The weights of {os.fspath(preset)!r} do not fit with "
            f"{', '.join(f'{name}={overrides[name]!r}' for name in wrong or overrides)}. Leave that "
            "out, or pass load_weights=False, and take over what fits by "
            "keras_pixelrnn.models.transfer."
        )
