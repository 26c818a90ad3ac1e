"""What a large context costs: a training step, `log_prob` and `sample` of a model that is told one of
1,000 classes or a vector of 4,000 numbers, against the same model told nothing. 28x28x1.

    python -m benchmarks.context
    python -m benchmarks.context --architectures gated --operations train

Times are medians of interleaved runs in one process; memory is the peak of a process of its own for each
model above one that only imports the package: medians of nine such processes in turns, since two of the
same differ by up to 30 MiB.
"""

import argparse
import os
import statistics
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from benchmarks import timing
from benchmarks.cases import BINARY, make

CONTEXTS = {
    "nothing": {},
    "1,000 classes": {"num_classes": 1000},
    "4,000 numbers": {"context_shape": (4000,)},
}
OPERATIONS = ("train", "log_prob", "sample")
BATCH, PROCESSES = 16, 9


def made(architecture, context):
    """A compiled model, and what to call it with: `(model, images, keyword, given)`."""
    keras.utils.set_random_seed(0)
    model = make(architecture, {**BINARY, **CONTEXTS[context]})
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=True)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2, (BATCH, *model.image_shape), np.uint8)
    if context == "nothing":
        return model, images, {}, ()
    if model.context.num_classes:
        told = rng.integers(0, model.context.num_classes, BATCH)
    else:
        told = rng.normal(size=(BATCH, *model.context.shape)).astype(np.float32)
    return model, images, {"context": told}, (told,)


def operations(architecture, context):
    """`{operation: function}`."""
    model, images, keyword, given = made(architecture, context)
    return {
        "train": lambda: model.train_on_batch(images, *given),
        "log_prob": lambda: model.log_prob(images, **keyword),
        "sample": lambda: model.sample(BATCH, seed=0, **keyword),
    }


def times(architecture, names, runs):
    """`{operation: {context: seconds}}`."""
    by_context = {context: operations(architecture, context) for context in CONTEXTS}
    return {
        name: timing.interleaved({c: by_context[c][name] for c in CONTEXTS}, runs, warmup=2)[0]
        for name in names
    }


def peak(architecture, context, operation):
    """Peak of a process that does nothing else, MiB."""
    command = [sys.executable, "-m", __spec__.name, "--peak", architecture, context, operation]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(out.stdout.split()[-1])


def memory(architecture, operation, processes):
    """`{context: MiB above import}`: medians of processes in turns."""
    turns = [
        {
            "import": peak(architecture, "nothing", "import"),
            **{context: peak(architecture, context, operation) for context in CONTEXTS},
        }
        for _ in range(processes)
    ]
    middle = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    return {context: middle[context] - middle["import"] for context in CONTEXTS}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", nargs="+", default=["diagonal", "gated"])
    parser.add_argument("--operations", nargs="+", default=OPERATIONS, choices=OPERATIONS)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--processes", type=int, default=PROCESSES, help="of each peak of memory")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak:
        architecture, context, operation = args.peak
        if operation != "import":
            run = operations(architecture, context)[operation]
            run(), run()
        return print(timing.peak_memory_mib())
    print(f"{timing.machine()}\n| model | operation | told | time | MiB above import | ratios |")
    for architecture in args.architectures:
        for operation, seconds in times(architecture, args.operations, args.runs).items():
            peaks = memory(architecture, operation, args.processes)
            for context in CONTEXTS:
                ratios = f"{seconds[context] / seconds['nothing']:.2f}, "
                ratios += f"{peaks[context] / peaks['nothing']:.2f}"
                row = f"{1000 * seconds[context]:.1f} ms | {peaks[context]:.0f} | {ratios}"
                print(f"| {architecture} | {operation} | {context} | {row} |", flush=True)
    return None


if __name__ == "__main__":
    main()
