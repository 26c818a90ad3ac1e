"""The command `pixelrnn`: one file a command, imported when it is called.

Commands hold no logic but arguments and printing, and import Keras inside their function, so that
`--help` and a wrong argument are answered at once.
"""

import atexit
import contextlib
import importlib
import os
import sys

import click

from keras_pixelrnn._version import __version__
from keras_pixelrnn.cli import streams

COMMANDS = {
    "app": "a page to hide parts of images and watch completions grow",
    "check": "prove an export servable",
    "complete": "draw what is missing of an image",
    "compress": "code image files losslessly into one",
    "data": "pack a data set into one file, for machines without TensorFlow",
    "decompress": "the images of such a file",
    "evaluate": "likelihood of a data set",
    "export": "write a SavedModel for TensorFlow Serving",
    "models": "list the models that come along, with their figures",
    "sample": "draw images",
    "score": "likelihood of image files, one by one",
    "serve": "serve an export for development, as TensorFlow Serving does",
    "train": "train a model and write all its results",
}
HELP = getattr(click.exceptions, "NoArgsIsHelpError", ())  # `pixelrnn` alone, from click 8.2 on
DEBUG = click.Option(
    ["--debug"], is_flag=True, expose_value=False, help="Show the traceback of an error."
)


class Commands(click.Group):
    """The commands of this folder."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except KeyboardInterrupt:  # which click would begin a line for
            raise click.Abort from None

    def list_commands(self, context):
        return sorted(COMMANDS)

    def get_command(self, context, name):
        if name not in COMMANDS:
            return None
        command = importlib.import_module(f"keras_pixelrnn.cli.{name}").command
        if DEBUG not in command.params:
            command.params.append(DEBUG)
        return command

    def format_commands(self, context, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pixelrnn")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def pixelrnn():
    """Autoregressive image models of the PixelRNN family.

    \b
    pixelrnn models                             # what comes along
    pixelrnn sample digits -n 16 --grid         # draw
    pixelrnn train --dataset path/to/images --image-size 32
    """


def run():
    """`main` as a process of its own, which ends without taking apart what libraries hold: TensorFlow
    needs a second and more for it, and Ctrl-C would wait for that."""
    codes = []
    atexit.register(_leave, codes)  # registered first, called last
    try:
        main()
    except SystemExit as left:
        codes.append(1 if isinstance(left.code, str) else left.code)
        raise
    codes.append(0)


def _leave(codes):
    if codes:  # else a traceback is to be shown
        streams.settle()
        os._exit(codes[0])


def main(argv=None):
    """Run the command: exit code 0, 1 for an error, 2 for arguments that are none, 128 + n for
    signal n."""
    from keras_pixelrnn.cli import interrupts, quiet, words

    argv = sys.argv[1:] if argv is None else list(argv)
    debug = "--debug" in argv
    streams.prepare()
    if not debug:  # TensorFlow's own lines, about processors and the absence of them
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        quiet.import_quietly("tensorflow")
        quiet.downloads()
    try:
        plain = contextlib.nullcontext() if debug else words.warned(argv, pixelrnn)
        with interrupts.within_a_second(), plain:
            pixelrnn.main(argv, prog_name="pixelrnn", standalone_mode=False)
            sys.stdout.flush()
    except click.ClickException as error:
        usage = isinstance(error, click.UsageError) and error.ctx
        hint = f" See {error.ctx.command_path} --help." if usage else ""
        said = error.format_message()
        stop = "." if hint and not said.endswith((".", "?")) else ""
        text = f"pixelrnn: {said}{stop}{hint}"
        if isinstance(error, HELP):
            text = error.format_message()
        click.echo(text, err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(interrupts.say())
    except BrokenPipeError:  # `pixelrnn score ... | head`
        sys.exit(1)
    except Exception as error:
        if interrupts.received:  # of which a library made an error of its own
            sys.exit(interrupts.say())
        if debug:
            raise
        sys.exit(f"pixelrnn: {words.one_line(error, argv, pixelrnn)}")
    finally:
        streams.settle()
