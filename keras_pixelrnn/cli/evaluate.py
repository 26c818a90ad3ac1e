"""`pixelrnn evaluate`"""

import json
from pathlib import Path

import click


@click.command("evaluate")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--data-dir", help="folder of prepared TFDS data; default $TFDS_DATA_DIR")
@click.option("--batch-size", type=click.IntRange(1), default=100, show_default=True)
def command(folder, data_dir, batch_size):
    """Score a FOLDER that a training wrote on the whole test split, with the data it names."""
    import keras

    from keras_pixelrnn import evaluation, models, training  # noqa: F401  registers the classes
    from keras_pixelrnn.training.run import load_data

    stated = json.loads((folder / "metrics.json").read_text())
    settings = training.Settings(**{**stated["settings"], "data_dir": data_dir})
    images = load_data(settings)
    model = keras.models.load_model(folder / "model.keras")
    batches = images.evaluation("test", batch_size, labels=model.context.given)
    found = evaluation.evaluate(model, batches)
    click.echo(
        f"test: {found}\nprotocol: {images.protocol}\nstated: {stated['test']['nats']:.3f} nats"
    )
