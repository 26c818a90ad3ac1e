"""The front door, by the clock: help, the first picture, loading by name, sizes.

    python -m benchmarks.shell

Each time is the least of a few runs in a fresh process, in an empty folder.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "keras_pixelrnn"]
LOAD = """
import time
import keras_pixelrnn as kp
kp.models.from_preset
longest = 0.0
for name in kp.presets.names():
    start = time.perf_counter()
    kp.models.from_preset(name)
    longest = max(longest, time.perf_counter() - start)
print(longest)
"""


def seconds(arguments, runs=3):
    """Least wall-clock time of a command that succeeds, from an empty folder."""
    return min(timed(arguments)[0] for _ in range(runs))


def timed(arguments):
    """Wall-clock time and standard output of one run."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(
            arguments, cwd=folder, env=environment, check=True, capture_output=True, text=True
        )
        return time.perf_counter() - start, done.stdout


def tracked_bytes():
    """Size of all files of the repository's tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    return sum((ROOT / name).stat().st_size for name in listed.stdout.decode().split("\0") if name)


def wheel_bytes():
    """Size of the wheel, built here."""
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, str(ROOT)]
        subprocess.run(build, check=True)
        return sum(file.stat().st_size for file in Path(folder).glob("*.whl"))


def main():
    """Print each figure beside its bar."""
    for label, found, bar in (
        ("pixelrnn --help, s", seconds([*COMMAND, "--help"]), 0.5),
        ("pixelrnn train --help, s", seconds([*COMMAND, "train", "--help"]), 0.5),
        ("pixelrnn sample digits -n 16, s", seconds([*COMMAND, "sample", "digits", "-n", "16"]), 6),
        ("from_preset, the slowest, s", float(timed([sys.executable, "-c", LOAD])[1]), 2),
        ("wheel, MB", wheel_bytes() / 1e6, 25),
        ("tree, MB", tracked_bytes() / 1e6, 60),
    ):
        print(f"{label:34} {found:8.2f}   bar {bar}", flush=True)


if __name__ == "__main__":
    main()
