"""Settings of a training: one table for the command line, the recipes and `metrics.json`."""

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from keras_pixelrnn import presets
from keras_pixelrnn.formats import ON_ERROR

MODELS = ("diagonal", "row", "pixelcnn", "gated", "multi_scale")
DISTRIBUTIONS = ("bernoulli", "categorical", "logistic", "normal")
MEANINGS = ("intensities", "integers", "codes", "binary", "spins")


def _setting(default, text):
    return field(default=default, metadata={"help": text})


@dataclass
class Settings:
    """What a training is made of. Names are those of the command line, with `_` for `-`."""

    recipe: str | None = _setting(None, "start from the settings of a recipe that comes along")
    gpu: bool = _setting(False, "the recipe's settings for a GPU, from its [gpu] table")
    model: str = _setting("diagonal", f"one of {', '.join(MODELS)}")
    preset: str | None = _setting(None, "model and sizes by name")
    conditional: bool = _setting(False, "p(image | label), for data with labels")
    dataset: str = _setting("digits", "'digits', a TFDS name, a folder of images, a packed file")
    data_dir: str | None = _setting(None, "folder of prepared TFDS data; default $TFDS_DATA_DIR")
    values: str | None = _setting(
        None,
        f"what stored numbers mean: {', '.join(MEANINGS)} (codes: no order, each is embedded)",
    )
    value_range: tuple[float, float] | None = _setting(
        None, "smallest and largest number of intensities of more than 8 bits, such as 0 4095"
    )
    levels: int | None = _setting(None, "values of a sub-pixel; default those of the data")
    binarization: str | None = _setting(None, "static, dynamic or threshold; for --levels 2")
    image_size: int | tuple[int, int] | None = _setting(
        None, "side, or height and width, that images of a folder are cut and resized to"
    )
    channels: int | None = _setting(None, "channels of images of a folder: 1, 3 or 4; default 3")
    transparent_on: str | None = _setting(
        None, "colour under transparent pixels of images of a folder, such as white"
    )
    on_error: str = _setting("raise", "at a picture of a folder that cannot be read: raise or skip")
    background: float | None = _setting(
        None, "share of sub-pixels replaced at random: a background model for score --method ratio"
    )
    distribution: str | None = _setting(
        None,
        f"{', '.join(DISTRIBUTIONS)}; default bernoulli of 2 levels, categorical up to "
        "256 and of codes, logistic beyond",
    )
    num_mixtures: int = _setting(5, "of a logistic or normal distribution")
    units: int = _setting(32, "hidden features h of a layer")
    num_blocks: int = _setting(2, "residual blocks")
    head_units: int | None = _setting(None, "features of the 1x1 layers; default 2 * units")
    kernel_size: int = _setting(7, "side of the first layer, odd")
    dropout: float = _setting(0.3, "rate inside the residual blocks")
    skip: bool = _setting(False, "layer-to-output skip connections")
    recurrence: str = _setting("diagonal", "of a multi_scale model: diagonal or row")
    factor: int = _setting(2, "of a multi_scale model: large rows per small row")
    dtype: str = _setting("float32", "dtype policy, e.g. mixed_bfloat16")
    initial_weights: str | None = _setting(
        None, "a trained model to begin with: name, folder or .keras file; what does not fit is new"
    )
    epochs: int = _setting(60, "passes over the training images")
    batch_size: int = _setting(32, "images a step")
    learning_rate: float = _setting(3e-3, "peak; cosine decay to 1% of it")
    warmup: float = _setting(0.02, "part of the training that the rate climbs in")
    clipnorm: float = _setting(20.0, "largest norm of the gradient (of nats)")
    ema: float = _setting(0.99, "momentum of averaged weights; 0: none")
    steps_per_execution: int = _setting(1, "steps that are compiled together")
    distribute: bool = _setting(False, "over all devices, and all processes that take part")
    seed: int = _setting(0, "of weights, order, dropout and pictures")
    output: Path | None = field(
        default=None, metadata={"help": "folder of results; default saved_models/my-<name>"}
    )
    resume: bool = _setting(False, "go on with the training in --output, with its settings")
    checkpoint_minutes: float | None = _setting(
        None, "minutes between checkpoints within an epoch; default one at the end of each"
    )

    # Names that were given, as `with_recipe` knows them: a default may be said, too.
    said = frozenset()

    def __post_init__(self):
        if not isinstance(self.dataset, (str, os.PathLike)) or not str(self.dataset):
            raise ValueError(
                "`dataset` must be a name or a path; arrays are trained on by model.fit. "
                f"Received: dataset={self.dataset!r}"
            )
        from keras_pixelrnn import checks  # NumPy, which --help does without

        self.dataset = os.fspath(self.dataset)
        for each in fields(self):
            value = getattr(self, each.name)
            if each.type is bool:
                checks.switch(each.name, value)
            elif each.type in (str, int, str | None, int | None):
                _check_kind(each, value)
        if self.output is None:
            name = self.recipe or f"{presets.called(self.dataset)}_{self.model}"
            self.output = Path("saved_models") / f"my-{name}"
        self.output = checks.local("output", self.output)
        checks.optional(checks.positive, "checkpoint_minutes", self.checkpoint_minutes)
        for name in ("learning_rate", "clipnorm"):
            checks.positive(name, getattr(self, name))
        checks.fraction("warmup", self.warmup)
        for name in ("ema", "dropout"):
            checks.rate(name, getattr(self, name))
        for name, most in (
            ("units", checks.MOST_UNITS),
            ("num_blocks", checks.MOST_BLOCKS),
            ("head_units", checks.MOST_FEATURES),
            ("num_mixtures", checks.MOST_MIXTURES),
        ):
            checks.optional(checks.positive_int, name, getattr(self, name), most)
        checks.optional(checks.channels, "channels", self.channels)
        checks.optional(checks.choice, "dtype", self.dtype, checks.POLICIES)
        checks.choice("on_error", self.on_error, ON_ERROR)
        checks.odd("kernel_size", self.kernel_size)
        checks.whole("seed", self.seed, 0, 2**32 - 1)  # as Keras takes it
        if self.value_range is not None:
            self.value_range = tuple(map(float, checks.limits("value_range", self.value_range)))
        share = self.background
        if checks.optional(checks.fraction, "background", share) == 0:
            raise ValueError("`background` must be above 0; leave it out for none. Received: 0")

    @property
    def state(self) -> Path:
        """The folder of the checkpoints and logs."""
        return self.output / "training"

    def to_dict(self) -> dict[str, Any]:
        """What a model card may state: all but what belongs to this machine. `as_given` reads it."""
        own = ("output", "resume", "data_dir", "checkpoint_minutes", "distribute")
        found = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in own}
        listed = {
            name: [*v] for name, v in found.items() if isinstance(v, tuple)
        }  # as JSON has them
        return found | listed | {"channels": self.channels or 3}


def as_given(stored: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `Settings` from what `to_dict` wrote. There 3 channels were said or not, which is the
    same to all data that takes them; other data would refuse what nobody said."""
    return {name: value for name, value in stored.items() if (name, value) != ("channels", 3)}


def _check_kind(setting, value):
    """`ValueError` unless a value is the text or the int that a setting takes, or None."""
    from keras_pixelrnn import checks  # NumPy

    if value is None and setting.type not in (str, int):
        return
    if setting.type in (int, int | None):
        checks.whole(setting.name, value, 0 if setting.name == "seed" else 1)
    elif not isinstance(value, str):
        raise ValueError(
            f"`{setting.name}` must be a string. Received: {setting.name}={checks.shown(value)}"
        )
