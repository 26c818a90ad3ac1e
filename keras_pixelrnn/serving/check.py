"""Proves, without a server, that a stock TensorFlow Serving runs an export.

    pixelrnn check saved_models/digits/1

Walks the graph for operations that the server lacks or refuses, and for paths that it has not; replays
the warm-up file and calls every signature through TensorFlow's C API with XLA disabled, in a fresh
process, as the server does; and compares with the same graph in Python, bit for bit."""

import json
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from keras_pixelrnn import checks
from keras_pixelrnn.serving import c_session, operations, warmup
from keras_pixelrnn.serving.server.batching import parameters_of

# An absolute path of two parts or more, or one of a cloud's file system.
PATH = re.compile(rb"(/[^/\s\0]+){2,}/?|(gs|s3|hdfs|file|https?)://\S+")


def read(path):
    """The `MetaGraphDef` of a version folder; `ValueError` that names a file which holds none."""
    file = Path(path) / "saved_model.pb"
    try:
        (graph,) = saved_model_pb2.SavedModel.FromString(file.read_bytes()).meta_graphs
    except (DecodeError, ValueError) as error:
        raise ValueError(
            f"{file} is damaged, or no SavedModel of one graph: export it again. Received: {error}"
        ) from error
    return graph


def check(path, loaded=None, xla=False, tell=None):
    """Everything wrong with an export for serving; an empty list where it is servable.

    Args:
        path: version folder, the one that holds `saved_model.pb`.
        loaded: `tf.saved_model.load(path).signatures`, to save the time where they are at hand.
        xla: of a server that runs XLA, by --xla_cpu_compilation_enabled or on a GPU: for exports with
            signatures that XLA compiles.
        tell: None, or a function that is called before the signatures are run, which takes a while.

    Returns:
        List of sentences.
    """
    checks.switch("xla", xla)
    path = checks.local("path", path)
    if not (path / "saved_model.pb").is_file():
        return [f"{path} is no SavedModel: it holds no saved_model.pb."]
    try:
        graph = read(path)
    except ValueError as error:
        return [str(error)]
    problems = [*operations.refused(graph.graph_def, xla), *out_of_place(graph)]
    if checks.version_of(path) is None:
        problems.append(
            f"This is no version: a server loads folders alone whose name is a whole number, "
            f"NAME/1 say. Rename the folder. Received: {path}"
        )
    if xla and not operations.compiled(graph.graph_def):
        problems.append(
            f"Nothing in {path} is compiled by XLA. Export it with --xla, or check without."
        )
    if unread := unread_weights(path, graph):
        return [*problems, unread]
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
        parameters_of(path)
        requests = warmup.read(path)
    except ValueError as error:
        return [*problems, str(error)]
    if problems:  # the session would stumble over the same operations, with a worse message
        return problems
    if tell is not None:
        tell()
    return _run(path, graph.signature_def, requests, loaded, xla)


def unread_weights(path, meta_graph):
    """A sentence that names the file of weights which are not there or damaged, or None."""
    if not any(node.op == "VarHandleOp" for node in meta_graph.graph_def.node):
        return None
    prefix = path / "variables" / "variables"
    file = f"{prefix}.index"
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        file = f"{prefix}.data-*"
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, RuntimeError, ValueError, LookupError) as error:
        return (
            f"The weights in {file} are damaged, or not there: export it again. "
            f"Received: {str(error)[:200]}"
        )
    return None


def out_of_place(meta_graph):
    """Sentences about files and versions that another machine does not have.

    Args:
        meta_graph: of the SavedModel.
    """
    paths = {}  # a function may be there in several copies
    for place, nodes in operations.places(meta_graph.graph_def):
        for node in nodes:
            if node.op == "Const":
                for value in filter(PATH.fullmatch, node.attr["value"].tensor.string_val):
                    paths.setdefault(value.decode(), f"{node.name} in {place}")
    problems = [
        f"{where} holds the path {path!r} of this machine. Export files as assets "
        "(tf.saved_model.Asset), which travel with the model."
        for path, where in paths.items()
    ]
    needed, here = meta_graph.graph_def.versions.min_consumer, tf.version.GRAPH_DEF_VERSION
    if needed > here:
        problems.append(
            f"The graph, written by TensorFlow {meta_graph.meta_info_def.tensorflow_version}, needs a "
            f"TensorFlow of graph version {needed}. Received: {tf.__version__}, of {here}"
        )
    return problems


def _run(path, signatures, requests, loaded, xla):
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

    found, report, failure = c_api(path, signatures, jobs, xla=xla)
    state = "on" if xla else "off"
    if failure:
        return [f"The C API with XLA {state} fails: {failure}"]
    problems = [
        f"Signature {jobs[number][0]!r} fails with XLA {state}: {message}"
        for number, message in report["errors"]
    ]
    try:
        loaded = loaded or tf.saved_model.load(path).signatures
    except Exception as error:  # of many types, where the graph is damaged
        return [
            f"{path / 'saved_model.pb'} is damaged, since Python cannot load it: export it again. "
            f"Received: {str(error)[:200]}"
        ]
    for number, (name, inputs, outputs) in enumerate(jobs):
        if number not in found:
            continue
        expected = loaded[name](**{key: tf.constant(value) for key, value in inputs.items()})
        for output, array in zip(outputs, found[number], strict=True):
            if not _same(expected[output].numpy(), array):
                problems.append(f"Signature {name!r}: {output!r} differs from the one in Python.")
    return problems


def _same(a, b):
    """Are all numbers or strings of two arrays the same, NaN where it is NaN?"""
    return a.shape == b.shape and ((a == b) | ((a != a) & (b != b))).all()


def c_api(path, signatures, jobs, repeat=1, libraries=None, xla=False):
    """Run jobs through the C API, with XLA off if not told otherwise, in a fresh process.

    Args:
        path: version folder.
        signatures: its `signature_def`.
        jobs: list of `(signature name, {input: array}, [output, ...])`.
        repeat: runs of each job.
        libraries: folder of `libtensorflow_cc` of another TensorFlow; that of the installed one if None.
        xla: leave XLA on.

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
        request.write_text(
            json.dumps({"model": str(Path(path).resolve()), "jobs": described, "xla": xla})
        )
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
                c_session.read(folder / f"{number}-{place}.npy") for place in range(len(outputs))
            ]
            for number, (_, _, outputs) in enumerate(jobs)
            if (folder / f"{number}-0.npy").exists()
        }
        return found, json.loads(process.stdout.splitlines()[-1]), None
