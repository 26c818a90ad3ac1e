"""`pixelrnn app`"""

import importlib.util
import threading

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import names


@click.command("app")
@names.model
@click.option("--host", default="127.0.0.1", show_default=True, help="address to listen on")
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
@click.option("-n", "--count", type=click.IntRange(1, 16), default=4, show_default=True)
def command(name, host, port, count):
    """A page to play with the model NAME: hide a part of an image, watch completions grow.

    Needs Gradio (pip install 'keras-pixelrnn[app]') and no network: nothing is loaded from elsewhere.
    Whoever reaches the address can use the page; there is no password.
    """
    if importlib.util.find_spec("gradio") is None:  # told before a model is loaded
        raise click.ClickException("The page needs Gradio: pip install 'keras-pixelrnn[app]'")

    names.can_listen(host, port, "--host or --port")

    from keras_pixelrnn import models
    from keras_pixelrnn.app import demo, page

    click.echo("loading and compiling ...", err=True)
    title = presets.called(name)
    shown = demo.Demo(models.from_preset(name), count)
    shown.warm_up()
    address, end = page.serve(shown, title, host, port)
    click.echo(f"{title}: {address} (Ctrl-C ends it)")
    try:
        threading.Event().wait()
    finally:
        end()
