"""Drawing many images: memory above the model, throughput against batches, the answer to Ctrl-C.

    python -m benchmarks.blocks                  # 10,000 images of the trained 28x28 model of 7x16

Throughput is that of one call of `sample` for all images against calls for one batch each, again and
again for as long, in turns in one process. Which size of a batch is best is found before, by runs of
its own: the best of some that are measured alike would seem better than it is. Memory is the highest
resident size while the large call runs, against that with the model loaded and compiled.
"""

import argparse
import os
import signal
import statistics
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import keras_pixelrnn as kp

SIZES = (16, 32, 64, 128, 256)
SECONDS = 3.0


def resident():
    """Resident memory of this process now, MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def watched(function):
    """Highest resident memory while a function runs, MB, and its seconds."""
    peak, done = [resident()], threading.Event()

    def watch():
        while not done.wait(0.05):
            peak.append(resident())

    thread = threading.Thread(target=watch)
    thread.start()
    start = time.monotonic()
    function()
    seconds = time.monotonic() - start
    done.set()
    thread.join()
    return max(peak), seconds


def rate_of(function, images, at_least=SECONDS):
    """Images a second of a function that makes so many, called again and again for some seconds: one
    call alone may meet a moment in which the processor is faster than it stays."""
    start, calls = time.monotonic(), 0
    while (seconds := time.monotonic() - start) < at_least:
        function()
        calls += 1
    return calls * images / seconds


def interrupted(function, after):
    """Seconds from Ctrl-C, `after` so many of a function, to `KeyboardInterrupt`."""
    sent = []

    def send():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(after, send).start()
    try:
        function()
    except KeyboardInterrupt:
        return time.monotonic() - sent[0]
    raise RuntimeError("It ended before it was interrupted: ask for more images.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="binarized_mnist_diagonal_7x16")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()

    model = kp.models.from_preset(args.model)
    batches = {size: [] for size in SIZES if size <= args.count}
    for size in batches:
        model.sample(size, seed=0)

    def rate(size, run, at_least=SECONDS):
        return rate_of(lambda: model.sample(size, seed=run), size, at_least)

    for run in range(args.runs):
        for size, rates in batches.items():
            rates.append(rate(size, run))
    best = max(batches, key=lambda size: statistics.median(batches[size]))
    before = peak = resident()
    whole, in_batches = [], []
    for run in range(args.runs):
        highest, seconds = watched(lambda run=run: model.sample(args.count, seed=run))
        peak = max(peak, highest)
        whole.append(args.count / seconds)
        in_batches.append(rate(best, run, seconds))
    rate_of_whole, of_best = statistics.median(whole), statistics.median(in_batches)
    images = np.zeros((args.count, *model.image_shape), model.distribution.dtype)
    model.log_prob(images[:64], batch_size=64)
    likelihood, _ = watched(lambda: model.log_prob(images))
    waits = [interrupted(lambda: model.sample(args.count, seed=0), 1.3 + 0.1 * i) for i in range(3)]
    print(f"sample({args.count}): {rate_of_whole:.1f} images a second, {peak - before:.0f} MB more")
    print(f"best batch: {best}, {of_best:.1f} images a second; ratio {rate_of_whole / of_best:.2f}")
    print(f"log_prob of {args.count}: {likelihood - before:.0f} MB more")
    print(f"Ctrl-C: {', '.join(f'{wait:.2f}' for wait in waits)} s")


if __name__ == "__main__":
    main()
