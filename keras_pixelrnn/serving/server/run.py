"""Both protocols of a servable, until it is closed."""

import concurrent.futures
import threading

try:
    import grpc
    from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
except ImportError as error:
    raise ImportError(
        "The development server needs gRPC and TensorFlow Serving's protocols: "
        f"pip install 'keras-pixelrnn[serving]'. Received: {error}"
    ) from error

from keras_pixelrnn.serving import warmup
from keras_pixelrnn.serving.server import grpc_service, rest
from keras_pixelrnn.serving.server.servable import RequestError, Servable


class Server:
    """Serves one version of a model over gRPC and REST; use it as a context.

    It belongs in a process of its own: see `Servable`.

    Args:
        name: of the model in requests.
        path: version folder of an export.
        host: address to listen on; only this machine can reach the default.
        port, rest_port: of gRPC and REST; 0 for any that is free.
        threads: requests that are answered at the same time.
        batching, xla: see `Servable`.

    Attributes:
        port, rest_port: those that are listened on.

    Raises:
        ValueError: `path` is no export, or a file of it is damaged or not there.
        OSError: a port is taken.
    """

    def __init__(
        self,
        name,
        path,
        host="127.0.0.1",
        port=8500,
        rest_port=8501,
        threads=64,
        batching=True,
        xla=False,
    ):
        self.servable = Servable(name, path, batching, xla)
        for signature, inputs in warmup.read(path):
            try:
                self.servable.predict(signature, inputs)
            except RequestError as error:
                why = "its files do not fit each other. Export it again"
                if signature.endswith("_xla") and not xla:
                    why = "XLA is off. Turn it on by --xla, or export the model without"
                elif "XLA compilation disabled" in str(error):
                    why = (
                        "XLA stays off where a Servable without it was made before. Make this one in "
                        "a process of its own"
                    )
                raise ValueError(
                    f"{path}: the request to {signature!r} in {warmup.FILE} fails, so a server would "
                    f"not load the model: {why}. "
                    f"Received: {str(error)[:200]}"
                ) from error
        self._pool = concurrent.futures.ThreadPoolExecutor(threads)
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)]
        self._grpc = grpc.server(self._pool, options=options)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            grpc_service.PredictionService(self.servable), self._grpc
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            grpc_service.ModelService(self.servable), self._grpc
        )
        try:
            self.port = self._grpc.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise OSError(f"Cannot listen on {host}:{port} for gRPC: {error}") from error
        try:
            self._rest = rest.make_server(self.servable, host, rest_port)
        except OSError as error:
            raise OSError(f"Cannot listen on {host}:{rest_port} for REST: {error}") from error
        self.rest_port = self._rest.server_address[1]

    def __enter__(self):
        self._grpc.start()
        threading.Thread(target=self._rest.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._rest.shutdown()
        self._rest.server_close()
        self._grpc.stop(1).wait()
        self.servable.close()

    def wait(self):
        """Serve until interrupted."""
        self._grpc.wait_for_termination()
