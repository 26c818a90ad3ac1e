"""`--runner` of `pixelrnn sample` and `pixelrnn score`: the same work on Apache Beam."""

from pathlib import Path

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import names


def options(function):
    """The options of a run on Beam."""
    for option in (
        click.option(
            "--format",
            "file_format",
            type=click.Choice(["parquet", "tfrecord"]),
            help="of the files that --runner writes  [default: parquet]",
        ),
        click.option(
            "--pipeline",
            multiple=True,
            metavar="OPTION",
            help="of the Beam pipeline, such as --pipeline=--direct_num_workers=4; may be repeated",
        ),
        click.option(
            "--runner",
            metavar="RUNNER",
            help="run on Apache Beam (DirectRunner, DataflowRunner, ...): NAME is an export, --out the "
            "beginning of the files' names",
        ),
    ):
        function = option(function)
    return function


def refused(context, given):
    """`UsageError` for options that were given and that a run on Beam does not have, or that are of one
    and there is none."""
    parameters = {one.name: one for one in context.command.params}
    for name in given:
        source = context.get_parameter_source(name)
        if source == click.core.ParameterSource.COMMANDLINE:
            option = parameters[name].opts[0]
            runs = context.params["runner"] is not None
            raise click.UsageError(
                f"{option} does not go {'with' if runs else 'without'} --runner."
            )


def export_of(name):
    """The version folder of an export that NAME means."""
    own = presets.comes_along(name)
    found = None if own else names.newest(Path(name))
    if found is None:
        folder = f". A folder called {name} is ./{name}" if own else ""
        raise click.UsageError(
            "--runner needs an export, the folder of its versions or of one: pixelrnn export "
            f"{name if own else presets.spelled(name)}{folder}"
        )
    return found


def arguments(runner, pipeline, file_format, batch_size):
    """Those that both functions of `serving.bulk` take."""
    chosen = {"batch_size": batch_size} if batch_size else {}
    return {
        **chosen,
        "file_format": file_format or "parquet",
        "options": ["--runner", runner, *pipeline],
    }
