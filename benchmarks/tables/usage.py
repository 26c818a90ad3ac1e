"""Seconds of every use of every kind of model."""

import itertools

import keras

from benchmarks import timing
from benchmarks.cases import BINARY, COLOR, MAKE, make, operations, table


def usage(quick, sizes, batches, kinds):
    """Seconds of every use of every kind of model, with and without XLA."""
    rows = []
    for batch, (name, head) in itertools.product(batches[:1] if quick else batches, kinds):
        functions = {}
        for xla in (True, False):
            for use, function in operations(make(name, sizes, head), batch, xla).items():
                functions[use, xla] = function
        seconds, first = timing.interleaved(functions, runs=3 if batch > 16 else 7)
        for xla in (True, False):
            took = {use: t for (use, on), t in seconds.items() if on == xla}
            row = {"model": name, "head": head, "image": "x".join(map(str, sizes["image_shape"]))}
            row |= {"batch": batch, "XLA": "on" if xla else "off"}
            for use in ("forward", "log_prob", "sample", "one loop", "complete", "train"):
                row[f"{use} s"] = took.get(use, "-")
            row["sample/forward"] = took["sample"] / took["forward"] if xla else "-"
            row["one loop off/on"] = seconds["one loop", False] / seconds["one loop", True]
            row["compile s"] = sum(t for (_, on), t in first.items() if on == xla)
            rows.append(row)
        keras.backend.clear_session()
    return table(rows)


def binary(quick):
    """28x28 binary images."""
    return usage(quick, BINARY, (16, 1, 64), [(name, "bernoulli") for name in MAKE])


def colour(quick):
    """32x32 colour images."""
    kinds = [*((name, "categorical") for name in MAKE), ("diagonal", "logistic")]
    return usage(quick, COLOR, (8, 1, 64), kinds)
