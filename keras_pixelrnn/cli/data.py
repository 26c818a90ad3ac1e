"""`pixelrnn data`"""

from pathlib import Path

import click

from keras_pixelrnn.cli import DEBUG, names
from keras_pixelrnn.formats import ON_ERROR


@click.group("data")
def command():
    """Data sets as one file, which is all that a machine without TensorFlow needs."""


@command.command("pack", params=[DEBUG])
@click.argument("source")
@click.argument("path", type=names.Target(path_type=Path, dir_okay=False))
@names.data_dir
@click.option(
    "--image-size",
    type=names.Size(),
    metavar="SIDE|HxW",
    help="side, or height and width, that images of a folder are cut and resized to",
)
@click.option(
    "--channels",
    type=click.Choice(["1", "3", "4"]),
    help="of images of a folder  [default: 3]",
)
@names.meaning_options
@click.option(
    "--on-error",
    type=click.Choice(ON_ERROR),
    default="raise",
    show_default=True,
    help="at a picture of a folder that cannot be read",
)
def pack(source, path, transparent_on, channels, **given):
    """Write the data SOURCE into the file PATH, which ends in .npz.

    \b
    pixelrnn data pack binarized_mnist mnist.npz --data-dir ~/tensorflow_datasets
    pixelrnn data pack path/to/images mine.npz --image-size 32
    pixelrnn data pack codes.npy codes.npz --values codes --levels 512
    KERAS_BACKEND=jax pixelrnn train --recipe binarized_mnist_diagonal_7x16 --dataset mnist.npz

    SOURCE is 'digits', a name of TensorFlow Datasets, a folder of images or a file of arrays. The file
    holds the images as they are stored there, before quantisation, their labels and what their values
    mean: training from it sees the same batches, bit for bit, and needs neither the source nor
    TensorFlow. Levels of intensities and binarization may be chosen anew in training, as for the source
    itself.
    """
    if path.suffix != ".npz":
        raise click.UsageError(f"A packed file ends in .npz. Received: {path}")
    names.spare([source], [path], "PATH")
    names.data_dir_of(source, given["data_dir"])

    from keras_pixelrnn import data

    found = data.load(
        source, channels=channels and int(channels), background=transparent_on, **given
    )
    data.pack(found, path)
    sizes = ", ".join(f"{count:,} {split}" for split, count in found.sizes.items())
    height, width, depth = found.image_shape
    click.echo(f"{path}: {sizes} images of {height} x {width} x {depth}, {found.protocol}")
