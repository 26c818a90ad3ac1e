"""`pixelrnn compress`"""

import importlib.util

import click

from keras_pixelrnn.cli import labels, names, numbers, pictures, progress


@click.command("compress")
@click.argument("folder", type=names.Source())
@click.argument("file", type=names.Target(dir_okay=False))
@click.option(
    "--model", "name", type=names.Model(), required=True, metavar="NAME", help="codes them"
)
@click.option("--quantise", is_flag=True, help="also pictures with more values than the model has")
@click.option("--verify", is_flag=True, help="decode again, and store as it is what fails")
@click.option("--block-size", type=click.IntRange(1), help="images read together  [default: 4 KiB]")
@labels.option
@names.batch_size
def command(folder, file, name, quantise, verify, block_size, label, batch_size):
    """Code the pictures in FOLDER, or one picture, losslessly into FILE.

    \b
    pixelrnn compress images/ out.kpz --model digits
    pixelrnn decompress out.kpz --model digits --out folder/

    What is kept are the pixels, in the order of the files' names; names are not. Pictures must have
    the size of the model's images and no values that its levels do not hold.
    """
    files = pictures.needed_in(folder)
    names.spare(files, [file], "FILE")
    label = labels.number_of(name, label)
    needed()

    import numpy as np

    from keras_pixelrnn import codec

    model = names.model_of(name)
    if model.context.given and label is None:
        raise click.UsageError(f"This model is conditional {model.context}: pass --label.")
    form = numbers.of(name, model)
    form.needed("code them from Python, kp.codec.write(file, model, images)")
    read = progress.over(files, len(files), "reading")
    images = np.stack([_values(path, form, model, quantise) for path in read])
    file.parent.mkdir(parents=True, exist_ok=True)
    with progress.telling(len(images), "coding") as tell:
        size = codec.write(
            file,
            model,
            images,
            block_size=block_size,
            verify=verify,
            batch_size=batch_size or 64,
            progress=tell,
            **labels.context_of(model, label, len(images)),
        )
    before = sum(path.stat().st_size for path in files)
    click.echo(f"{names.counted(len(images))}, {size} bytes (the files: {before}): {file}")
    if others := _others(folder, [*files, file]):
        click.echo(
            f"left out, no picture: {names.counted(len(others), 'file')} such as {others[0]}",
            err=True,
        )


def needed():
    """`ClickException` where the coder is missing: told before a model is loaded."""
    if importlib.util.find_spec("constriction") is None:
        raise click.ClickException(
            "Lossless coding needs the package constriction: pip install 'keras-pixelrnn[codec]'"
        )


def _others(folder, files):
    """What lies in the folder and was not coded, hidden and system files aside."""
    found = pictures.seen(folder, set(folder.rglob("*")) - set(files))
    return sorted(path for path in found if path.is_file())


def _values(path, form, model, quantise):
    """A picture as values of the model, or an error where they would not give it back."""
    from keras_pixelrnn.data.modes import OTHER_SPACES

    values = form.read(path, model.image_shape[:2])
    if quantise:
        return values
    with pictures.opened(path) as picture:
        if picture.mode in OTHER_SPACES:
            raise click.ClickException(
                f"{path} holds {picture.mode}, and would come back as other numbers, of red, green and "
                "blue or grey. Pass --quantise to code those."
            )
        if not _comes_back(picture, path, values, form):
            raise click.ClickException(
                f"{path} holds values that the model's {form.levels} levels and "
                f"{form.channels} channel{'s' * (form.channels > 1)} do not: it would not come back as "
                "it is. Pass --quantise to code what they hold."
            )
    return values


def _comes_back(picture, path, values, form):
    """Whether `decompress` would write the numbers of a picture as they are."""
    import numpy as np

    from keras_pixelrnn.data.modes import depth, is_changed
    from keras_pixelrnn.data.reading import upright

    if form.meaning is not None and form.meaning.exact:
        return True  # stored numbers are the values, in however many bits
    back = form.picture(values)
    # Pillow cuts colour of 16 bits without a word.
    if is_changed(picture) or depth(picture) != depth(back):
        return False
    picture = upright(picture, path)
    if depth(back)[0] == np.uint8:  # alpha and colour that the model lacks are seen, too
        picture, back = picture.convert("RGBA"), back.convert("RGBA")
    return np.array_equal(np.asarray(picture), np.asarray(back))
