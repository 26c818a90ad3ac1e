"""Put a trained model into the repository: preset, card, pictures and learning curve, in one go.

    python -m benchmarks.ship trained/NAME.keras --machine "one H100, JAX"
    python -m benchmarks.ship --redraw NAME ...      # cards and curves again, from what is there
    python -m benchmarks.ship --measure NAME ...     # times drawing 16 images, on this machine

Beside NAME.keras lie NAME.history.csv and NAME.json: {"settings": those of the training or {"recipe":
...}, "training_seconds": ..., and where known "epochs", "machine", "began": what its weights began
from}; `pixelrnn train` writes all of it to one folder, which can stand in place of the file. The
weights are those of the file; its test figure is measured here.
"""

import argparse
import json
import shutil
from pathlib import Path

# Without it the learning curve would stay that of the model before.
import matplotlib  # noqa: F401
import numpy as np

import keras_pixelrnn as kp
from benchmarks import timing
from keras_pixelrnn import presets
from keras_pixelrnn.training import report
from keras_pixelrnn.training.pictures import draw_pictures
from keras_pixelrnn.training.results import result_metrics
from keras_pixelrnn.training.run import load_data
from keras_pixelrnn.training.settings import as_given

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "keras_pixelrnn" / "presets"
BATCH = 16


def found_beside(source):
    """Path of the model, of its history, and what its JSON file says."""
    if source.is_dir():
        return source / "model.keras", source / "history.csv", report.read_metrics(source)
    history, facts = (source.with_suffix(suffix) for suffix in (".history.csv", ".json"))
    return source, history, json.loads(facts.read_text()) if facts.is_file() else {}


def ship(source, name, recipe, machine, data_dir):
    """Write `keras_pixelrnn/presets/NAME` and `saved_models/NAME`."""
    file, history, known = found_beside(source)
    given = {**as_given(known.get("settings", {})), **({"recipe": recipe} if recipe else {})}
    given.pop("data_dir", None)
    folder = ROOT / "saved_models" / name
    settings = kp.training.with_recipe({**given, "data_dir": data_dir, "output": folder})
    model, data = kp.models.from_preset(file), load_data(settings)
    folder.mkdir(parents=True, exist_ok=True)
    if history.resolve() != (folder / "history.csv").resolve():
        shutil.copy(history, folder / "history.csv")
    metrics = result_metrics(settings, model, data, known["training_seconds"])
    stated = {key: known[key] for key in ("machine", "began", "epochs") if known.get(key)}
    metrics |= stated | ({"machine": machine} if machine else {})
    metrics["sampling"] = sampling(model)
    draw_pictures(settings, model, data)
    write(name, model, metrics)


def sampling(model):
    """Seconds of drawing a batch, and on which machine."""
    classes = model.context.num_classes
    context = {"context": np.arange(BATCH) % classes} if classes else {}
    seconds, _ = timing.interleaved(
        {"sample": lambda: model.sample(BATCH, seed=0, **context)}, runs=7
    )
    return {"seconds": seconds["sample"], "batch": BATCH, "machine": timing.machine()}


def write(name, model, metrics):
    """The two folders, from `metrics` and what `saved_models/NAME` holds."""
    folder = ROOT / "saved_models" / name
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    epochs = metrics.get("epochs", len(report.read_history(folder)))
    facts = report.facts_of(name, model, metrics, epochs)
    if name in presets.names():  # a look-ahead stays beside the model
        facts |= {key: x for key, x in presets.facts(name).items() if key.startswith("lookahead")}
    model.save_to_preset(SHIPPED / name, facts)
    (SHIPPED / name / "README.md").unlink()  # the card stands in saved_models, with its pictures
    report.write_report(folder, facts)
    test = metrics["test"]
    print(f"{name}: {test['nats']:.3f} nats, {test['bits_per_dim']:.4f} bits/dim; see {folder}")


def renew(name, measure):
    """Card and curve again; with `measure` also the time of drawing."""
    folder, model = ROOT / "saved_models" / name, kp.models.from_preset(name)
    metrics = report.read_metrics(folder)
    if measure:
        metrics["sampling"] = sampling(model)
    write(name, model, metrics)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "source", type=Path, nargs="?", help="NAME.keras, or a folder of a training"
    )
    parser.add_argument("--name", help="of the preset; default that of the file or folder")
    parser.add_argument("--recipe", help="settings, where no JSON file has them")
    parser.add_argument("--machine", help="what it was trained on, in words")
    parser.add_argument("--data-dir", help="folder of prepared TFDS data (default: $TFDS_DATA_DIR)")
    parser.add_argument("--redraw", nargs="+", choices=presets.names(), default=[])
    parser.add_argument("--measure", nargs="+", choices=presets.names(), default=[])
    args = parser.parse_args()
    if args.source:
        name = args.name or args.source.name.removesuffix(".keras")
        ship(args.source, name, args.recipe, args.machine, args.data_dir)
    for name in (*args.redraw, *args.measure):
        renew(name, measure=name in args.measure)


if __name__ == "__main__":
    main()
