"""Exports as a server runs them."""

import tempfile

import numpy as np
from tensorflow.core.protobuf import saved_model_pb2

import keras_pixelrnn as kp
from benchmarks import floor, timing
from benchmarks.cases import BINARY, MAKE, make, operations, table
from keras_pixelrnn.serving import check


def serving(quick):
    """Exports run as a server runs them: through the C API with XLA off."""
    rows = []
    for name in ("diagonal",) if quick else MAKE:
        model = make(name)
        with tempfile.TemporaryDirectory() as folder:
            path = kp.export.save_for_serving(model, folder)
            size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
            inputs = {"seed": np.arange(16, dtype=np.int64)}
            _, report, failure = check.c_api(
                path,
                saved.meta_graphs[0].signature_def,
                [("sample", inputs, ["image", "log_prob", "png_bytes"])],
                repeat=5 if quick else 11,
            )
            assert not failure, failure
        seconds, _ = timing.interleaved({"xla": operations(model, 16, True)["one loop"]}, runs=9)
        row = {"model": name, "batch": 16, "MB": size / 1e6, "load s": report["load"]}
        row["first s"] = report["jobs"][0][0]
        row |= {"C API s": float(np.median(report["jobs"][0][1:])), "XLA s": seconds["xla"]}
        row["C API/XLA"] = row["C API s"] / row["XLA s"]
        cells = "-"
        if name == "diagonal":
            cells = floor.drawing_without_xla(BINARY["units"], BINARY["num_blocks"], 28, 28, 16)
        rows.append({**row, "LSTM operations s": cells})
    return table(rows)
