"""The process that makes the bad calls, watched by `python -m benchmarks.faults calls`."""

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.faults import bad
from benchmarks.faults.calls import Calls
from benchmarks.faults.files import Files

KINDS = {"constructor": 0.4, "method": 0.25, "load": 0.1, "signature": 0.05, "file": 0.2}


def worker(seed, first, count, folder, log):
    """Makes the calls `first .. count-1`; one line before and one after each."""
    calls, files = Calls(folder / "export"), Files(folder / "files")
    names, chances = list(KINDS), list(KINDS.values())
    with open(log, "a") as file:
        for index in range(first, count):
            rng = np.random.default_rng([seed, index])
            kind = names[rng.choice(len(names), p=chances)]
            call = files.draw(rng) if kind == "file" else calls.draw(rng, kind)
            print(
                json.dumps({"begun": index, "kind": kind, "what": call.what}), file=file, flush=True
            )
            found, text, seconds = bad.outcome(call)
            line = {"index": index, "found": found, "text": text[:400], "seconds": seconds}
            print(json.dumps(line), file=file, flush=True)


if __name__ == "__main__":
    seed, first, count = map(int, sys.argv[1:4])
    worker(seed, first, count, *map(Path, sys.argv[4:]))
