"""`pixelrnn serve`"""

import os
import re
import tempfile
import urllib.parse
from pathlib import Path

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import names
from keras_pixelrnn.cli.export import TRACING

PORT = click.IntRange(0, 65535)  # gRPC takes 99999 for 34463


@click.command("serve")
@names.model
@click.option("--host", default="127.0.0.1", show_default=True, help="address to listen on")
@click.option("--port", type=PORT, default=8500, show_default=True, help="of gRPC; 0: any free one")
@click.option("--rest-port", type=PORT, default=8501, show_default=True, help="of REST")
@click.option("--model-name", help="in requests; default: that of the folder")
@click.option("--no-batching", is_flag=True, help="answer every request on its own")
@click.option("--xla", is_flag=True, help="run XLA, which a stock server does not")
def command(name, host, port, rest_port, model_name, no_batching, xla):
    """Serve a model over TensorFlow Serving's gRPC and REST, for development.

    NAME is the version folder of an export, the folder of its versions, or whatever `pixelrnn export`
    takes; a name of `pixelrnn models` is that model, and a folder called so is ./NAME. Production runs
    TensorFlow Serving: this server has its protocols and its batching, and runs the graph with XLA off
    as it does, but no roll-over of versions and no hardening.
    """
    if model_name is not None and not re.fullmatch("[^/:]+", model_name):
        raise click.UsageError(
            f"--model-name is part of an address: some text without / and :. Received: {model_name!r}"
        )
    if port == rest_port != 0:
        raise click.UsageError(f"--port and --rest-port must differ. Received: {port} twice")
    if ":" in host:
        raise click.UsageError(f"--host is a name or an address of IPv4. Received: {host}")
    for each, option in ((port, "--port"), (rest_port, "--rest-port")):
        names.can_listen(host, each, f"--host or {option}")

    from keras_pixelrnn.serving.server import Server

    with tempfile.TemporaryDirectory() as scratch:
        path = _export(name, scratch)
        model_name = model_name or path.parent.name
        server = Server(model_name, path, host, port, rest_port, batching=not no_batching, xla=xla)
    with server:  # it has read all, and is ended by what leaves no time to tidy up
        click.echo(
            f"{model_name}, version {path.name}: gRPC on {host}:{server.port}, "
            f"REST on http://{host}:{server.rest_port}/v1/models/{urllib.parse.quote(model_name)}\n"
            "For development; Ctrl-C ends it."
        )
        server.wait()


def _export(name, scratch):
    """The version folder that `name` means; exported into `scratch` where there is none yet."""
    path = Path(name)
    found = names.newest(path)
    if found and not presets.comes_along(name):
        return Path(os.path.abspath(found))  # whose parent has a name
    from keras_pixelrnn import models
    from keras_pixelrnn.serving import export

    model = models.from_preset(name)
    click.echo(TRACING, err=True)
    return export.save_for_serving(model, Path(scratch) / presets.called(name))
