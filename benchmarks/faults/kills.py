"""Trainings killed by SIGKILL at random moments and resumed, against one that nobody killed.

Each is a fork of one process that has imported the libraries, so that a training takes seconds.
"""

import csv
import hashlib
import json
import os
import shutil
import signal
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

ARGUMENTS = [
    *("--dataset", "digits", "--model", "pixelcnn", "--units", "4", "--num-blocks", "1"),
    *("--dropout", "0.3", "--batch-size", "64", "--epochs", "4", "--steps-per-execution", "2"),
]
STAGES = ("start", "epochs", "checkpoint", "results", "export")
PICTURES = ("samples.png", "completions.png", "generation.gif")


class Training:
    """A training in a process of its own, whose words go to a file beside its folder."""

    def __init__(self, output, resume=False):
        self.output = output
        self.said = output.parent / f"{output.name}.txt"
        self.child = os.fork()
        if self.child == 0:
            code = 1
            try:
                with open(self.said, "ab") as file:
                    os.dup2(file.fileno(), 1)
                    os.dup2(file.fileno(), 2)
                from keras_pixelrnn import cli

                cli.main(["train", *(["--resume"] if resume else ARGUMENTS), "--output", output])
                code = 0
            except SystemExit as end:
                if isinstance(end.code, str):
                    os.write(2, end.code.encode())
                code = end.code if isinstance(end.code, int) else 1
            finally:
                os._exit(code or 0)

    def ended(self):
        """Whether it has; `RuntimeError` with its last words where it failed."""
        pid, status = os.waitpid(self.child, os.WNOHANG)
        if pid and (code := os.waitstatus_to_exitcode(status)):
            raise RuntimeError(f"A training ended with {code}: {self.said.read_text()[-2000:]}")
        return bool(pid)

    def finish(self, until=None):
        """Waits for its end, or for a stage; False where it ended before that."""
        while until is None or not self.reached(until):
            if self.ended():
                return False
            time.sleep(0.001 if until == "checkpoint" else 0.01)
        return True

    def kill(self, stage, seconds):
        """Kills it so many seconds after a stage; False where it ended before."""
        if not self.finish(until=stage):
            return False
        time.sleep(seconds)
        if self.ended():
            return False
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        return True

    def reached(self, stage):
        state = self.output / "training"
        if stage == "start":
            return True
        if stage == "epochs":
            return any(state.glob("state-*.npz"))
        if stage == "checkpoint":
            return any(state.glob("writing-*"))
        if stage == "results":
            return (state / "results.json").exists()
        return any(self.output.glob(".writing-*")) or (self.output / "1").exists()


def lasting(output):
    """`{name: digest}` of all that a finished training leaves, times aside.

    Made in a fork: this process must not start what no fork may inherit."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as file:
            file.write(json.dumps({k: digest(v) for k, v in _lasting(output).items()}))
            file.flush()
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    os.waitpid(child, 0)
    return json.loads(text)


def digest(value):
    return hashlib.sha256(value if isinstance(value, bytes) else repr(value).encode()).hexdigest()


def _lasting(output):
    import h5py

    from keras_pixelrnn.serving import check

    metrics = json.loads((output / "metrics.json").read_text())
    found = {"metrics.json": {k: v for k, v in metrics.items() if k != "training_seconds"}}
    with open(output / "history.csv", newline="") as file:
        found["history.csv"] = [{**row, "seconds": ""} for row in csv.DictReader(file)]
    with (
        zipfile.ZipFile(output / "model.keras") as archive,
        archive.open("model.weights.h5") as file,
        h5py.File(file) as weights,
    ):
        weights.visititems(
            lambda name, item: (
                found.update({f"model.keras/{name}": np.array(item).tobytes()})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    for name in PICTURES:
        found[name] = (output / name).read_bytes()
    found["export"] = check.check(output / "1")
    found["files"] = sorted(path.name for path in output.iterdir())
    return found


def run(count, seed, most=3):
    """Kills trainings `count` times in all, each up to `most` times, and prints what came of it."""
    from keras_pixelrnn import cli  # noqa: F401  (before the first fork)
    from keras_pixelrnn.training import run as training

    rng = np.random.default_rng(seed)
    same, trainings, kills = 0, 0, 0
    stages = dict.fromkeys(STAGES, 0)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        begun = time.monotonic()
        training, marks = Training(folder / "whole"), []
        for stage in ("epochs", "results", None):
            training.finish(until=stage)
            marks.append(time.monotonic() - begun)
        whole = lasting(folder / "whole")
        print(
            f"uninterrupted: epochs, results, end after {[round(m, 1) for m in marks]} s",
            flush=True,
        )
        longest = {
            "start": marks[0],
            "epochs": marks[1] - marks[0],
            "checkpoint": 0.02,
            "results": marks[2] - marks[1],
            "export": (marks[2] - marks[1]) / 2,
        }
        while kills < count:
            output, moments = folder / f"killed-{trainings}", []
            for _ in range(min(int(rng.integers(1, most + 1)), count - kills)):
                stage = STAGES[rng.integers(len(STAGES))]
                seconds = float(rng.uniform(0, longest[stage]))
                if not Training(output, _resumable(output)).kill(stage, seconds):
                    break
                moments.append(f"{stage} + {seconds:.2f} s")
                stages[stage] += 1
            kills += len(moments)
            Training(output, _resumable(output)).finish()
            found = lasting(output)
            other = [key for key in whole | found if whole.get(key) != found.get(key)]
            same += not other
            trainings += 1
            outcome = f"NOT the same: {other[:5]}" if other else "the same"
            print(f"{kills} kills; {', '.join(moments) or 'too late'}: {outcome}", flush=True)
            shutil.rmtree(output)
    print(f"{same} of {trainings} trainings the same after {kills} kills, by stage: {stages}")


def _resumable(output):
    """Whether there is a checkpoint to go on from; before the first one the same command begins anew."""
    return any((output / "training").glob("state-*.npz"))
