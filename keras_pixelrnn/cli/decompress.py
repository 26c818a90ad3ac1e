"""`pixelrnn decompress`"""

import click

from keras_pixelrnn.cli import compress, labels, names, numbers, progress


@click.command("decompress")
@click.argument("file", type=names.Source(dir_okay=False))
@click.option(
    "--model", "name", type=names.Model(), required=True, metavar="NAME", help="coded them"
)
@click.option("--out", type=names.Target(file_okay=False), default="images", show_default=True)
@click.option("--only", type=click.IntRange(0), multiple=True, help="one image; several times")
@labels.option
@names.batch_size
def command(file, name, out, only, label, batch_size):
    """Write the images of FILE, which `pixelrnn compress` made, as PNG files into a folder.

    \b
    pixelrnn decompress out.kpz --model digits --out folder/
    pixelrnn decompress out.kpz --model digits --only 17

    Another model, another label or a damaged file is an error; nothing wrong is ever written.
    """
    label = labels.number_of(name, label)
    compress.needed()

    from keras_pixelrnn import codec, visualize
    from keras_pixelrnn.codec import container

    with container.in_file(file):
        count = codec.header(file.read_bytes()).count
    beyond = [index for index in only if index >= count]
    if beyond:
        raise click.UsageError(
            f"{file} holds images 0 to {count - 1}. Received: --only {beyond[0]}"
        )
    wanted = list(only) if only else range(count)
    files = [out / f"{number:05}.png" for number in wanted]
    names.spare([file], files, "--out")
    model = names.model_of(name)
    if model.context.given and label is None:
        raise click.UsageError(f"This model is conditional {model.context}: pass --label.")
    form = numbers.of(name, model)
    form.needed("decode them from Python, kp.codec.read(file, model)")
    with progress.telling(len(wanted), "decoding") as tell:
        images = codec.read(
            file,
            model,
            indices=wanted,
            batch_size=batch_size or 256,
            progress=tell,
            **labels.context_of(model, label, count),
        )
    out.mkdir(parents=True, exist_ok=True)
    for path, image in zip(files, images, strict=True):
        visualize.save_png(path, form.picture(image))
    click.echo(f"{names.counted(len(set(files)))}: {names.beside_older(out, files)}")
