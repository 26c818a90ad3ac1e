"""`pixelrnn export`"""

from pathlib import Path

import click


@click.command("export")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="default: FOLDER")
@click.option("--version", type=click.IntRange(1), help="default: the next free one")
def command(folder, out, version):
    """Write the model in FOLDER as a SavedModel for TensorFlow Serving."""
    import keras

    from keras_pixelrnn import models  # noqa: F401  registers the classes
    from keras_pixelrnn.serving import export

    model = keras.models.load_model(folder / "model.keras")
    click.echo(f"SavedModel in {export.save_for_serving(model, out or folder, version)}")
