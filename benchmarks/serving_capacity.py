"""What a served model takes and gives: loading, warm-up, memory, images a second, mixed requests.

    python -m benchmarks.serving_capacity exports/digits/1 exports/cifar10_gated/1
    python -m benchmarks.serving_capacity exports/digits/1 --only mixing

Everything runs in the session of TensorFlow's C API with XLA off and the batching of the development
server, in one process for each model, without a network: what the server's own graph and queues cost.
TensorFlow Serving adds its protocols.

- `load`: the graph and its weights; `warm-up`: the first request to every signature, beyond what a
  second one takes; `memory`: of the process after the warm-up, and after a batch of 64 to every
  signature, less what TensorFlow takes without a model.
- images a second of one client that sends so many rows a request.
- requests a second of 32 clients that send one row each, by the largest batch and batch threads.
- milliseconds of `log_prob` requests of one row, alone and beside clients that draw 64 images a
  request without a pause: with batch threads for all of them, and with fewer.
"""

import argparse
import multiprocessing
import os
import re
import shutil
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.serving_requests import inputs_of, resident_mib, version_folder

ROWS = (1, 4, 16, 64)


def asked(servable, name, rows):
    return inputs_of(servable, name, rows, np.random.default_rng(0))


def repeated(call, seconds):
    """Milliseconds of every call, made one after the other for some seconds."""
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return times


def beside(call, clients, others, seconds):
    """Milliseconds of all calls of some clients, while others call without a pause."""
    until, times = threading.Event(), []

    def other(call):
        while not until.is_set():
            call()

    threads = [threading.Thread(target=other, args=(one,)) for one in others]
    asking = [
        threading.Thread(target=lambda: times.extend(repeated(call, seconds)))
        for _ in range(clients)
    ]
    for thread in (*threads, *asking):
        thread.start()
    for thread in asking:
        thread.join()
    until.set()
    for thread in threads:
        thread.join()
    return times


def with_parameters(path, folder, **parameters):
    """A servable of the export whose batching parameters are changed."""
    from keras_pixelrnn.serving.server import Servable

    copy = Path(folder) / "-".join(map(str, parameters.values())) / path.name
    shutil.copytree(path, copy)
    file = copy / "batching_params.pbtxt"
    text = file.read_text()
    for name, value in parameters.items():
        text = re.sub(rf"{name} {{ value: \d+ }}", f"{name} {{ value: {value} }}", text)
    largest = int(re.search(r"max_batch_size { value: (\d+)", text)[1])
    sizes = [int(n) for n in re.findall(r"allowed_batch_sizes: (\d+)", text) if int(n) <= largest]
    text = re.sub(r"allowed_batch_sizes: \d+\n", "", text)
    file.write_text(text + "".join(f"allowed_batch_sizes: {n}\n" for n in sizes))
    return Servable(path.parent.name, copy)


def measure(path, seconds, only):
    print(f"\n{path}")
    if only != "mixing":
        alone(path, seconds)
    with tempfile.TemporaryDirectory() as folder:
        if only != "mixing":
            batching(path, folder, seconds)
        mixing(path, folder, seconds)


def alone(path, seconds):
    """Loading, memory, and one client."""
    from keras_pixelrnn.serving.server import Servable

    pid = os.getpid()
    before = resident_mib(pid)
    start = time.perf_counter()
    servable = Servable(path.parent.name, path, batching=False)
    load = time.perf_counter() - start
    names = sorted(set(servable.signatures) - {"serving_default"})
    first = second = 0.0
    for name in names:
        call = lambda: servable.predict(name, asked(servable, name, 1))  # noqa: B023, E731
        first += repeated(call, 0)[0]
        second += repeated(call, 0)[0]
    small = resident_mib(pid) - before
    rates = {name: [] for name in ("sample", "log_prob")}
    for name, found in rates.items():
        for rows in ROWS:
            inputs = asked(servable, name, rows)
            times = repeated(lambda: servable.predict(name, inputs), seconds)  # noqa: B023
            found.append(1000 * rows / np.median(times))
    for name in names:
        servable.predict(name, asked(servable, name, 64))
    large = resident_mib(pid) - before
    print(f"load {load:.1f} s, warm-up {(first - second) / 1000:.1f} s")
    print(f"memory {small:.0f} MiB after warm-up, {large:.0f} MiB after batches of 64\n")
    print("| images a second | " + " | ".join(f"{rows} a request" for rows in ROWS) + " |")
    print("|---|" + "---|" * len(ROWS))
    for name, found in rates.items():
        print(f"| `{name}` | " + " | ".join(f"{rate:.0f}" for rate in found) + " |")


def batching(path, folder, seconds):
    print("\n| `sample` requests a second, 32 clients | 1 thread | 2 threads | 4 threads |")
    print("|---|---|---|---|")
    for largest in (1, 16, 64):
        cells = []
        for threads in (1, 2, 4):
            servable = with_parameters(
                path, folder, max_batch_size=largest, num_batch_threads=threads
            )
            one = asked(servable, "sample", 1)
            call = lambda: servable.predict("sample", one)  # noqa: B023, E731
            call()
            start = time.perf_counter()
            answered = len(beside(call, 32, [], seconds))
            cells.append(f"{answered / (time.perf_counter() - start):.0f}")
            servable.close()
        print(f"| batches up to {largest} | " + " | ".join(cells) + " |")


def mixing(path, folder, seconds):
    print("\n| `log_prob`, ms (p50, p99) | 1 thread | 2 threads | 4 threads |\n|---|---|---|---|")
    table = {0: [], 1: [], 2: []}
    for threads in (1, 2, 4):
        servable = with_parameters(path, folder, num_batch_threads=threads)
        one, many = asked(servable, "log_prob", 1), asked(servable, "sample", 64)
        score = lambda: servable.predict("log_prob", one)  # noqa: B023, E731
        draw = lambda: servable.predict("sample", many)  # noqa: B023, E731
        score(), draw()
        for drawing, cells in table.items():
            times = beside(score, 1, [draw] * drawing, 3 * seconds)
            cells.append(f"{np.median(times):.0f}, {np.percentile(times, 99):.0f}")
        slow = np.median(repeated(draw, seconds))
        servable.close()
    for drawing, cells in table.items():
        print(f"| beside {drawing} clients that draw 64 images | " + " | ".join(cells) + " |")
    print(f"64 images take {slow:.0f} ms")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", type=version_folder, nargs="+", help="version folders")
    parser.add_argument("--seconds", type=float, default=3.0, help="of every measurement")
    parser.add_argument("--only", choices=["mixing"], help="the last table alone")
    parser.add_argument(
        "--inter-op",
        type=int,
        metavar="N",
        help="threads between operations, a server's --tensorflow_inter_op_parallelism; default: cores",
    )
    args = parser.parse_args()
    if args.inter_op:
        os.environ["TF_NUM_INTEROP_THREADS"] = str(args.inter_op)
    for path in args.paths:
        process = multiprocessing.get_context("spawn").Process(
            target=measure, args=(path.resolve(), args.seconds, args.only)
        )
        process.start()
        process.join()


if __name__ == "__main__":
    main()
