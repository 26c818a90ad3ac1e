"""Drawing colour as a server does, without XLA, against with XLA in Python.

    python -m benchmarks.serving_colour     # 64x64x3, Gated PixelCNN, ten logistics of 256 levels
    python -m benchmarks.serving_colour --size 32 --batches 1 16 --runs 5
    python -m benchmarks.serving_colour --grey --allocator libjemalloc.so.2

Both graphs are traced from the same model, the one without XLA runs as a
session of the server would (the batch in one loop), the one with XLA too. Medians and minima of runs in
turns; and the binary 28x28 Diagonal BiLSTM 7x16, 16 images, that has to stay at 0.1 s. `--grey` measures
it alone, with `--allocator` in processes with and without that library in place of the C library's
`malloc`, in turns.
"""

import argparse
import os
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import keras_pixelrnn as kp
from benchmarks.cases import HEADS, make
from benchmarks.timing import machine
from keras_pixelrnn import backend, noise


def drawing(model, batch, xla):
    graph = backend.compiled(model.sample_graph, model.variables, xla)
    uniform = tf.constant(noise.uniform(np.arange(batch), model.image_shape))
    return lambda: graph(uniform)[0].numpy()


def seconds(functions, runs):
    """All seconds of each of some functions, run in turns after one call that traces."""
    found = [[] for _ in functions]
    for function in functions:
        function()
    for _ in range(runs):
        for function, times in zip(functions, found, strict=True):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return found


def grey(runs):
    """Seconds of each of 16 images of the Diagonal BiLSTM 7x16, drawn `3 * runs` times."""
    return seconds([drawing(make("diagonal"), 16, False)], 3 * runs)[0]


def grey_by_allocator(library, runs, processes=3):
    """`{name: [seconds, ...]}` of `grey` in processes of their own, with and without `library`."""
    found = {"malloc": [], library: []}
    for _ in range(processes):
        for name, times in found.items():
            preload = {} if name == "malloc" else {"LD_PRELOAD": library}
            command = [
                sys.executable,
                "-m",
                "benchmarks.serving_colour",
                "--grey",
                "--runs",
                str(runs),
            ]
            done = subprocess.run(
                command, env={**os.environ, **preload}, capture_output=True, text=True, check=True
            )
            if "cannot be preloaded" in done.stderr:
                raise SystemExit(f"There is no such library: {library}")
            times.extend(map(float, done.stdout.split()))
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--grey", action="store_true", help="grey alone: its seconds, one a line")
    parser.add_argument("--allocator", metavar="LIBRARY", help="with --grey: to be compared")
    args = parser.parse_args()
    if args.allocator:
        print(machine())
        for name, times in grey_by_allocator(args.allocator, args.runs).items():
            print(f"{name}: median {np.median(times):.3f} s, least {min(times):.3f}")
        return
    if args.grey:
        print("\n".join(f"{time:.4f}" for time in grey(args.runs)))
        return
    print(machine())
    colour = kp.models.GatedPixelCNN((args.size, args.size, 3), HEADS["logistic"])
    print("| images | without XLA s (median, least) | with XLA s | ratio of medians, of least |")
    print("|---|---|---|---|")
    for batch in args.batches:
        plain, xla = seconds(
            [drawing(colour, batch, False), drawing(colour, batch, True)], args.runs
        )
        cells = [f"{np.median(times):.3f}, {min(times):.3f}" for times in (plain, xla)]
        ratios = f"{np.median(plain) / np.median(xla):.2f}, {min(plain) / min(xla):.2f}"
        print(f"| {batch} | {cells[0]} | {cells[1]} | {ratios} |", flush=True)
    times = grey(args.runs)
    print(f"28x28x1, 7x16, 16 images without XLA: {np.median(times):.3f} s, least {min(times):.3f}")


if __name__ == "__main__":
    main()
