"""Trainings killed by SIGKILL at random moments and resumed, against one that nobody killed.

Each is a fork of one process that has imported the libraries, so that a training takes seconds.
"""

import csv
import hashlib
import json
import os
import resource
import shutil
import signal
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

ARGUMENTS = [
    *("--model", "pixelcnn", "--units", "4", "--num-blocks", "1", "--kernel-size", "3"),
    *("--dropout", "0.3", "--batch-size", "16", "--epochs", "4", "--steps-per-execution", "2"),
    *("--checkpoint-minutes", "0.002"),
]
PATIENCE = 300.0  # seconds that a training may take for a stage, on a machine that much else uses
STAGES = ("start", "epochs", "checkpoint", "results", "export")
PICTURES = ("samples.png", "completions.png", "generation.gif")


class Training:
    """A training in a process of its own, whose words go to a file beside its folder."""

    def __init__(self, output, data):
        self.output = output
        # Before the first checkpoint the same command begins anew.
        resume = any((output / "training").glob("state-*.npz"))
        given = ["--resume"] if resume else [*ARGUMENTS, "--dataset", data]
        self.said = output.parent / f"{output.name}.txt"
        self.child = os.fork()
        if self.child == 0:
            code = 1
            try:
                with open(self.said, "ab") as file:
                    os.dup2(file.fileno(), 1)
                    os.dup2(file.fileno(), 2)
                from keras_pixelrnn import cli

                cli.main(["train", *given, "--output", output])
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
        begun = time.monotonic()
        while until is None or not self.reached(until):
            if self.ended():
                return False
            if time.monotonic() - begun > PATIENCE:
                self.end()
                raise RuntimeError(f"A training hangs: {self.said.read_text()[-2000:]}")
            time.sleep(0.001 if until == "checkpoint" else 0.01)
        return True

    def end(self):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)

    def kill(self, stage, seconds):
        """Kills it so many seconds after a stage; False where it ended before."""
        if not self.finish(until=stage):
            return False
        time.sleep(seconds)
        if self.ended():
            return False
        self.end()
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


def in_a_fork(function):
    """What `function` returns, through JSON. This process must not start what no fork may inherit."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "w") as file:
                json.dump(function(), file)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise RuntimeError("A process that reads what a training left has failed; see above")
    return json.loads(text)


def few_digits(path):
    """A packed file of the middles of digits, 4x3 pixels: what is compiled and drawn soon."""
    import keras_pixelrnn as kp

    images = {
        name: split.read(np.arange(count))[0][:, 2:6, 2:5]
        for (name, split), count in zip(
            kp.data.load("digits").source.splits.items(), (160, 32, 32), strict=True
        )
    }
    kp.data.pack(kp.data.load(images, values="integers", levels=17), path)


def lasting(output):
    """`{name: digest}` of all that a finished training leaves, times aside."""
    return in_a_fork(lambda: {k: digest(v) for k, v in _lasting(output).items()})


def digest(value):
    return hashlib.sha256(value if isinstance(value, bytes) else repr(value).encode()).hexdigest()


def _lasting(output):
    import h5py

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
    path = output / "1"
    found["export"] = [str(file.relative_to(path)) for file in sorted(path.rglob("*"))]
    found["variables"] = next(path.glob("variables/*.data*")).read_bytes()
    found["files"] = sorted(path.name for path in output.iterdir())
    return found


def run(count, seed, most=3):
    """Kills trainings `count` times in all, each up to `most` times, and prints what came of it."""
    # Before the first fork, so that each has it.
    from keras_pixelrnn import cli  # noqa: F401
    from keras_pixelrnn.serving import check
    from keras_pixelrnn.training import run  # noqa: F401

    # Proving the export servable writes nothing, and takes a third of such a training.
    check.check = lambda path: []

    rng = np.random.default_rng(seed)
    same, trainings, kills = 0, 0, 0
    stages = dict.fromkeys(STAGES, 0)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        data = folder / "digits.npz"
        in_a_fork(lambda: few_digits(data))
        whole, longest = uninterrupted(folder / "whole", data)
        while kills < count:
            output, moments = folder / f"killed-{trainings}", []
            for _ in range(min(int(rng.integers(1, most + 1)), count - kills)):
                stage = STAGES[rng.integers(len(STAGES))]
                seconds = float(rng.uniform(0, longest[stage]))
                if not Training(output, data).kill(stage, seconds):
                    longest[stage] *= 0.7  # the machine is less busy than it was
                    break
                moments.append(f"{stage} + {seconds:.2f} s")
                stages[stage] += 1
            kills += len(moments)
            Training(output, data).finish()
            found = lasting(output)
            other = [key for key in whole | found if whole.get(key) != found.get(key)]
            same += not other
            trainings += 1
            outcome = f"NOT the same: {other[:5]}" if other else "the same"
            print(f"{kills} kills; {', '.join(moments) or 'too late'}: {outcome}", flush=True)
            shutil.rmtree(output)
    print(f"{same} of {trainings} trainings the same after {kills} kills, by stage: {stages}")


def uninterrupted(output, data):
    """What it leaves, and how many seconds each stage takes."""
    begun, marks = time.monotonic(), []
    used = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    training = Training(output, data)
    for stage in ("epochs", "results", None):
        training.finish(until=stage)
        marks.append(time.monotonic() - begun)
    used = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - used
    print(
        f"uninterrupted: epochs, results, end after {[round(mark, 1) for mark in marks]} s, "
        f"{used:.1f} s of processor time",
        flush=True,
    )
    start, epochs, end = marks
    results = end - epochs
    return lasting(output), {
        **{"start": start, "epochs": epochs - start, "checkpoint": 0.02},
        **{"results": results, "export": results / 2},
    }
