"""The model card: what is known of a model, in Markdown."""

import json
import math
import numbers
import shlex
from collections.abc import Mapping
from typing import Any

NAMES = {
    "diagonal": "Diagonal BiLSTM",
    "row": "Row LSTM",
    "pixelcnn": "PixelCNN",
    "gated": "Gated PixelCNN",
    "multi_scale": "Multi-Scale PixelRNN",
}
# What a hub reads at the top of a card.
FRONT_MATTER = """\
---
library_name: keras
pipeline_tag: unconditional-image-generation
tags: [keras, pixelrnn, autoregressive, density-estimation]
---

"""
LIKE = "facts as keras_pixelrnn.presets.facts('digits') has them"
FIGURES = ("nats", "bits_per_dim", "images")  # of "test", in a card
MOST_NAMES = 200  # classes that a card names
PICTURES = {
    "samples.png": ("Samples", "Not picked: the first ones drawn."),
    "completions.png": (
        "Completions of upper halves",
        "Held-out image, what was given of it, and completions.",
    ),
    "learning_curve.png": ("Learning curve", None),
}


def architecture(facts: dict[str, Any]) -> str:
    """`Diagonal BiLSTM 7x16`; the class alone of a model whose settings are not known."""
    settings = facts.get("training", {}).get("settings")
    if not settings:
        return facts["model"]
    side = settings.get("kernel_size", 7)
    first = "" if side == 7 else f", first layer {side}x{side}"
    name = NAMES.get(settings["model"], settings["model"])
    return f"{name} {settings['num_blocks']}x{settings['units']}{first}"


def score(facts: dict[str, Any]) -> str:
    """`82.73 ± 0.20 nats`, or bits/dim where sub-pixels have more than two levels."""
    test = facts.get("test")
    if not test:
        return "not measured"
    unit, digits = ("nats", 2) if "Bernoulli" in facts["distribution"] else ("bits_per_dim", 3)
    error = test["standard_error"]
    if error is not None:  # as it is of one image
        error = f" ± {error * test[unit] / test['nats']:.{digits}f}"
    return f"{test[unit]:.{digits}f}{error or ''} {unit.replace('_per_', '/')}"


def given(facts: Any) -> dict[str, Any]:
    """`facts` as somebody passes them, as JSON and a card have them; or `ValueError`."""
    if facts is not None and not isinstance(facts, Mapping):
        raise ValueError(f"`facts` must be a dict. Received: facts={facts!r:.100}")
    facts = dict(facts or {})
    for name in ("test", "dataset", "training", "sampling"):
        if not isinstance(facts.get(name, {}), Mapping):
            raise ValueError(
                f"`facts[{name!r}]` must be a dict, as in keras_pixelrnn.presets.facts('digits'). "
                f"Received: {facts[name]!r:.100}"
            )
    if "test" in facts:
        facts["test"] = {name: _number(value) for name, value in facts["test"].items()}
        facts["test"].setdefault("standard_error", None)
        missing = [
            name for name in FIGURES if not isinstance(facts["test"].get(name), (int, float))
        ]
        if missing:
            raise ValueError(
                f"`facts['test']` must hold the numbers {', '.join(FIGURES)} and standard_error, as of "
                f"keras_pixelrnn.evaluation.evaluate(...)._asdict(). Received: {facts['test']!r:.200}"
            )
    try:
        return json.loads(json.dumps(facts, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`facts` must be what JSON holds: text, finite numbers of Python, lists and dicts of these. "
            f"Received: {error}"
        ) from error


def _number(value):
    """A number of Python for one of NumPy, None for one that is not known; anything else as it is."""
    if not isinstance(value, numbers.Real):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return None if math.isnan(value) else float(value)


def card(facts: dict[str, Any], pictures: tuple[str, ...] = (), own: bool = False) -> str:
    """The text of a model card, `README.md` of a folder or a hub's repository.

    Args:
        facts: content of `preset.json`.
        pictures: files of `PICTURES` that stand beside the card.
        own: the model is a folder of somebody's, which its name alone does not mean.

    Raises:
        ValueError: `facts` that lack what a card needs, by its key, or hold something else there.
    """
    try:
        return "\n".join(_lines(facts, pictures, own)) + "\n"
    except KeyError as error:
        raise ValueError(f"A card needs {error} of {LIKE}. Received: none") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"A card needs {LIKE}. Received: {error}") from error


def _lines(facts, pictures, own):
    size = "x".join(map(str, facts["image_shape"]))
    preset = f"./{facts['name']}" if own else facts["name"]
    given = " given their label" if facts.get("num_classes") else ""
    lines = [
        f"# {facts['name']}",
        "",
        f"{architecture(facts)}: p(image) of {size} images{given}, {facts['parameters']:,} parameters.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in _rows(facts, preset)),
        "",
    ]
    if facts.get("sampling"):
        drawn = facts["sampling"]
        lines += [
            f"Drawing {drawn['batch']} images takes {drawn['seconds']:.3f} s "
            f"({drawn['machine']['cpu']}, {drawn['machine']['cores']} cores, XLA).",
            "",
        ]
    for file in pictures:
        title, text = PICTURES[file]
        lines += [f"![{title}]({file})", "", *([f"*{text}*", ""] if text else [])]
    quoted = json.dumps(preset, ensure_ascii=False)
    lines += [
        f"**Use.** `keras_pixelrnn.models.from_preset({quoted})`, or the path of a folder that",
        "holds it; also `keras.saving.load_model`, once `keras_pixelrnn` is imported.",
        "",
        f"**Limits.** It knows images of {size} of its data set and nothing else. A low likelihood is",
        "no proof that an image is strange, nor a high one that it is not: what is simple is likely.",
    ]
    return lines


def _rows(facts, preset):
    """Pairs of the table: what is known."""
    test, training, data = (facts.get(key) or {} for key in ("test", "training", "dataset"))
    if test:
        first = score(facts)
        other = f"{test['nats']:.2f} nats"
        if first.endswith("nats"):
            other = f"{test['bits_per_dim']:.4f} bits/dim"
        yield f"test, {test['images']:,} images", f"{first} ({other})"
    else:
        yield "test", score(facts)
    if facts.get("paper"):
        yield "paper", facts["paper"]
    yield "distribution", f"`{facts['distribution']}`"
    if facts.get("protocol"):
        yield "protocol", facts["protocol"]
    names = facts.get("class_names")
    if names and names != [str(number) for number in range(len(names))]:
        told = [f"{number} {name}" for number, name in enumerate(names[:MOST_NAMES])]
        more = len(names) - MOST_NAMES
        yield "labels", ", ".join(told) + (f" and {more} more" if more > 0 else "")
    if data:
        title = data.get("title", data.get("name", ""))
        yield "data", f"{title}; licence: {data.get('licence', 'not stated')}"
    if training.get("seconds"):
        where = f" on {training['machine']}" if training.get("machine") else ""
        minutes = f"{training['seconds'] / 60:.0f} minutes{where}"
        yield "training", ", ".join([*_epochs(training), minutes])
    if training.get("began"):
        yield "began from", training["began"]
    if training.get("command"):
        yield "command", f"`{training['command']}`"
    if training.get("weights"):
        yield "weights", training["weights"]
    if facts.get("lookahead"):
        yield "look-ahead", facts["lookahead"]
    if test and training:
        yield "score again", f"`pixelrnn evaluate {shlex.quote(preset)}`"
    yield "package", f"keras-pixelrnn {facts['package_version']}"


def _epochs(training):
    count = training.get("epochs")
    return [f"{count} epoch{'s' * (count != 1)}"] if count else []
