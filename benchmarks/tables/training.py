"""A training step against autodiff, and against its core."""

import keras

from benchmarks import floor, references, timing
from benchmarks.cases import forward_pass, images_for, make, table


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
