"""`pixelrnn compress`"""

from pathlib import Path

import click

from keras_pixelrnn.cli import names

SUFFIXES = {".png", ".jpg", ".jpeg"}


@click.command("compress")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.argument("file", type=names.Target(path_type=Path))
@click.option(
    "--model", "name", type=names.Model(), required=True, metavar="NAME", help="codes them"
)
@click.option("--quantise", is_flag=True, help="also pictures with more values than the model has")
@click.option("--verify", is_flag=True, help="decode again, and store as it is what fails")
@click.option("--block-size", type=click.IntRange(1), help="images read together  [default: 2 KiB]")
@names.label
@names.batch_size
def command(folder, file, name, quantise, verify, block_size, label, batch_size):
    """Code the pictures in FOLDER, or one picture, losslessly into FILE.

    \b
    pixelrnn compress images/ out.kpz --model digits
    pixelrnn decompress out.kpz --model digits --out folder/

    What is kept are the pixels, in the order of the files' names; names are not. Pictures must have
    the size of the model's images and no values that its levels do not hold.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    files = files if folder.is_dir() else [folder]
    if not files:
        raise click.UsageError(f"There are no PNG or JPEG files in {folder}.")

    import numpy as np

    from keras_pixelrnn import codec, models

    model = models.from_preset(name)
    if model.context.given and label is None:
        raise click.UsageError(f"This model is conditional {model.context}: pass --label.")
    images = np.stack([_values(path, model, quantise) for path in files])
    size = codec.write(
        file,
        model,
        images,
        block_size=block_size,
        verify=verify,
        batch_size=batch_size or 64,
        **names.context_of(model, label, len(images)),
    )
    before = sum(path.stat().st_size for path in files)
    click.echo(f"{names.counted(len(images))}, {size} bytes (the files: {before}): {file}")


def _values(path, model, quantise):
    """A picture as values of the model, or an error where they would not give it back."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    from keras_pixelrnn import visualize

    levels = model.distribution.levels
    try:
        with Image.open(path) as picture:
            values = visualize.to_values(picture, model.image_shape, levels, path)
            if quantise:
                return values
            back = visualize.to_picture(values, levels)
            if levels <= 256:  # alpha and colour that the model does not have are seen, too
                picture, back = picture.convert("RGBA"), back.convert("RGBA")
            same = np.array_equal(np.asarray(picture), np.asarray(back))
    except UnidentifiedImageError:
        raise click.ClickException(f"{path} is no image that can be read.") from None
    if not same:
        raise click.ClickException(
            f"{path} holds values that the model's {levels} levels and {model.image_shape[-1]} channels "
            "do not: it would not come back as it is. Pass --quantise to code what they hold."
        )
    return values
