"""Measure everything and print the tables: `make benchmark`.

Figures are medians of interleaved runs, and ratios within one run. Writes benchmarks/results.json, of
which `--only` renews one part.
"""

import argparse
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import keras_pixelrnn as kp
from benchmarks import floor, references, timing
from keras_pixelrnn import backend, noise
from keras_pixelrnn.serving import check

RESULTS = Path(__file__).parent / "results.json"
BINARY = {"image_shape": (28, 28, 1), "units": 16, "num_blocks": 7, "head_units": 32}
COLOR = {"image_shape": (32, 32, 3), "units": 48, "num_blocks": 4}
MAKE = {
    "diagonal": lambda **o: kp.models.PixelRNN(recurrence="diagonal", **o),
    "row": lambda **o: kp.models.PixelRNN(recurrence="row", **o),
    "pixelcnn": kp.models.PixelCNN,
    "gated": kp.models.GatedPixelCNN,
}


HEADS = {
    "bernoulli": kp.distributions.Bernoulli(),
    "categorical": kp.distributions.Categorical(256),
    "logistic": kp.distributions.DiscretizedLogisticMixture(256, num_mixtures=10),
}


def make(architecture, sizes=BINARY, head="bernoulli"):
    return MAKE[architecture](distribution=HEADS[head], **sizes)


def images_for(model, batch):
    rng = np.random.default_rng(0)
    shape = (batch, *model.image_shape)
    return rng.integers(0, model.distribution.levels, shape).astype(np.uint8)


def operations(model, batch, xla):
    """`{name: function}` of everything a model is used for.

    With XLA images are drawn as users draw them, in parts on all cores; "one loop" draws them in one,
    which is how a server does it, without XLA.
    """
    images = images_for(model, batch)
    known = np.zeros(images.shape, bool)
    known[:, : model.image_shape[0] // 2] = True
    seeds = np.arange(batch)
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=xla)
    graphs = {
        name: backend.compiled(getattr(model, f"{name}_graph"), model.variables, xla)
        for name in ("log_prob", "sample", "complete")
    }
    tensor, mask = tf.constant(images), tf.constant(known)

    def uniform():
        return noise.uniform(seeds, model.image_shape)

    functions = {
        "forward": forward_pass(model, images, xla),
        "log_prob": lambda: graphs["log_prob"](tensor).numpy(),
        "one loop": lambda: graphs["sample"](uniform())[0].numpy(),
        "train": lambda: float(model.train_on_batch(images)),
    }
    if xla:
        functions["sample"] = lambda: model.sample(batch, seed=seeds)
        functions["complete"] = lambda: model.complete(images, known, seed=seeds)
    else:
        functions["complete"] = lambda: graphs["complete"](tensor, mask, uniform())[0].numpy()
    return functions


def table(rows):
    """Print dicts as an aligned table and return them."""
    columns = list(rows[0])
    lines = [columns] + [
        [f"{row[c]:.4g}" if isinstance(row[c], float) else str(row[c]) for c in columns]
        for row in rows
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        print("| " + " | ".join(cell.rjust(width) for cell, width in zip(line, widths)) + " |")
    print(flush=True)
    return rows


def usage(quick, sizes, batches, kinds):
    """Seconds of every use of every kind of model, with and without XLA."""
    rows = []
    for batch, (name, head) in itertools.product(batches[:1] if quick else batches, kinds):
        functions = {}
        for xla in (True, False):
            for use, function in operations(make(name, sizes, head), batch, xla).items():
                functions[use, xla] = function
        seconds, first = timing.interleaved(functions, runs=3 if batch > 16 else 7)
        for xla in (True, False):
            took = {use: t for (use, on), t in seconds.items() if on == xla}
            row = {"model": name, "head": head, "image": "x".join(map(str, sizes["image_shape"]))}
            row |= {"batch": batch, "XLA": "on" if xla else "off"}
            for use in ("forward", "log_prob", "sample", "one loop", "complete", "train"):
                row[f"{use} s"] = took.get(use, "-")
            row["sample/forward"] = took["sample"] / took["forward"] if xla else "-"
            row["one loop off/on"] = seconds["one loop", False] / seconds["one loop", True]
            row["compile s"] = sum(t for (_, on), t in first.items() if on == xla)
            rows.append(row)
        keras.backend.clear_session()
    return table(rows)


def against_naive(quick):
    """Streaming against a full forward pass per pixel."""
    rows = []
    for name in MAKE:
        model = make(name)
        pixels = 14 if quick else 56
        naive = references.naive_sampler(model, 16, pixels)
        seconds, _ = timing.interleaved(
            {"naive": lambda n=naive: n(0), "streaming": operations(model, 16, True)["sample"]},
            runs=5,
        )
        whole = seconds["naive"] * 784 / pixels
        row = {"model": name, "batch": 16, "naive s (784 px)": whole}
        row |= {"timed px": pixels, "streaming s": seconds["streaming"]}
        rows.append({**row, "naive/streaming": whole / seconds["streaming"]})
    return table(rows)


def training(quick):
    """A training step against autodiff through keras.layers.RNN, and the forward against its core."""
    rows = []
    for name in ("diagonal", "row"):
        ours = make(name)
        images = images_for(ours, 16)
        ours.compile(keras.optimizers.Adam(1e-3), jit_compile=True)
        with references.with_autodiff():
            plain = make(name)
            plain.compile(keras.optimizers.Adam(1e-3), jit_compile=True)
            functions = {"autodiff": lambda m=plain, x=images: float(m.train_on_batch(x))}
            functions["autodiff"]()  # traced while the reference is in place
        functions["ours"] = lambda m=ours, x=images: float(m.train_on_batch(x))
        if name == "diagonal":
            functions["bare forward"] = references.bare_forward(ours, 16)
            functions["forward"] = forward_pass(ours, images)
        seconds, _ = timing.interleaved(functions, runs=5 if quick else 11, warmup=2)
        row = {"model": name, "batch": 16, "autodiff s": seconds["autodiff"]}
        row |= {"ours s": seconds["ours"], "ratio": seconds["autodiff"] / seconds["ours"]}
        row["forward/bare"] = (
            seconds["forward"] / seconds["bare forward"] if name == "diagonal" else "-"
        )
        row["floor s"] = floor.train_step(ours, 16)
        row["ours/floor"] = seconds["ours"] / row["floor s"]
        rows.append(row)
    return table(rows)


def forward_pass(model, images, xla=True):
    """A function that runs one forward pass and waits for it."""
    forward = tf.function(
        lambda x: tf.reduce_sum(model(x, training=False)), jit_compile=xla, autograph=False
    )
    tensor = tf.constant(images)
    return lambda: forward(tensor).numpy()


def memory(quick):
    """Peak memory of training, each in a process of its own."""
    rows = []
    for name in ("diagonal", "row"):
        row = {"model": name, "batch": 16}
        for which in ("none", "ours", "autodiff"):
            out = subprocess.run(
                [sys.executable, "-m", "benchmarks", "--memory-of", name, which],
                capture_output=True,
                text=True,
                check=True,
            )
            row[f"{which} MiB"] = float(out.stdout.split()[-1])
        rows.append(row)
    return table(rows)


def memory_of(name, which):
    context = references.with_autodiff if which == "autodiff" else contextlib.nullcontext
    with context():
        model = make(name)
        model.compile(keras.optimizers.Adam(1e-3), jit_compile=True)
        images = images_for(model, 16)
        for _ in range(0 if which == "none" else 3):
            model.train_on_batch(images)
    print(timing.peak_memory_mib())


def scaling(quick):
    """Sampling time against pixels, batch and depth, with the exponents of a power-law fit."""
    rows = []

    def measure(what, values, options_of):
        functions = {}
        for value in values:
            sizes, batch = options_of(value)
            functions[value] = operations(make("diagonal", {**BINARY, **sizes}), batch, True)[
                "sample"
            ]
        seconds, _ = timing.interleaved(functions, runs=5, warmup=2)
        size = {value: value**2 if what == "side" else value for value in values}
        slope = np.polyfit(np.log(list(size.values())), np.log(list(seconds.values())), 1)[0]
        row = {"against": "pixels" if what == "side" else what}
        row["seconds"] = ", ".join(f"{value}: {t:.3f}" for value, t in seconds.items())
        rows.append({**row, "exponent": float(slope)})

    sides = (14, 28) if quick else (8, 14, 20, 28, 40, 56, 64)
    measure("side", sides, lambda side: ({"image_shape": (side, side, 1)}, 16))
    measure("batch", (1, 16) if quick else (1, 4, 16, 64, 256), lambda batch: ({}, batch))
    measure("blocks", (1, 4) if quick else (1, 2, 4, 7, 12), lambda n: ({"num_blocks": n}, 16))
    return table(rows)


def serving(quick):
    """Exports run as a server runs them: through the C API with XLA off."""
    rows = []
    for name in ("diagonal",) if quick else MAKE:
        model = make(name)
        with tempfile.TemporaryDirectory() as folder:
            path = kp.export.save_for_serving(model, folder)
            size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
            inputs = {"seed": np.arange(16, dtype=np.int64)}
            _, report, failure = check.c_api(
                path,
                saved.meta_graphs[0].signature_def,
                [("sample", inputs, ["image", "log_prob", "png_bytes"])],
                repeat=5 if quick else 11,
            )
            assert not failure, failure
        seconds, _ = timing.interleaved({"xla": operations(model, 16, True)["one loop"]}, runs=9)
        row = {"model": name, "batch": 16, "MB": size / 1e6, "load s": report["load"]}
        row["first s"] = report["jobs"][0][0]
        row |= {"C API s": float(np.median(report["jobs"][0][1:])), "XLA s": seconds["xla"]}
        row["C API/XLA"] = row["C API s"] / row["XLA s"]
        cells = "-"
        if name == "diagonal":
            cells = floor.drawing_without_xla(BINARY["units"], BINARY["num_blocks"], 28, 28, 16)
        rows.append({**row, "LSTM operations s": cells})
    return table(rows)


PARTS = {
    "usage": lambda quick: usage(quick, BINARY, (16, 1, 64), [(m, "bernoulli") for m in MAKE]),
    "colour": lambda quick: usage(
        quick,
        COLOR,
        (8, 1, 64),
        [*((name, "categorical") for name in MAKE), ("diagonal", "logistic")],
    ),
    "naive": against_naive,
    "training": training,
    "memory": memory,
    "scaling": scaling,
    "serving": serving,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases and runs; not for print")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory_of:
        return memory_of(*args.memory_of)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["machine"] = timing.machine()
    print(results["machine"], "\n", flush=True)
    for name, part in PARTS.items():
        if args.only in (None, name):
            print(name, flush=True)
            results[name] = part(args.quick)
            if not args.quick:  # now, so that stopping a later part loses nothing
                RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()
