"""TensorFlow Serving's REST paths, on the HTTP server of the standard library."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf import json_format as protobuf_json

from keras_pixelrnn.serving.server import json_format
from keras_pixelrnn.serving.server.servable import INVALID_ARGUMENT, NOT_FOUND, RequestError

PATH = re.compile(
    r"/v1/models/(?P<name>[^/:]+)(/versions/(?P<version>\d+))?(?P<what>:predict|/metadata)?$"
)
STATUS = {INVALID_ARGUMENT: 400, NOT_FOUND: 404, 14: 503, 8: 429}
MOST_BYTES = 256 << 20  # of a request: a wrong Content-Length must not take the memory


def make_server(servable, host, port):
    """A `ThreadingHTTPServer` that is not serving yet."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self._answer(lambda what: self._predict() if what == ":predict" else self._malformed())

        def do_GET(self):
            self._answer(
                lambda what: {None: self._status, "/metadata": self._metadata}.get(
                    what, self._malformed
                )()
            )

        def _malformed(self):
            raise RequestError(INVALID_ARGUMENT, f"Malformed request: {self.command} {self.path}")

        def _predict(self):
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 < length <= MOST_BYTES:
                raise RequestError(
                    INVALID_ARGUMENT, f"The body must hold 1 to {MOST_BYTES} bytes of JSON"
                )
            try:
                body = json.loads(self.rfile.read(length))
            except ValueError as error:
                raise RequestError(INVALID_ARGUMENT, f"JSON Parse error: {error}") from error
            signature, inputs, rows = json_format.read_request(body, servable)
            return json_format.write_response(servable.predict(signature, inputs), rows)

        def _status(self):
            status = {"error_code": "OK", "error_message": ""}
            version = {"version": str(servable.version), "state": "AVAILABLE", "status": status}
            return {"model_version_status": [version]}

        def _metadata(self):
            described = {
                name: protobuf_json.MessageToDict(
                    signature,
                    preserving_proto_field_name=True,
                    always_print_fields_with_no_presence=True,
                )
                for name, signature in servable.signatures.items()
            }
            spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
            return {
                "model_spec": spec,
                "metadata": {"signature_def": {"signature_def": described}},
            }

        def _answer(self, answer):
            try:
                match = PATH.match(self.path)
                if not match:
                    self._malformed()
                if match["name"] != servable.name or (
                    match["version"] and int(match["version"]) != servable.version
                ):
                    raise RequestError(
                        NOT_FOUND, f"Could not find any versions of model {match['name']}"
                    )
                status, body = 200, answer(match["what"])
            except RequestError as error:
                status, body = STATUS.get(error.code, 500), {"error": str(error)}
                self.close_connection = True  # what is left of a body is not read
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args):
            """Silent: clients are told."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    return Server((host, port), Handler)
