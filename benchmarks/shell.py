"""The front door, by the clock: help, the first picture, loading by name, sizes.

    python -m benchmarks.shell

Each time is the least of a few runs in a fresh process, in an empty folder. Beside it stands the time of
the processor, which says more on a machine that is busy with other work. The first picture includes the
import of TensorFlow, whose own time stands above it.
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
longest = 0.0, 0.0
for name in kp.presets.names():
    start = time.perf_counter(), time.process_time()
    kp.models.from_preset(name)
    took = time.perf_counter() - start[0], time.process_time() - start[1]
    longest = max(longest, took)
print(*longest)
"""


def seconds(arguments, runs=3):
    """Least wall-clock time of a command that succeeds, from an empty folder, and its processor time."""
    return min(timed(arguments)[0] for _ in range(runs))


def timed(arguments):
    """`(wall-clock time, processor time)` and standard output of one run."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        before, start = os.times(), time.perf_counter()
        done = subprocess.run(
            arguments, cwd=folder, env=environment, check=True, capture_output=True, text=True
        )
        wall, after = time.perf_counter() - start, os.times()
    user = after.children_user - before.children_user
    return (wall, user + after.children_system - before.children_system), done.stdout


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
    loading = tuple(map(float, timed([sys.executable, "-c", LOAD])[1].split()))
    for label, found, bar in (
        ("pixelrnn --help, s", seconds([*COMMAND, "--help"]), 0.5),
        ("pixelrnn train --help, s", seconds([*COMMAND, "train", "--help"]), 0.5),
        ("import tensorflow, s", seconds([sys.executable, "-c", "import tensorflow"]), "none"),
        ("pixelrnn sample digits -n 16, s", seconds([*COMMAND, "sample", "digits", "-n", "16"]), 6),
        ("from_preset, the slowest, s", loading, 2),
        ("wheel, MB", (wheel_bytes() / 1e6,), 25),
        ("tree, MB", (tracked_bytes() / 1e6,), 60),
    ):
        processor = f"   processor {found[1]:.2f}" if len(found) > 1 else ""
        print(f"{label:34} {found[0]:8.2f}   bar {bar}{processor}", flush=True)


if __name__ == "__main__":
    main()
