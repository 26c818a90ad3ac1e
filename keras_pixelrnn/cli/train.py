"""`pixelrnn train`"""

from dataclasses import fields
from pathlib import Path

import click

from keras_pixelrnn.training.settings import Settings


def _options(function):
    """An option for every setting."""
    for field in reversed(fields(Settings)):
        name, text = "--" + field.name.replace("_", "-"), field.metadata["help"]
        if field.type is bool:
            option = click.option(name, is_flag=True, default=None, help=text)
        else:
            shown = "" if field.default is None else f" [default: {field.default}]"
            option = click.option(name, type=_type(field.type), help=text + shown)
        function = option(function)
    return function


def _type(annotation):
    for kind in (int, float, str):
        if annotation in (kind, kind | None):
            return kind
    return click.Path(path_type=Path)


@click.command("train")
@_options
def command(**given):
    """Train a model of images; evaluate it, draw from it, export it.

    \b
    pixelrnn train                          # Diagonal BiLSTM on the embedded digits
    pixelrnn train --recipe binarized_mnist_diagonal_1x32 --data-dir ~/tensorflow_datasets
    pixelrnn train --dataset path/to/images --image-size 32 --model pixelcnn --epochs 20

    Everything lands in --output: <version>/ (SavedModel), model.keras, metrics.json, samples.png,
    completions.png, generation.gif, history.csv and, while training, training/ with TensorBoard logs
    and what --resume needs.
    """
    from keras_pixelrnn import training

    given = {name: value for name, value in given.items() if value is not None}
    training.train(training.with_recipe(given))
