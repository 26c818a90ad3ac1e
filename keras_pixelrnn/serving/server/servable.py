"""A loaded version of a model: its signatures, checked and batched as a server does it."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from tensorflow.python.framework.dtypes import as_dtype

from keras_pixelrnn import checks
from keras_pixelrnn.serving import check
from keras_pixelrnn.serving.c_session import Session, SessionError
from keras_pixelrnn.serving.server.batching import (
    BatchScheduler,
    Full,
    TooLarge,
    Uneven,
    parameters_of,
)

# Codes of google.rpc.Code, which gRPC and TensorFlow share.
INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, UNAVAILABLE = 3, 5, 9, 14


class RequestError(Exception):
    """A request that was not answered.

    Attributes:
        code: of `google.rpc.Code`.
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Servable:
    """One version of a model, ready to answer.

    A process that holds one has XLA off, in TensorFlow, for good, as a server has: what is compiled
    there later fails. Keep it in a process of its own.

    Args:
        name: of the model in requests.
        path: version folder, the one that holds `saved_model.pb`.
        batching: merge concurrent requests as `batching_params.pbtxt` says; each on its own if False.
        xla: leave XLA on.

    Raises:
        ValueError: `path` is no export, or a file of it is damaged or not there.
    """

    def __init__(self, name, path, batching=True, xla=False):
        path = Path(path)
        file = path / "saved_model.pb"
        version = checks.version_of(path)
        if not file.is_file() or version is None:
            raise ValueError(
                "A server needs the version folder of an export, NAME/1 say, with its "
                f"saved_model.pb. Write one by `pixelrnn export`. Received: {path}"
            )
        self.name, self.version, self.path = name, version, path
        self.meta_graph = check.read(path)
        if unread := check.unread_weights(path, self.meta_graph):
            raise ValueError(unread)
        self.signatures = {
            key: signature
            for key, signature in self.meta_graph.signature_def.items()
            if not key.startswith("__")
        }
        parameters = parameters_of(path) if batching else None
        try:
            self._session = Session(Path(find_spec("tensorflow").origin).parent, path, xla)
        except SessionError as error:
            raise ValueError(
                f"A server cannot load {path}; `pixelrnn check` says what it lacks, or export it again. "
                f"Received: {str(error)[:200]}"
            ) from error
        self._scheduler = parameters and BatchScheduler(self._run, parameters)

    def close(self):
        """Stop the threads that batch."""
        if self._scheduler:
            self._scheduler.close()

    def find(self, name, version=None, label=""):
        """Is the model of a request this one? `version` and `label` are None and "" for the newest.

        Raises:
            RequestError: it is not, in the words of a server.
        """
        if not name:
            raise RequestError(INVALID_ARGUMENT, "ModelSpec has no name specified.")
        if name != self.name:
            raise RequestError(NOT_FOUND, f"Could not find any versions of model {name}")
        if label:
            raise RequestError(
                INVALID_ARGUMENT,
                f"Unrecognized servable version label: {label} (this development server has no labels)",
            )
        if version not in (None, self.version):
            raise RequestError(NOT_FOUND, f"Could not find version {version} of model {name}")

    def predict(self, signature, inputs, outputs=()):
        """Outputs of a signature.

        Args:
            signature: name; "" is the default.
            inputs: `{name: array}`, of exactly the signature's dtypes.
            outputs: names wanted; all if empty.

        Returns:
            `{name: array}`.

        Raises:
            RequestError: in the words of a server.
        """
        key = signature or "serving_default"
        if key not in self.signatures:
            raise RequestError(
                INVALID_ARGUMENT,
                f'Serving signature key "{key}" not found. It has: {", ".join(self.signatures)}',
            )
        described = self.signatures[key]
        if set(inputs) != set(described.inputs):
            raise RequestError(
                INVALID_ARGUMENT,
                f"input size does not match signature {key!r}: expected {sorted(described.inputs)}, "
                f"received {sorted(inputs)}",
            )
        unknown = set(outputs) - set(described.outputs)
        if unknown:
            raise RequestError(
                INVALID_ARGUMENT, f"output tensor alias not found in signature: {sorted(unknown)}"
            )
        for name, array in inputs.items():
            expected = as_dtype(described.inputs[name].dtype)
            if array.dtype != expected.as_numpy_dtype:
                raise RequestError(
                    INVALID_ARGUMENT,
                    f"Expected input {name!r} to be {expected.name} but it is {array.dtype}.",
                )
        sizes = {array.shape[:1] for array in inputs.values()}
        if self._scheduler is None:
            answer = self._run(key, inputs)
        elif len(sizes) != 1 or () in sizes:
            raise RequestError(
                INVALID_ARGUMENT,
                "Batching needs inputs that agree on dimension 0. Received: "
                + ", ".join(f"{name} {array.shape}" for name, array in inputs.items()),
            )
        else:
            try:
                answer = self._scheduler.submit(key, inputs)
            except Full as error:
                raise RequestError(UNAVAILABLE, str(error)) from error
            except TooLarge as error:
                raise RequestError(INVALID_ARGUMENT, str(error)) from error
            except Uneven as error:
                raise RequestError(FAILED_PRECONDITION, str(error)) from error
        return {name: answer[name] for name in (outputs or answer)}

    def _run(self, key, inputs):
        described = self.signatures[key]
        names = sorted(described.outputs)
        feeds = {described.inputs[name].name: array for name, array in inputs.items()}
        try:
            found = self._session.run(feeds, [described.outputs[name].name for name in names])
        except SessionError as error:
            raise RequestError(error.code, str(error)) from error
        return dict(zip(names, found, strict=True))

    def dtype_of(self, signature, name):
        """NumPy dtype of an input; `object` for strings."""
        return np.dtype(as_dtype(self.signatures[signature].inputs[name].dtype).as_numpy_dtype)
