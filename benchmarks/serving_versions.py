"""Exports of this TensorFlow in the runtime of others: what an older server would make of them.

    python -m benchmarks.serving_versions saved_models/digits/1 --tensorflow 2.19.1 2.20.0

Fetches the wheels by pip, takes the C libraries out of them, and runs the warm-up requests of every
export in each, with XLA off, in a process that loads that library alone. Integers must equal those of
the installed TensorFlow, nats agree within 1e-3. Prints the operations that the graphs use, too.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from benchmarks.serving_requests import version_folder
from keras_pixelrnn.serving import check, operations, warmup


def libraries_of(version, folder):
    """Folder of the C libraries in the wheel of a TensorFlow version."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    subprocess.run([*command, str(folder), f"tensorflow=={version}"], check=True)
    (wheel,) = Path(folder).glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if name.startswith("tensorflow/libtensorflow"):
                packed.extract(name, folder)
    wheel.unlink()
    return Path(folder) / "tensorflow"


def compare(path, libraries):
    """Sentences about what differs in another runtime, and the seconds it took to load."""
    graph = check.read(path)
    jobs = [
        (name, inputs, sorted(graph.signature_def[name].outputs))
        for name, inputs in warmup.read(path)
    ]
    expected, _, failure = check.c_api(path, graph.signature_def, jobs)
    assert not failure, failure
    found, report, failure = check.c_api(path, graph.signature_def, jobs, libraries=libraries)
    if failure:
        return [failure], None
    problems = [f"{jobs[number][0]}: {message}" for number, message in report["errors"]]
    for number, (name, _, outputs) in enumerate(jobs):
        for output, ours, theirs in zip(outputs, expected[number], found.get(number, [])):
            if ours.dtype.kind == "f":
                same = np.allclose(ours, theirs, atol=1e-3, equal_nan=True)
            else:
                same = np.array_equal(ours, theirs)
            if not same:
                problems.append(f"{name}: {output} differs")
    return problems, report["load"]


def say(what):
    """On stderr: what takes minutes."""
    print(what, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", type=version_folder, nargs="+", help="version folders")
    parser.add_argument("--tensorflow", nargs="+", default=["2.19.1", "2.20.0"])
    args = parser.parse_args()
    failed = False
    for version in args.tensorflow:
        with tempfile.TemporaryDirectory() as folder:
            say(f"TensorFlow {version}: fetching its wheel, some hundred MB, by pip ...")
            libraries = libraries_of(version, folder)
            for path in args.paths:
                say(f"TensorFlow {version}: loading and running {path} ...")
                problems, load = compare(path, libraries)
                failed |= bool(problems)
                words = "; ".join(problems) or f"every signature, loaded in {load:.1f} s"
                print(f"TensorFlow {version}: {path} of {tf.__version__}: {words}", flush=True)
    used = set()
    for path in args.paths:
        used |= operations.used(check.read(path).graph_def)
    print(f"{len(used)} operations: {', '.join(sorted(used))}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
