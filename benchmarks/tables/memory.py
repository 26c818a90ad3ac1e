"""Peak memory of training."""

import contextlib
import subprocess
import sys

import keras

from benchmarks import references, timing
from benchmarks.cases import images_for, make, table


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
