"""Measure everything and print the tables: `make benchmark`.

Figures are medians of interleaved runs, and ratios within one run. Writes benchmarks/results.json, of
which `--only` renews one part.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import timing
from benchmarks.tables.memory import memory, memory_of
from benchmarks.tables.naive import against_naive
from benchmarks.tables.scaling import scaling
from benchmarks.tables.serving import serving
from benchmarks.tables.training import training
from benchmarks.tables.usage import binary, colour

RESULTS = Path(__file__).parent / "results.json"
PARTS = {
    "usage": binary,
    "colour": colour,
    "naive": against_naive,
    "training": training,
    "memory": memory,
    "scaling": scaling,
    "serving": serving,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases and runs; not for print")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory_of:
        return memory_of(*args.memory_of)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["machine"] = timing.machine()
    print(results["machine"], "\n", flush=True)
    for name, part in PARTS.items():
        if args.only in (None, name):
            print(name, flush=True)
            results[name] = part(args.quick)
            if not args.quick:  # now, so that stopping a later part loses nothing
                RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()
