"""The operations of a graph, and which of them a stock server cannot run.

Which operations a server has is asked of TensorFlow's C library itself, in a fresh process that loads
nothing else: the server is linked from the same kernels, without Python, with XLA off, and without what
other libraries register (but for some of tensorflow-text, which is not counted on). Run as a program,
this file is that process:

    python operations.py LIBRARY_FOLDER OPERATION...        prints those without a kernel for CPUs
"""

import ctypes
import json
import subprocess
import sys
from pathlib import Path

MUST_COMPILE = "_XlaMustCompile"
# Kernels of these are in the library; a server refuses to run them, or has nothing they could call.
REFUSED = {
    "Xla": "needs XLA, which the server has off. keras.ops.slice_update makes such operations; use "
    "scatter_update",
    "PyFunc": "calls Python, which the server has not",
    "EagerPyFunc": "calls Python, which the server has not",
    "NumpyFunction": "calls Python, which the server has not",
    "TPU": "needs a TPU",
}
READS_FILES = {
    *("ReadFile", "WriteFile", "MatchingFiles", "WholeFileReader", "WholeFileReaderV2"),
    *("TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2", "FixedLengthRecordDataset"),
    *("TextLineReader", "TextLineReaderV2", "TFRecordReader", "TFRecordReaderV2"),
}
# device_type of a KernelDef, as it lies in the message: field 2, length, text.
FOR_CPUS = (b"\x12\x03CPU", b"\x12\x07DEFAULT")


def places(graph_def):
    """Pairs of where and nodes: the main graph, and every function."""
    yield "the main graph", graph_def.node
    for function in graph_def.library.function:
        yield f"function {function.signature.name}", function.node_def


def used(graph_def):
    """Names of all operations of a graph and its functions, a set."""
    functions = {function.signature.name for function in graph_def.library.function}
    return {node.op for _, nodes in places(graph_def) for node in nodes} - functions


def compiled(graph_def):
    """Is any node or function of a graph to be compiled by XLA?"""
    nodes = (node for _, some in places(graph_def) for node in some)
    return any(part.attr[MUST_COMPILE].b for part in (*nodes, *graph_def.library.function))


def refused(graph_def, xla=False):
    """Sentences about what a stock server lacks or refuses, one for each operation.

    Args:
        graph_def: of the SavedModel.
        xla: whether the server runs XLA; a stock one does not.

    Raises:
        RuntimeError: TensorFlow's C library does not load.
    """
    first, problems = {}, []
    forced = [f.signature.name for f in graph_def.library.function if f.attr[MUST_COMPILE].b]
    for place, nodes in places(graph_def):
        for node in nodes:
            first.setdefault(node.op, f"{node.name} in {place}")
            if node.attr[MUST_COMPILE].b:
                forced.append(f"{node.name} in {place}")
    if forced and not xla:
        others = f" and {len(forced) - 1} more" if len(forced) > 1 else ""
        problems.append(
            f"{forced[0]}{others} must be compiled by XLA ({MUST_COMPILE}), which the server has off: "
            "it would refuse to load this. Export without `xla` and without functions made with "
            "jit_compile=True, or start it with --xla_cpu_compilation_enabled and check with --xla."
        )
    operations = used(graph_def)
    if xla:  # compiled, not run; where one is run nonetheless, the session says so
        operations = {operation for operation in operations if not operation.startswith("Xla")}
    for operation in sorted(operations):
        reason = next((why for begin, why in REFUSED.items() if operation.startswith(begin)), None)
        if operation in READS_FILES:
            reason = "reads or writes files, by paths of this machine that a server does not have"
        if reason:
            problems.append(f"{operation} ({first[operation]}) {reason}.")
            operations.discard(operation)
    for operation in without_kernel(operations):
        problems.append(
            f"{operation} ({first[operation]}) is no operation of a stock server: TensorFlow itself "
            "has no kernel of that name for CPUs. One that another library registers "
            "(tensorflow-text, one of your own) needs a server built with it."
        )
    return problems


def without_kernel(operations):
    """Those of some operations that TensorFlow's C library has no kernel for CPUs of, sorted."""
    # find_spec would do, but where a library was loaded matters: it is that of this TensorFlow.
    import tensorflow as tf

    command = [sys.executable, __file__, str(Path(tf.__file__).parent), *sorted(operations)]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        raise RuntimeError(f"TensorFlow's C library does not load: {process.stderr[-500:]}")
    return json.loads(process.stdout.splitlines()[-1])


class _Buffer(ctypes.Structure):
    """`TF_Buffer`."""

    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("free", ctypes.c_void_p)]


def _main(libraries, *operations):
    for name in ("framework", "cc"):
        file = next(Path(libraries).glob(f"libtensorflow_{name}.so*"))
        library = ctypes.CDLL(str(file), ctypes.RTLD_GLOBAL)
    library.TF_NewStatus.restype = ctypes.c_void_p
    library.TF_GetRegisteredKernelsForOp.restype = ctypes.POINTER(_Buffer)
    status = ctypes.c_void_p(library.TF_NewStatus())
    lacking = []
    for operation in operations:
        kernels = library.TF_GetRegisteredKernelsForOp(operation.encode(), status)
        found = ctypes.string_at(kernels.contents.data, kernels.contents.length) if kernels else b""
        if not any(device in found for device in FOR_CPUS):
            lacking.append(operation)
    print(json.dumps(lacking))


if __name__ == "__main__":
    _main(*sys.argv[1:])
