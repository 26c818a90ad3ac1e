"""Drawing colour as a server does, without XLA, against with XLA in Python.

    python -m benchmarks.serving_colour     # 64x64x3, Gated PixelCNN, ten logistics of 256 levels
    python -m benchmarks.serving_colour --size 32 --batches 1 16 --runs 5

Both graphs are traced from the same model, the one without XLA runs as a
session of the server would (the batch in one loop), the one with XLA too. Medians and minima of runs in
turns; and the binary 28x28 Diagonal BiLSTM 7x16, 16 images, that has to stay at 0.1 s.
"""

import argparse
import os
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
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
    (grey,) = seconds([drawing(make("diagonal"), 16, False)], 3 * args.runs)
    print(f"28x28x1, 7x16, 16 images without XLA: {np.median(grey):.3f} s, least {min(grey):.3f}")


if __name__ == "__main__":
    main()
