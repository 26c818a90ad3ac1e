"""Streaming against a full forward pass per pixel."""

from benchmarks import references, timing
from benchmarks.cases import MAKE, make, operations, table


def against_naive(quick):
    """Streaming against a full forward pass per pixel."""
    rows = []
    for name in MAKE:
        model = make(name)
        pixels = 14 if quick else 56
        naive = references.naive_sampler(model, 16, pixels)
        seconds, _ = timing.interleaved(
            {"naive": lambda n=naive: n(0), "streaming": operations(model, 16, True)["sample"]},
            runs=5,
        )
        whole = seconds["naive"] * 784 / pixels
        row = {"model": name, "batch": 16, "naive s (784 px)": whole}
        row |= {"timed px": pixels, "streaming s": seconds["streaming"]}
        rows.append({**row, "naive/streaming": whole / seconds["streaming"]})
    return table(rows)
