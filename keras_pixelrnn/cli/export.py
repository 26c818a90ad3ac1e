"""`pixelrnn export`"""

from pathlib import Path

import click


@click.command("export")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="default: saved_models/NAME, or the folder itself",
)
@click.option("--version", type=click.IntRange(1), help="default: the next free one")
@click.option(
    "--particles", type=click.IntRange(1), help="also a signature `complete_smc` of so many"
)
def command(name, out, version, particles):
    """Write a model by NAME, folder or file as a SavedModel for TensorFlow Serving."""
    from keras_pixelrnn import models
    from keras_pixelrnn.serving import export

    model = models.from_preset(name)
    out = out or (Path(name) if Path(name).is_dir() else Path("saved_models") / Path(name).stem)
    click.echo(
        f"SavedModel in {export.save_for_serving(model, out, version, n_particles=particles)}"
    )
