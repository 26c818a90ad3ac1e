"""A development server as a person starts it, and the clients of the examples."""

import contextlib
import http.client
import importlib.util
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name):
    """A module of `examples/`."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Running:
    """`pixelrnn serve` in a process of its own: a session turns XLA off for its whole process."""

    def __init__(self, path, name="quick"):
        arguments = ["serve", str(path), "--model-name", name, "--port", "0", "--rest-port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "keras_pixelrnn", *arguments], stdout=subprocess.PIPE, text=True
        )
        self.line = self.process.stdout.readline()
        self.port, self.rest_port = map(int, re.findall(r"127\.0\.0\.1:(\d+)", self.line))
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://127.0.0.1:{self.rest_port}/v1/models/{name}"

    def ask(self, method, path, body=None, **headers):
        """Status and parsed body over a connection of its own; `headers` as they are, with - for _."""
        connection = http.client.HTTPConnection("127.0.0.1", self.rest_port, timeout=30)
        with contextlib.closing(connection):
            connection.putrequest(method, f"/v1/models/{path}")
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(body)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)
