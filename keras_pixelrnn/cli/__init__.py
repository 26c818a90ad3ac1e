"""The command `pixelrnn`: one file a command, imported when it is called.

Commands hold no logic but arguments and printing, and import Keras inside their function, so that
`--help` and a wrong argument are answered at once.
"""

import importlib
import os
import signal
import sys

import click

from keras_pixelrnn._version import __version__

COMMANDS = {
    "check": "prove an export servable",
    "evaluate": "score a model on a data set",
    "export": "write a SavedModel for TensorFlow Serving",
    "serve": "serve an export over gRPC and REST, for development",
    "train": "train a model and write all its results",
}


class Commands(click.Group):
    """The commands of this folder."""

    def list_commands(self, context):
        return sorted(COMMANDS)

    def get_command(self, context, name):
        if name not in COMMANDS:
            return None
        return importlib.import_module(f"keras_pixelrnn.cli.{name}").command

    def format_commands(self, context, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pixelrnn")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def pixelrnn(debug):
    """Autoregressive image models of the PixelRNN family."""


def main(argv=None):
    """Run the command: exit code 0, 1 for an error, 2 for arguments that are none, 128 + n for
    signal n."""
    argv = sys.argv[1:] if argv is None else list(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        pixelrnn.main(argv, prog_name="pixelrnn", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print("pixelrnn: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except (ValueError, TypeError, OSError) as error:
        if "--debug" in argv:
            raise
        sys.exit(f"pixelrnn: {error}")
