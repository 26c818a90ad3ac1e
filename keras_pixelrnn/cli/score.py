"""`pixelrnn score`"""

import collections
import csv
import sys

import click

from keras_pixelrnn.cli import bulk, judging, labels, names, numbers, pictures, progress, streams


@click.command("score")
@names.model
@click.argument("paths", nargs=-1, required=True, type=names.Source())
@click.option("--maps", type=names.Target(file_okay=False), help="folder for pictures of the nats")
@judging.options
@names.size
@labels.option
@names.batch_size
@bulk.options
@click.option("--out", type=names.Target(), help="of --runner: beginning of the files' names")
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="of --runner: which images of the data",
)
@click.pass_context
def command(
    called,
    name,
    paths,
    maps,
    size,
    label,
    batch_size,
    runner,
    pipeline,
    file_format,
    out,
    split,
    **judged,
):
    """Likelihood of image files, or of all in a folder, under the model NAME: CSV on stdout.

    \b
    pixelrnn score digits samples/ > scores.csv
    pixelrnn score digits samples/ --maps maps/     # where the nats are paid, white from 4 on
    pixelrnn score digits samples/ --method complexity --false-positive-rate 0.01
    pixelrnn score exports/digits/1 digits.npz --runner DirectRunner --out out/scored

    Columns: file, nats (natural logarithms; higher is likelier), bits_per_dim (lower is likelier);
    with --method or a threshold also score, in nats, higher the stranger the image, and with a threshold
    strange, 1 where the score is above it. Pictures that are named, all of one size, may have another
    than the model's; of a folder those of the model's size, or of --size, are scored, others left out
    and named. Their numbers mean what they meant in training, and are quantised to the model's levels.
    """
    if runner is not None:
        bulk.refused(called, ["maps", "size", "label", *judged])
        path = bulk.export_of(name)
        if len(paths) != 1 or out is None:
            raise click.UsageError("--runner needs one data set, a packed file say, and --out.")

        from keras_pixelrnn.serving import bulk as work

        options = bulk.arguments(runner, pipeline, file_format, batch_size)
        out.parent.mkdir(parents=True, exist_ok=True)
        work.score(path, paths[0], out, split=split, **options)
        click.echo(f"{split} images of {paths[0]}: {out}-*.{options['file_format']}", err=True)
        return
    bulk.refused(called, ["pipeline", "file_format", "out", "split"])
    judging.check(**judged)
    label = labels.number_of(name, label)
    streams.needed()
    found = pictures.needed_in(*paths)

    pictured = dict(zip(found, _different(found))) if maps else {}
    names.spare(found, (maps / file for file in pictured.values()), "--maps")

    import numpy as np

    from keras_pixelrnn import models, visualize
    from keras_pixelrnn.metrics import bits_per_dim

    named = [path for path in paths if not path.is_dir()]
    model = pictures.at_size(models.from_preset(name), size, named)
    if model.context.given and label is None:
        raise click.UsageError(f"This model is conditional {model.context}: pass --label.")
    judged["background"] = judging.background_of(model, judged["method"], judged["background"])
    form = numbers.of(name, model)
    files, images = read(form, model.image_shape[:2], found, paths)
    context = labels.context_of(model, label, len(files))
    batches = model.nats_batches(images, batch_size=batch_size, **context)
    nats = np.concatenate(list(progress.over(batches, len(files), "scoring")))
    if maps is not None:
        maps.mkdir(parents=True, exist_ok=True)
        for file, picture in zip(files, visualize.nats_map(nats, top=4.0)):
            visualize.save_png(maps / pictured[file], picture)
    totals = nats.sum(axis=(1, 2, 3), dtype=np.float64)
    columns, said = {}, ""
    if any(value is not None for value in judged.values()):

        def pictures_in(folder):
            return read(form, model.image_shape[:2], pictures.files_in(folder))[1]

        columns, said = judging.judged(
            name, model, images, context, label, batch_size, pictures_in, **judged
        )
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "nats", "bits_per_dim", *columns])
    for file, total, *more in zip(files, totals, *columns.values()):
        bits = bits_per_dim(-total, model.image_shape)
        writer.writerow([file, f"{total:.4f}", f"{bits:.6f}", *more])
    where = f"; maps in {maps}" if maps else ""
    count = names.counted(len(files))
    click.echo(f"{count}, {totals.mean():.3f} nats on average{where}{said}", err=True)


def read(form, size, found, paths=()):
    """Those of the files `found` that have a model's `size`, `(height, width)`, and their images.

    Args:
        form: `Numbers` of the model.
        paths: files that were asked for by name, and must have that size.
    """
    import numpy as np

    files, images = [], []
    for file in found:
        height, width = pictures.size_of(file)
        if file not in paths and (height, width) != size:
            click.echo(f"left out, {width} x {height}: {file}", err=True)
            continue
        images.append(form.read(file, size))
        files.append(file)
    if not files:
        raise click.ClickException(
            f"No picture has the size of the model's images, {size[1]} x {size[0]}."
        )
    return files, np.stack(images)


def _different(files):
    """A PNG name for each file: its own, with a number where that is taken."""
    taken, tried = set(), collections.Counter()
    for file in files:
        name = file.stem
        while name in taken:
            tried[file.stem] += 1
            name = f"{file.stem}-{tried[file.stem]}"
        taken.add(name)
        yield f"{name}.png"
