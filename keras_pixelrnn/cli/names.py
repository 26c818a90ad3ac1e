"""Arguments that several commands take, checked before Keras is imported."""

import difflib
import math
import os
import re
import socket
import tempfile
from pathlib import Path

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import words
from keras_pixelrnn.training.settings import MEANINGS

FEW = 64  # images that are drawn sooner without XLA, whose compilation takes longer than they do


class Model(click.ParamType):
    """A model by name, folder, file or hub, or an architecture where they may be named, too; a folder
    may hold an export, which some commands take."""

    name = "model"

    def __init__(self, architectures=()):
        self.architectures = tuple(architectures)

    def convert(self, value, param, context):
        if presets.comes_along(value):
            return value
        if value.startswith(presets.HUB):
            if not re.fullmatch(f"{presets.HUB}[^/]+/[^/]+", value):
                self.fail(f"{value!r} is no hf://user/repository.", param, context)
            return value
        if os.path.exists(path := os.path.expanduser(value)):
            try:
                newest(Path(path)) or presets.held(Path(path))
            except (ValueError, OSError) as error:
                self.fail(str(error), param, context)
            return path
        if value in self.architectures:
            return value
        known = (*presets.names(), *self.architectures)
        close = difflib.get_close_matches(value, known, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        self.fail(
            f"{value!r} is none of the models that come along ({', '.join(known)}), no "
            f"folder, no .keras file and no hf://user/repository.{hint}",
            param,
            context,
        )

    def shell_complete(self, context, param, incomplete):
        known = (*presets.names(), *self.architectures)
        items = [name for name in known if name.startswith(incomplete)]
        return [click.shell_completion.CompletionItem(item) for item in items] or [
            click.shell_completion.CompletionItem(incomplete, type="file")
        ]


def model_of(name):
    """The model of a NAME, called so in files and errors: one that comes along, or how its path ends."""
    from keras_pixelrnn import models

    model = models.from_preset(name)
    comes = presets.comes_along(name)
    model.name = name if comes else os.path.basename(os.path.abspath(name))
    return model


class Size(click.ParamType):
    """The side of square images, or their height and width as 24x32."""

    name = "size"

    def convert(self, value, param, context):
        if not isinstance(value, str):
            return value
        sides = [int(side) for side in value.split("x") if side.isdecimal()]
        if len(sides) != value.count("x") + 1 or len(sides) > 2 or not all(sides):
            self.fail(
                f"{value!r} is neither a side, such as 32, nor a height and width, such as 24x32.",
                param,
                context,
            )
        return tuple(sides) if len(sides) == 2 else sides[0]


class Source(click.Path):
    """A path that is there, to read from; `~` is the home folder."""

    def __init__(self, **kinds):
        super().__init__(exists=True, path_type=Path, **kinds)

    def convert(self, value, param, context):
        return super().convert(os.path.expanduser(value), param, context)


class Target(click.Path):
    """A path to write to, on this machine, in a folder that is there or can be made: said before any
    work is done."""

    def convert(self, value, param, context):
        from keras_pixelrnn import checks

        try:
            path = checks.local(param.name, super().convert(value, param, context))
        except ValueError as error:
            self.fail(words.in_options(str(error), context.command), param, context)
        if problem := not_writable(path):
            self.fail(problem, param, context)
        return path


def not_writable(path):
    """Why nothing can be written at a path, or within it where it is a folder; None where it can."""
    folders = (path.absolute(), *path.absolute().parents)
    above = next(folder for folder in folders[not path.is_dir() :] if os.path.lexists(folder))
    if not above.is_dir():
        return f"{path} cannot be made: {above} is no folder."
    try:  # permissions tell root nothing, nor what a file system allows
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=above):
            pass
    except OSError as error:
        return f"{path} cannot be made: the folder {above} is not writable ({error.strerror or error})."
    return None


def can_listen(host, port, option):
    """An error where nothing can listen at an address of this machine: said before any work is done."""
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            if os.name == "posix":  # a port that was let go of just now is free
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on {host}:{port} ({error.strerror or error}). Choose another {option}, "
            "or end what listens there."
        ) from error


def spare(read, written, option):
    """`UsageError` where a file that is to be written, by any name, is one of those that are read."""
    own = {os.path.realpath(path): path for path in read}
    for path in written:
        if (lost := own.get(os.path.realpath(path))) is not None:
            raise click.UsageError(
                f"{option} would write over {lost}, which is read here: give it another place."
            )


class Finite(click.FloatRange):
    """A number, of a range where one is given, and neither infinite nor nan."""

    def convert(self, value, param, context):
        if not math.isfinite(click.FLOAT.convert(value, param, context)):
            self.fail(f"{value!r} is no finite number.", param, context)
        return super().convert(value, param, context)

    def _describe_range(self):  # which --help would show as x<=None
        return "" if self.min is None and self.max is None else super()._describe_range()


model = click.argument("name", type=Model(), metavar="NAME")
seed = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="of the random numbers"
)
batch_size = click.option(
    "--batch-size", type=click.IntRange(1), help="images at a time  [default: what fits]"
)
size = click.option(
    "--size",
    nargs=2,
    type=click.IntRange(1),
    metavar="HEIGHT WIDTH",
    help="of the images, where it is not the model's own",
)


def meaning_options(function):
    """What the numbers of a data set mean."""
    for option in (
        click.option(
            "--transparent-on",
            help="colour under transparent pixels of images of a folder, such as white",
        ),
        click.option(
            "--value-range",
            nargs=2,
            type=Finite(),
            metavar="LOW HIGH",
            help="smallest and largest number of intensities of more than 8 bits, such as 0 4095",
        ),
        click.option("--values", type=click.Choice(MEANINGS), help="what stored numbers mean"),
        click.option(
            "--binarization",
            type=click.Choice(["static", "dynamic", "threshold"]),
            help="how --levels 2 are made of intensities",
        ),
        click.option(
            "--levels",
            type=click.IntRange(2),
            help="values of a sub-pixel: of integers and codes how many there are",
        ),
    ):
        function = option(function)
    return function


data_dir = click.option(
    "--data-dir", help="folder of prepared TFDS data  [default: $TFDS_DATA_DIR]"
)


def data_options(function):
    """Where images come from, instead of the data that a model was trained on, and what they mean."""
    dataset = click.option(
        "--dataset", help="'digits', a TFDS name, a folder of images, a packed file"
    )
    return dataset(data_dir(meaning_options(function)))


def data_dir_of(dataset, data_dir):
    """`UsageError` where a --data-dir would do nothing: the data set is none of TensorFlow Datasets."""
    if data_dir is not None and (
        dataset == "digits" or os.path.exists(os.path.expanduser(dataset))
    ):
        raise click.UsageError(
            "--data-dir is of data sets of TensorFlow Datasets; leave it out. "
            f"Received: {data_dir}, for {dataset}"
        )


def newest(path):
    """The version folder that a path means: itself, or the highest number in it, which a server would
    load whatever it holds; None for neither."""
    from keras_pixelrnn import checks

    if (path / "saved_model.pb").is_file():
        return path
    entries = path.iterdir() if path.is_dir() else ()
    versions = [
        entry for entry in entries if checks.version_of(entry) is not None and entry.is_dir()
    ]
    return max(versions, key=checks.version_of, default=None)


def counted(number, what="image"):
    """`1 image`, `2 images`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def beside_older(folder, files):
    """The folder that numbered pictures `files` were written into, and how many others of such names
    lie in it: those of an earlier run, which nothing tells apart."""
    older = {file for file in folder.glob("*.png") if file.stem.isdecimal()} - set(files)
    return f"{folder} (and {counted(len(older), 'older one')})" if older else str(folder)
