"""Proves, without a server, that a stock TensorFlow Serving runs an export.

    pixelrnn check saved_models/digits/1

Walks the graph for operations that the server lacks or refuses; replays the warm-up file and calls
every signature through TensorFlow's C API with XLA disabled, in a fresh process, as the server does;
and compares with the same graph in Python, bit for bit."""

import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_pixelrnn.serving import warmup

PYTHON_OPS = {"PyFunc", "EagerPyFunc", "PyFuncStateless", "NumpyFunction"}


def check(path, loaded=None):
    """Everything wrong with an export for serving; an empty list where it is servable.

    Args:
        path: version folder, the one that holds `saved_model.pb`.
        loaded: `tf.saved_model.load(path).signatures`, to save the time where they are at hand.

    Returns:
        List of sentences.
    """
    path = Path(path)
    file = path / "saved_model.pb"
    if not file.is_file():
        return [f"{path} is no SavedModel: it holds no saved_model.pb."]
    (graph,) = saved_model_pb2.SavedModel.FromString(file.read_bytes()).meta_graphs
    problems = refused(graph.graph_def)
    if "serving_default" not in graph.signature_def:
        problems.append("There is no signature 'serving_default'.")
    for name, signature in graph.signature_def.items():
        for tensor in (*signature.inputs.values(), *signature.outputs.values()):
            dims = tensor.tensor_shape.dim
            if not name.startswith("__") and (not dims or dims[0].size != -1):
                problems.append(
                    f"Signature {name!r}: {tensor.name} has no free batch dimension, which the "
                    "REST row format and batching need."
                )
    try:
        requests = warmup.read(path)
    except ValueError as error:
        return [*problems, str(error)]
    # The session would stumble over the same operations, with a worse message.
    return problems or _run(path, graph.signature_def, requests, loaded)


def refused(graph_def):
    """Sentences about operations that a stock server lacks or refuses."""
    problems = []
    places = [("the main graph", graph_def.node)]
    for function in graph_def.library.function:
        name = function.signature.name
        places.append((f"function {name}", function.node_def))
        if function.attr["_XlaMustCompile"].b:
            problems.append(
                f"Function {name} must be compiled by XLA (_XlaMustCompile), which the server has "
                "off. Do not export functions made with jit_compile=True."
            )
    for place, nodes in places:
        for node in nodes:
            if node.op.startswith("Xla"):
                problems.append(
                    f"{node.op} ({node.name} in {place}) needs XLA, which the server has off. "
                    "keras.ops.slice_update makes such ops; use scatter_update."
                )
            elif node.op in PYTHON_OPS:
                problems.append(
                    f"{node.op} ({node.name} in {place}) calls Python, which the server has not."
                )
            if node.attr["_XlaMustCompile"].b:
                problems.append(f"{node.name} in {place} must be compiled by XLA.")
    return problems


def _run(path, signatures, requests, loaded):
    """Problems found by running the warm-up requests, which call every signature."""
    problems = []
    for name in {name for name in signatures if not name.startswith("__")} - {
        name for name, _ in requests
    }:
        problems.append(f"No warm-up request calls the signature {name!r}.")
    jobs = []
    for name, inputs in requests:
        if name not in signatures:
            problems.append(f"A warm-up request calls {name!r}; there is no such signature.")
        elif set(inputs) != set(signatures[name].inputs):
            problems.append(
                f"A warm-up request to {name!r} has the inputs {sorted(inputs)}; expected "
                f"{sorted(signatures[name].inputs)}."
            )
        else:
            jobs.append((name, inputs, sorted(signatures[name].outputs)))
    if problems:
        return problems

    found, report, failure = c_api(path, signatures, jobs)
    if failure:
        return [f"The C API with XLA off fails: {failure}"]
    problems = [
        f"Signature {jobs[number][0]!r} fails with XLA off: {message}"
        for number, message in report["errors"]
    ]
    loaded = loaded or tf.saved_model.load(path).signatures
    for number, (name, inputs, outputs) in enumerate(jobs):
        if number not in found:
            continue
        expected = loaded[name](**{key: tf.constant(value) for key, value in inputs.items()})
        for output, array in zip(outputs, found[number], strict=True):
            if not np.array_equal(expected[output].numpy(), array):
                problems.append(f"Signature {name!r}: {output!r} differs from the one in Python.")
    return problems


def c_api(path, signatures, jobs, repeat=1, libraries=None):
    """Run jobs through the C API with XLA off, in a fresh process.

    Args:
        path: version folder.
        signatures: its `signature_def`.
        jobs: list of `(signature name, {input: array}, [output, ...])`.
        repeat: runs of each job.
        libraries: folder of `libtensorflow_cc` of another TensorFlow; that of the installed one if None.

    Returns:
        `{job: [array, ...]}`, the report of `c_session` and, where the process failed, its last words.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        described = []
        for number, (name, inputs, outputs) in enumerate(jobs):
            feeds = {}
            for key, value in inputs.items():
                feeds[signatures[name].inputs[key].name] = str(folder / f"in-{number}-{key}.npy")
                np.save(folder / f"in-{number}-{key}.npy", value)
            fetches = [signatures[name].outputs[output].name for output in outputs]
            described.append({"feeds": feeds, "fetches": fetches, "repeat": repeat})
        request = folder / "jobs.json"
        request.write_text(json.dumps({"model": str(Path(path).resolve()), "jobs": described}))
        libraries = libraries or Path(find_spec("tensorflow").origin).parent
        program = Path(__file__).with_name("c_session.py")
        process = subprocess.run(
            [sys.executable, program, libraries, request, folder], capture_output=True, text=True
        )
        if process.returncode:
            words = process.stderr.strip().splitlines() or ["no message"]
            return {}, {}, f"{words[-1]} (exit status {process.returncode})"
        found = {
            number: [
                np.load(folder / f"{number}-{place}.npy", allow_pickle=True)
                for place in range(len(outputs))
            ]
            for number, (_, _, outputs) in enumerate(jobs)
            if (folder / f"{number}-0.npy").exists()
        }
        return found, json.loads(process.stdout.splitlines()[-1]), None
