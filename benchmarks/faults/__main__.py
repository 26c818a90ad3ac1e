"""Thousands of bad calls and damaged files, tens of killed trainings, and what becomes of each.

python -m benchmarks.faults calls --count 10000     # crashes, hangs, silence, unnamed arguments
python -m benchmarks.faults kills --count 50        # trainings killed and resumed
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.faults import bad, kills

PATIENCE = 120.0  # seconds without a sign, after which a call hangs; the first exports a model


def calls(count, seed, log):
    """Runs workers until all calls are made; returns `{kind: Counter of outcomes}` and the bad ends."""
    log = Path(log)
    log.unlink(missing_ok=True)
    ends = {}
    first = 0
    while first < count:
        with tempfile.TemporaryDirectory() as folder:
            given = [seed, first, count, folder, log]
            command = [sys.executable, "-m", "benchmarks.faults.worker", *map(str, given)]
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            size, seen = -1, time.monotonic()
            while process.poll() is None:
                time.sleep(0.2)
                now = log.stat().st_size if log.exists() else 0
                if now != size:
                    size, seen = now, time.monotonic()
                elif time.monotonic() - seen > PATIENCE:
                    process.kill()
                    process.wait()
        done, begun = _read(log)
        if process.returncode != 0 and (not begun or max(begun) < first):
            raise RuntimeError(f"The worker did not begin: exit code {process.returncode}")
        last = max(begun)
        if last not in done:
            ends[last] = bad.HANG if process.returncode == -9 else bad.CRASH
        first = last + 1
    return _read(log), ends


def _read(log):
    done, begun = {}, {}
    for line in log.read_text().splitlines() if log.exists() else ():
        entry = json.loads(line)
        if "begun" in entry:
            begun[entry["begun"]] = entry
        else:
            done[entry["index"]] = entry
    return done, begun


def table(done, begun, ends):
    """Markdown of outcomes by kind, and a line for each that is not as it should be."""
    words = [bad.NAMED, bad.UNNAMED, bad.HARMLESS, bad.SILENT, bad.CRASH, bad.HANG]
    counts = collections.defaultdict(collections.Counter)
    for index, entry in begun.items():
        found = ends.get(index) or done[index]["found"]
        counts[entry["kind"]][found] += 1
        if found not in (bad.NAMED, bad.HARMLESS):
            print(f"{found}: {entry['what'][:150]} -> {done.get(index, {}).get('text', '')[:200]}")
    print(f"\n| kind | calls | {' | '.join(words)} |\n|{'---|' * (len(words) + 2)}")
    total = sum(counts.values(), collections.Counter())
    for kind, found in [*counts.items(), ("all", total)]:
        print(f"| {kind} | {sum(found.values())} | {' | '.join(str(found[w]) for w in words)} |")
    failed = total[bad.NAMED] + total[bad.UNNAMED]
    print(f"\n{total[bad.NAMED] / max(failed, 1):.2%} of the errors name the argument or file")
    seconds = sorted(entry["seconds"] for entry in done.values())
    print(f"seconds of a call: median {seconds[len(seconds) // 2]:.4f}, longest {seconds[-1]:.1f}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["calls", "kills"])
    parser.add_argument("--count", type=int, help="calls (10000) or kills (50)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other calls and kills")
    parser.add_argument("--log", type=Path, default=Path("faults.jsonl"), help="of calls, each one")
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    if given.what == "kills":
        kills.run(given.count or 50, given.seed)
    else:
        found, ends = calls(given.count or 10_000, given.seed, given.log)
        table(*found, ends)


if __name__ == "__main__":
    main()
