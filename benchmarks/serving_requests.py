"""Requests to the signatures of an export, and the memory of who answers them."""

import argparse
import re
from pathlib import Path


def version_folder(text):
    """An argument that is the version folder of an export."""
    if not Path(text, "saved_model.pb").is_file():
        raise argparse.ArgumentTypeError(
            f"{text!r} holds no export, such as `pixelrnn export digits --out exports/digits` makes"
        )
    return Path(text)


def inputs_of(servable, name, rows, rng):
    """`{input: array}` of a signature that mean something."""
    return {
        key: values(
            key,
            [rows, *(dim.size for dim in tensor.tensor_shape.dim[1:])],
            servable.dtype_of(name, key),
            rng,
        )
        for key, tensor in servable.signatures[name].inputs.items()
    }


def values(key, shape, dtype, rng):
    """One input; the levels 0 and 1 are in every model."""
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if key == "seed":
        return rng.integers(0, 2**62, shape)
    if key in ("temperature", "top_p"):
        return rng.uniform(0.5, 1.0, shape).astype(dtype)
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, 2, shape).astype(dtype) + (key == "top_k")


def resident_mib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
