"""`pixelrnn export`"""

import shlex
from pathlib import Path

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import lookaheads, names

TRACING = "Tracing the signatures takes about half a minute."


@click.command("export")
@names.model
@click.option(
    "--out", type=names.Target(file_okay=False), help="default: the folder, or exports/NAME"
)
@names.size
@click.option("--version", type=click.IntRange(1), help="default: the next free one")
@click.option(
    "--particles", type=click.IntRange(1), help="also a signature `complete_smc` of so many"
)
@lookaheads.option("--particles")
@click.option(
    "--rows", type=click.IntRange(1), help="also a signature `sample_rows` of so many rows at once"
)
@click.option("--xla", is_flag=True, help="also all signatures for servers that run XLA")
def command(name, out, size, version, particles, lookahead, rows, xla):
    """Write the model NAME as a SavedModel that a stock TensorFlow Serving runs.

    \b
    pixelrnn export digits                      # exports/digits/1
    pixelrnn export saved_models/my-digits      # saved_models/my-digits/2
    pixelrnn export digits --size 16 24         # exports/digits-16x24/1, the same weights
    """
    if lookahead and not particles:
        raise click.UsageError("--lookahead is of --particles, how many `complete_smc` draws.")
    if out is None:
        own = Path(name).is_dir() and not presets.comes_along(name)
        out = Path(name) if own else Path("exports") / presets.called(name)
        if size:  # a model that is served keeps its shape
            out = Path("exports") / f"{presets.called(name)}-{size[0]}x{size[1]}"
    if problem := names.not_writable(out):
        raise click.UsageError(problem)
    if version is not None and (out / str(version)).exists():
        raise click.UsageError(f"--version {version} is taken: {out / str(version)} exists.")

    from keras_pixelrnn import models
    from keras_pixelrnn.serving import export

    model = models.from_preset(name).at_size(size)
    click.echo(TRACING, err=True)
    path = export.save_for_serving(
        model,
        out,
        version,
        n_particles=particles,
        lookahead=lookaheads.load(lookahead) if lookahead else None,
        rows_at_once=rows,
        xla=xla,
    )
    flag, server = (" --xla", " --xla_cpu_compilation_enabled") if xla else ("", "")
    served = out.resolve().name
    volume, named = f"{out.resolve()}:/models/{served}", f"MODEL_NAME={served}"
    click.echo(
        f"SavedModel: {path}\n"
        f"Prove it servable: pixelrnn check {presets.spelled(path)}{flag}\n"
        f"Serve it here:     pixelrnn serve {presets.spelled(path)}{flag}\n"
        f"or by Docker:      docker run -p 8501:8501 -v {shlex.quote(volume)} "
        f"-e {shlex.quote(named)} tensorflow/serving{server}"
    )
