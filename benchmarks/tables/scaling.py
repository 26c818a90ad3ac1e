"""How the time of drawing grows."""

import numpy as np

from benchmarks import timing
from benchmarks.cases import BINARY, make, operations, table


def scaling(quick):
    """Sampling time against pixels, batch and depth, with the exponents of a power-law fit."""
    rows = []

    def measure(what, values, options_of):
        functions = {}
        for value in values:
            sizes, batch = options_of(value)
            functions[value] = operations(make("diagonal", {**BINARY, **sizes}), batch, True)[
                "sample"
            ]
        seconds, _ = timing.interleaved(functions, runs=5, warmup=2)
        size = {value: value**2 if what == "side" else value for value in values}
        slope = np.polyfit(np.log(list(size.values())), np.log(list(seconds.values())), 1)[0]
        row = {"against": "pixels" if what == "side" else what}
        row["seconds"] = ", ".join(f"{value}: {t:.3f}" for value, t in seconds.items())
        rows.append({**row, "exponent": float(slope)})

    sides = (14, 28) if quick else (8, 14, 20, 28, 40, 56, 64)
    measure("side", sides, lambda side: ({"image_shape": (side, side, 1)}, 16))
    measure("batch", (1, 16) if quick else (1, 4, 16, 64, 256), lambda batch: ({}, batch))
    measure("blocks", (1, 4) if quick else (1, 2, 4, 7, 12), lambda n: ({"num_blocks": n}, 16))
    return table(rows)
