"""The report of a training: facts for `preset.json`, the card, the learning curve."""

import csv
import shlex
from pathlib import Path
from typing import Any

from keras_pixelrnn import presets
from keras_pixelrnn.models.pretrained import described
from keras_pixelrnn.presets.card import PICTURES, architecture, card
from keras_pixelrnn.training import archive, datasets
from keras_pixelrnn.training.given import with_recipe

# Van den Oord et al. 2016 (arXiv 1601.06759), tables 4 and 6; gated: 2016b (arXiv 1606.05328), table 1.
PAPER = {
    "binarized_mnist_diagonal_1x32": "80.75 nats",
    "binarized_mnist_diagonal_7x16": "79.20 nats",
    "binarized_mnist_diagonal_7x32": "79.20 nats (7x16)",
    "binarized_mnist_row": "80.54 nats",
    "binarized_mnist_pixelcnn": "81.30 nats",
    "cifar10_diagonal": "3.00 bits/dim (12 layers of 128)",
    "cifar10_gated": "3.03 bits/dim (Diagonal BiLSTM: 3.00)",
}


def facts_of(name: str, model, metrics: dict[str, Any], epochs: int | None = None) -> dict:
    """What `preset.json` and the card say of a trained model.

    Args:
        name: of the model.
        model: a `PixelModel`.
        metrics: content of `metrics.json`; "machine" and "began" (what its weights began from, where
            that was not a random draw) are words of whoever trained it.
        epochs: number of epochs trained, where it is known.
    """
    settings = metrics["settings"]
    averaged = f", averaged with momentum {settings['ema']}" if settings.get("ema") else ""
    training = {
        "settings": settings,
        "values": metrics.get("values"),
        "epochs": epochs,
        "seconds": metrics["training_seconds"],
        "machine": metrics.get("machine"),
        "began": metrics.get("began", settings.get("initial_weights")),
        "command": command_of(settings),
        "weights": f"best epoch on validation images{averaged}; the test images served once",
    }
    facts = {
        "name": name,
        **described(model),
        "test": metrics["test"],
        "protocol": metrics["protocol"],
        "paper": PAPER.get(settings.get("recipe") or name),
        "dataset": datasets.described(metrics.get("dataset") or {"name": settings["dataset"]}),
        "class_names": metrics.get("class_names"),
        "training": {key: value for key, value in training.items() if value is not None},
        "sampling": metrics.get("sampling"),
    }
    return {key: value for key, value in facts.items() if value is not None}


def write_report(folder: Path, facts: dict[str, Any], own: bool = False) -> None:
    """Write `README.md` and, where matplotlib is installed, `learning_curve.png` into `folder`.

    Args:
        folder: of a training, with `history.csv` and pictures.
        facts: as `facts_of` gives them.
        own: of `presets.card.card`.
    """
    if (folder / "history.csv").is_file():
        draw_curve(folder, facts)
    pictures = tuple(name for name in PICTURES if (folder / name).is_file())
    archive.replace_text(folder / "README.md", card(facts, pictures, own))


def read_history(folder: Path) -> list[dict[str, str]]:
    """The rows of `history.csv`, one dict per epoch."""
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def draw_curve(folder: Path, facts: dict[str, Any]) -> None:
    """Bits/dim of each epoch on training and validation images, and of the test."""
    try:
        from matplotlib.figure import Figure
    except ImportError:  # the extra `plot`
        return
    history = read_history(folder)
    figure = Figure(figsize=(6, 3.2), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    epochs = [float(row["epoch"]) + 1 for row in history]
    for key, label in [("bits_per_dim", "training"), ("val_bits_per_dim", "validation")]:
        axes.plot(epochs, [float(row[key]) for row in history], marker=".", label=label)
    axes.axhline(facts["test"]["bits_per_dim"], color="gray", linestyle=":", label="test")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.set(xlabel="epoch", ylabel="bits/dim", title=architecture(facts))
    axes.legend()
    axes.grid(alpha=0.3)
    archive.replace(
        folder / "learning_curve.png",
        lambda file: figure.savefig(file, format="png", metadata={"Software": None}),
    )


def command_of(settings: dict[str, Any]) -> str | None:
    """The command line of a training: what its settings, as `Settings.to_dict` gives them, have that
    its recipe, or else a training without options, has not. None where it is without something that
    its recipe has, which no option takes away."""
    begun = {name: settings[name] for name in ("recipe", "gpu") if settings.get(name)}
    usual = with_recipe(begun).to_dict()
    said = {name: x for name, x in settings.items() if x is not None and x is not False}
    if any(usual.get(name) not in (None, False) for name in settings.keys() - said.keys()):
        return None
    other = {name: value for name, value in said.items() if value != usual.get(name)}
    words = ["pixelrnn", "train"]
    for name, value in (begun | other).items():
        words.append(f"--{name.replace('_', '-')}")
        if name == "image_size" and isinstance(value, list):
            words.append("x".join(map(str, value)))
        elif value is not True:
            values = value if isinstance(value, list) else [value]
            words += [str(x).removesuffix(".0" * isinstance(x, float)) for x in values]
    return shlex.join(words)


def read_metrics(folder: Path) -> dict[str, Any]:
    """Content of `metrics.json`; `ValueError` where `folder` has none."""
    file = folder / "metrics.json"
    if not file.is_file():
        raise ValueError(f"{folder} holds no metrics.json, which `pixelrnn train` writes.")
    return presets.read_object(file)
