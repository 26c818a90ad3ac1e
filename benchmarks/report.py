"""Model cards, learning curves and the table of results, from what is in saved_models/.

    pip install -e '.[report]'
    python -m benchmarks.report saved_models/*/          # all cards; prints the table
    python -m benchmarks.report --measure saved_models/digits   # also times drawing 16 images

Writes `README.md` and `learning_curve.png` into each folder; `--measure` adds `sampling` to its
metrics.json.
"""

import argparse
import csv
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib
import numpy as np

import keras_pixelrnn  # noqa: F401  registers what the models are made of
from benchmarks import timing

matplotlib.use("agg")
from matplotlib import pyplot

# Van den Oord et al. 2016 (arXiv 1601.06759), tables 4 and 6; gated: 2016b (arXiv 1606.05328), table 1.
PAPER = {
    "binarized_mnist_diagonal_1x32": "80.75 nats",
    "binarized_mnist_diagonal_7x16": "79.20 nats",
    "binarized_mnist_row": "80.54 nats",
    "binarized_mnist_pixelcnn": "81.30 nats",
    "cifar10_gated": "3.03 bits/dim (Diagonal BiLSTM: 3.00)",
}
NAMES = {
    "diagonal": "Diagonal BiLSTM",
    "row": "Row LSTM",
    "pixelcnn": "PixelCNN",
    "gated": "Gated PixelCNN",
    "multi_scale": "Multi-Scale PixelRNN",
}
BATCH = 16


def read(folder):
    """metrics.json and the rows of history.csv."""
    metrics = json.loads((folder / "metrics.json").read_text())
    with open(folder / "history.csv", newline="") as file:
        return metrics, list(csv.DictReader(file))


def architecture(settings):
    """`Diagonal BiLSTM 7x16`."""
    side = settings.get("kernel_size", 7)
    first = "" if side == 7 else f", first layer {side}x{side}"
    return f"{NAMES[settings['model']]} {settings['num_blocks']}x{settings['units']}{first}"


def score(metrics):
    """`82.73 ± 0.20 nats`, or bits/dim where images have more than two levels."""
    test, settings = metrics["test"], metrics["settings"]
    if settings["dataset"] == "binarized_mnist":
        return f"{test['nats']:.2f} ± {test['standard_error']:.2f} nats"
    error = test["standard_error"] * test["bits_per_dim"] / test["nats"]
    return f"{test['bits_per_dim']:.3f} ± {error:.3f} bits/dim"


def measure(folder, metrics):
    """Time drawing a batch and note it in metrics.json."""
    model = keras.models.load_model(folder / "model.keras")
    context = {"context": np.arange(BATCH) % 10} if metrics["settings"].get("conditional") else {}
    seconds, _ = timing.interleaved(
        {"sample": lambda: model.sample(BATCH, seed=0, **context)}, runs=7
    )
    metrics["sampling"] = {
        "seconds": seconds["sample"],
        "batch": BATCH,
        "machine": timing.machine(),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")


def draw_curve(folder, metrics, history):
    """Bits/dim of each epoch on training and validation images, and of the test."""
    figure, axes = pyplot.subplots(figsize=(6, 3.2), dpi=110, layout="constrained")
    epochs = [int(row["epoch"]) + 1 for row in history]
    for key, label in [("bits_per_dim", "training"), ("val_bits_per_dim", "validation")]:
        axes.plot(epochs, [float(row[key]) for row in history], marker=".", label=label)
    axes.axhline(metrics["test"]["bits_per_dim"], color="gray", linestyle=":", label="test")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="epoch", ylabel="bits/dim", title=architecture(metrics["settings"]))
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(folder / "learning_curve.png", metadata={"Software": None})
    pyplot.close(figure)


def command(folder, settings):
    if settings["recipe"]:
        return f"python train.py --recipe {settings['recipe']}"
    return "make train" if folder.name == "digits" else "python train.py"


def card(folder, metrics, history):
    """The text of the model card."""
    settings, test = metrics["settings"], metrics["test"]
    paper = PAPER.get(folder.name)
    sampling = metrics.get("sampling")
    drawn = ""
    if sampling:
        drawn = (
            f"\nDrawing {sampling['batch']} images takes {sampling['seconds']:.3f} s "
            f"({sampling['machine']['cpu']}, {sampling['machine']['cores']} cores, XLA).\n"
        )
    given = " given its label" if settings.get("conditional") else ""
    model = keras.models.load_model(folder / "model.keras")
    size = "x".join(map(str, model.image_shape))
    minutes = f"{metrics['training_seconds'] / 60:.0f}"
    averaged = f", averaged with momentum {settings['ema']}" if settings["ema"] else ""
    return f"""# {folder.name}

{architecture(settings)}: p(image{given}) of {size} images, {metrics["parameters"]:,} parameters.

| | |
|---|---|
| test, {test["images"]:,} images | {score(metrics)} ({test["bits_per_dim"]:.4f} bits/dim) |
| paper | {paper or "-"} |
| distribution | `{model.distribution!r}` |
| protocol | {metrics["protocol"]} |
| training | {len(history)} epochs, {minutes} minutes on two CPU cores, often beside other work |
| command | `{command(folder, settings)}` |
| score again | `python -m keras_pixelrnn.evaluation saved_models/{folder.name}` |

The weights are those of the best epoch on validation images{averaged}; the test images served
once, for the figure above.
{drawn}
![Samples](samples.png)

*Not picked: the first ones drawn.*

![Completions of upper halves](completions.png)

*Held-out image, what was given of it, and completions.*

![Learning curve](learning_curve.png)

**Use.** `{metrics["version"]}/` is a SavedModel ([how to serve it](../README.md)); `model.keras` loads
with `keras.models.load_model` once `keras_pixelrnn` is imported.

**Limits.** It knows images of {size} of this data set and nothing else. A low likelihood is no proof
that an image is strange, nor a high one that it is not: empty images are likely under it.
"""


def row(folder, metrics):
    """The line of the table of results."""
    settings, sampling = metrics["settings"], metrics.get("sampling")
    drawn = f"{1000 * sampling['seconds'] / sampling['batch']:.1f} ms" if sampling else "-"
    cells = [
        f"[{folder.name}]({folder}/README.md)",
        architecture(settings),
        f"{metrics['parameters']:,}",
        score(metrics),
        PAPER.get(folder.name, "-"),
        f"{metrics['training_seconds'] / 60:.0f} min",
        drawn,
    ]
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--measure", action="store_true", help="time drawing, on this machine")
    args = parser.parse_args()
    print("| model | architecture | parameters | test | paper | training | drawing, an image |")
    print("|---|---|---|---|---|---|---|")
    for folder in args.folders:
        metrics, history = read(folder)
        if args.measure:
            measure(folder, metrics)
        draw_curve(folder, metrics, history)
        (folder / "README.md").write_text(card(folder, metrics, history))
        print(row(folder, metrics), flush=True)


if __name__ == "__main__":
    main()
