"""TensorFlow Serving's REST paths, on the HTTP server of the standard library."""

import contextlib
import json
import re
import sys
import traceback
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from google.protobuf import json_format as protobuf_json

from keras_pixelrnn.serving.server import json_format
from keras_pixelrnn.serving.server.servable import INVALID_ARGUMENT, RequestError

PATH = re.compile(
    r"/v1/models/(?P<name>[^/:]+)(/versions/(?P<version>\d{1,19})|/labels/(?P<label>[^/:]+))?"
    r"(?P<what>:predict|/metadata)?",
    re.IGNORECASE,
)
# What TensorFlow Serving makes of gRPC's codes; 500 for others.
STATUS = {1: 499, 3: 400, 4: 504, 5: 404, 8: 429, 9: 400, 11: 400, 12: 501, 14: 503}
MOST_BYTES = 256 << 20  # of a request: a wrong length must not take the memory


def read_body(headers, stream):
    """Bytes of a request's body, of a known length or in chunks, as they are or packed by gzip.

    Raises:
        RequestError: no body, one that is too large, or one that is damaged.
    """
    try:
        if "chunked" in headers.get("Transfer-Encoding", "").lower():
            body = b"".join(_chunks(stream))
        else:
            length = int(headers.get("Content-Length") or 0)
            body = stream.read(length) if 0 < length <= MOST_BYTES else b""
            if body and len(body) < length:
                raise ValueError(f"{length} bytes were announced, {len(body)} came")
        if headers.get("Content-Encoding", "identity").lower() == "gzip":
            packed = zlib.decompressobj(31)
            body = packed.decompress(body, MOST_BYTES + 1)
            if len(body) <= MOST_BYTES and not packed.eof:
                raise ValueError("what gzip packed was cut off")
    except (ValueError, zlib.error) as error:
        raise RequestError(INVALID_ARGUMENT, f"The body cannot be read: {error}") from error
    if not 0 < len(body) <= MOST_BYTES:
        raise RequestError(INVALID_ARGUMENT, f"The body must hold 1 to {MOST_BYTES} bytes of JSON")
    return body


def _chunks(stream):
    left = MOST_BYTES
    while size := int(stream.readline(100).split(b";")[0], 16):
        left -= size
        if size < 0 or left < 0:
            raise ValueError(f"a chunk of {size} bytes, with {left + size} left")
        yield stream.read(size)
        stream.readline(100)
    while stream.readline(65536).strip():  # trailing headers
        pass


def make_server(servable, host, port):
    """A `ThreadingHTTPServer` that is not serving yet."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self._answer({":predict": self._predict})

        def do_GET(self):
            self._answer({None: self._status, "/metadata": self._metadata})

        def _no_such_method(self):
            self._answer({})

        do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _no_such_method

        def _predict(self):
            try:
                body = json.loads(read_body(self.headers, self.rfile))
            except (ValueError, RecursionError) as error:
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

        def _answer(self, answers):
            try:
                status, body = 200, self._found(answers)()
            except RequestError as error:
                status, body = STATUS.get(error.code, 500), {"error": str(error)}
            except Exception as error:  # a fault of ours, which the client is told as well
                traceback.print_exc()
                status, body = 500, {"error": f"{type(error).__name__}: {error}"}
            self._send(status, body)

        def _send(self, status, body):
            if status != 200:
                self.close_connection = True  # what is left of a body is not read
            text = json.dumps(body).encode()
            with contextlib.suppress(ConnectionError):  # a client that did not wait
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                if self.close_connection:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(text if self.command != "HEAD" else b"")

        def _found(self, answers):
            """The one of `{what: function}` that the path asks for, of this model."""
            match = PATH.fullmatch(self.path.partition("?")[0])
            what = match and match["what"]
            if not match or (what and what.lower()) not in answers:
                raise RequestError(
                    INVALID_ARGUMENT, f"Malformed request: {self.command} {self.path}"
                )
            version = match["version"] and int(match["version"])
            servable.find(unquote(match["name"]), version, unquote(match["label"] or ""))
            return answers[what and what.lower()]

        def send_error(self, code, message=None, explain=None):
            """What the base class finds wrong before any method runs, as other errors are told."""
            self._send(code, {"error": message or self.responses[code][0]})

        def log_message(self, *args):
            """Silent: clients are told."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request, address):
            """A client that went away is no fault."""
            if not isinstance(sys.exc_info()[1], ConnectionError):
                super().handle_error(request, address)

    return Server((host, port), Handler)
