"""Runs a SavedModel through TensorFlow's C API with XLA off: the code path of a stock server.

A program of its own, which imports neither Keras nor this package nor TensorFlow's Python:

    python c_session.py LIBRARY_FOLDER JOBS.json FOLDER

`JOBS.json` holds `{"model": path, "jobs": [{"feeds": {tensor: file.npy}, "fetches": [tensor, ...]}]}`,
and `"xla": true` where XLA is to stay on.
Writes `FOLDER/<job>-<fetch>.npy` and prints one JSON line: seconds to load, seconds of each job.
Strings are written as arrays of Python bytes.
"""

import contextlib
import ctypes
import json
import sys
import time
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

import ml_dtypes
import numpy as np

DTYPES = {  # of tf_datatype.h
    1: np.float32,
    2: np.float64,
    3: np.int32,
    4: np.uint8,
    5: np.int16,
    6: np.int8,
    9: np.int64,
    10: np.bool_,
    14: ml_dtypes.bfloat16,
    17: np.uint16,
    19: np.float16,
    22: np.uint32,
    23: np.uint64,
}
INVALID_ARGUMENT, NOT_FOUND = 3, 5  # of google.rpc.Code
STRING = 7  # which outputs may have, too
STRING_SIZE = 24  # bytes of a TF_TString


class Output(ctypes.Structure):
    """`TF_Output`: an operation and the number of one of its outputs."""

    _fields_ = [("operation", c_void_p), ("index", c_int)]


class SessionError(RuntimeError):
    """What TensorFlow says of a call that failed, and its status code."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Session:
    """A SavedModel, loaded with XLA disabled. `run` may be called from several threads at once.

    XLA stays disabled in the process: what is compiled there later fails.

    Args:
        libraries: folder of `libtensorflow_cc`, that of the TensorFlow wheel.
        model: version folder of the SavedModel.
        xla: leave XLA on, as a server does that is started with --xla_cpu_compilation_enabled.
    """

    def __init__(self, libraries, model, xla=False):
        flags = ctypes.RTLD_GLOBAL
        ctypes.CDLL(str(next(Path(libraries).glob("libtensorflow_framework.so*"))), flags)
        self.tf = ctypes.CDLL(str(next(Path(libraries).glob("libtensorflow_cc.so*"))), flags)
        if not xla:
            self.tf._ZN10tensorflow21DisableXlaCompilationEv()  # as the server's main() does
        for name in ("NewStatus", "NewSessionOptions", "NewGraph", "LoadSessionFromSavedModel"):
            getattr(self.tf, f"TF_{name}").restype = c_void_p
        for name in ("AllocateTensor", "TensorData", "GraphOperationByName"):
            getattr(self.tf, f"TF_{name}").restype = c_void_p
        self.tf.TF_Dim.restype = c_int64
        self.tf.TF_Message.restype = c_char_p
        self.tf.TF_TensorByteSize.restype = self.tf.TF_StringGetSize.restype = c_size_t
        self.tf.TF_StringGetDataPointer.restype = c_void_p
        self.graph = c_void_p(self.tf.TF_NewGraph())
        options = c_void_p(self.tf.TF_NewSessionOptions())
        tags = (c_char_p * 1)(b"serve")
        with self._status() as status:
            self.session = c_void_p(
                self.tf.TF_LoadSessionFromSavedModel(
                    options, None, str(model).encode(), tags, 1, self.graph, None, status
                )
            )
        self.tf.TF_DeleteSessionOptions(options)

    def run(self, feeds, fetches):
        """Arrays of the tensors named in `fetches`, given those in `feeds`."""
        inputs = (Output * len(feeds))(*map(self._output, feeds))
        # A list first: of what an iterator raises ctypes takes StopIteration for its end.
        numbers = [_number_of(name, array) for name, array in feeds.items()]
        values = (c_void_p * len(feeds))(
            *[self._tensor(*pair) for pair in zip(numbers, feeds.values(), strict=True)]
        )
        outputs = (Output * len(fetches))(*map(self._output, fetches))
        results = (c_void_p * len(fetches))()
        try:
            with self._status() as status:
                self.tf.TF_SessionRun(
                    self.session,
                    None,
                    byref(inputs),
                    byref(values),
                    len(feeds),
                    byref(outputs),
                    byref(results),
                    len(fetches),
                    None,
                    0,
                    None,
                    status,
                )
        finally:
            for value in values:
                self.tf.TF_DeleteTensor(c_void_p(value))
        try:
            return [
                self._array(name, c_void_p(result))
                for name, result in zip(fetches, results, strict=True)
            ]
        finally:
            for result in results:
                self.tf.TF_DeleteTensor(c_void_p(result))

    @contextlib.contextmanager
    def _status(self):
        """A status for one call, which raises what it says afterwards."""
        status = c_void_p(self.tf.TF_NewStatus())
        try:
            yield status
            code = self.tf.TF_GetCode(status)
            if code:
                raise SessionError(code, self.tf.TF_Message(status).decode(errors="replace"))
        finally:
            self.tf.TF_DeleteStatus(status)

    def _output(self, name):
        operation, _, index = name.partition(":")
        found = self.tf.TF_GraphOperationByName(self.graph, operation.encode())
        if not found:
            raise SessionError(NOT_FOUND, f"The graph has no operation {operation!r}.")
        return Output(found, int(index or 0))

    def _tensor(self, number, array):
        array = np.ascontiguousarray(array)
        dims = (c_int64 * max(1, array.ndim))(*array.shape)
        tensor = self.tf.TF_AllocateTensor(number, dims, array.ndim, c_size_t(array.nbytes))
        data = c_void_p(self.tf.TF_TensorData(c_void_p(tensor)))
        ctypes.memmove(data, array.ctypes.data, array.nbytes)
        return tensor

    def _array(self, name, tensor):
        shape = [self.tf.TF_Dim(tensor, axis) for axis in range(self.tf.TF_NumDims(tensor))]
        number = self.tf.TF_TensorType(tensor)
        data = self.tf.TF_TensorData(tensor)
        if number == STRING:
            strings = []
            for index in range(int(np.prod(shape))):
                string = c_void_p(data + index * STRING_SIZE)
                start = self.tf.TF_StringGetDataPointer(string)
                strings.append(ctypes.string_at(start, self.tf.TF_StringGetSize(string)))
            return np.array(strings, dtype=object).reshape(shape)
        if number not in DTYPES:
            raise _no_such_dtype(name, f"number {number} of tf_datatype.h")
        raw = ctypes.string_at(data, self.tf.TF_TensorByteSize(tensor)) if np.prod(shape) else b""
        return np.frombuffer(raw, DTYPES[number]).reshape(shape)


def _number_of(name, array):
    """The number of an array's dtype, or `SessionError`."""
    for number, dtype in DTYPES.items():
        if array.dtype == dtype:
            return number
    raise _no_such_dtype(name, "strings" if array.dtype == object else array.dtype)


def _no_such_dtype(name, received):
    expected = ", ".join(np.dtype(dtype).name for dtype in DTYPES.values())
    return SessionError(
        INVALID_ARGUMENT,
        f"{name} has a dtype that is not passed to TensorFlow's C API here. Expected {expected}, of "
        f"outputs also strings. Received: {received}",
    )


def main(libraries, jobs, folder):
    request = json.loads(Path(jobs).read_text())
    start = time.perf_counter()
    session = Session(libraries, request["model"], request.get("xla", False))
    report = {"load": time.perf_counter() - start, "jobs": [], "errors": []}
    for number, job in enumerate(request["jobs"]):
        feeds = {name: read(file) for name, file in job["feeds"].items()}
        seconds = []
        for _ in range(job.get("repeat", 1)):
            start = time.perf_counter()
            try:
                arrays = session.run(feeds, job["fetches"])
            except RuntimeError as error:
                report["errors"].append([number, str(error)])
                break
            seconds.append(time.perf_counter() - start)
        else:
            for place, array in enumerate(arrays):
                np.save(Path(folder) / f"{number}-{place}.npy", array, allow_pickle=True)
        report["jobs"].append(seconds)
    print(json.dumps(report))


def read(file):
    """An array of a file, in which bfloat16 is two bytes of no meaning."""
    array = np.load(file, allow_pickle=True)
    return array.view(ml_dtypes.bfloat16) if array.dtype == "V2" else array


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RuntimeError as error:
        sys.exit(f"c_session: {error}")
