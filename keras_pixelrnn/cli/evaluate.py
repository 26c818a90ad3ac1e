"""`pixelrnn evaluate`"""

import json
from pathlib import Path

import click


@click.command("evaluate")
@click.argument("name")
@click.option("--data-dir", help="folder of prepared TFDS data; default $TFDS_DATA_DIR")
@click.option("--batch-size", type=click.IntRange(1), default=100, show_default=True)
def command(name, data_dir, batch_size):
    """Score a model by NAME or folder on the whole test split, with the data it names."""
    from keras_pixelrnn import evaluation, models, presets, training
    from keras_pixelrnn.training.run import load_data

    if (Path(name) / "metrics.json").is_file():
        stated = json.loads((Path(name) / "metrics.json").read_text())
    else:
        stated = presets.facts(name)
        stated["settings"] = stated["training"]["settings"]
    settings = training.Settings(**{**stated["settings"], "data_dir": data_dir})
    images = load_data(settings)
    model = models.from_preset(name)
    batches = images.evaluation("test", batch_size, labels=model.context.given)
    found = evaluation.evaluate(model, batches)
    click.echo(
        f"test: {found}\nprotocol: {images.protocol}\nstated: {stated['test']['nats']:.3f} nats"
    )
