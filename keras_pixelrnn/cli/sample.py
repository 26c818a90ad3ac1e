"""`pixelrnn sample`"""

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import bulk, labels, names, numbers, progress


@click.command("sample")
@names.model
@click.option("-n", "--count", type=click.IntRange(1), default=16, show_default=True)
@names.seed
@click.option("--out", type=names.Target(file_okay=False), default="samples", show_default=True)
@names.size
@labels.option
@click.option(
    "--temperature",
    type=names.Finite(0, min_open=True),
    default=1.0,
    show_default=True,
    help="below 1: typical",
)
@click.option("--top-k", type=click.IntRange(1), help="only the k most likely values")
@click.option(
    "--top-p",
    type=names.Finite(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="only values of that share",
)
@click.option("--grid", is_flag=True, help="one picture of all, grid.png")
@click.option(
    "--npz", is_flag=True, help="values as they are, samples.npz, which kp.data.load reads"
)
@click.option("--film", is_flag=True, help="their making, film.gif")
@names.batch_size
@bulk.options
@click.pass_context
def command(
    called,
    name,
    count,
    seed,
    out,
    size,
    label,
    temperature,
    top_k,
    top_p,
    grid,
    npz,
    film,
    batch_size,
    runner,
    pipeline,
    file_format,
):
    """Draw images from the model NAME: a name of `pixelrnn models`, a folder, a .keras file.

    \b
    pixelrnn sample digits -n 16                    # samples/00000.png ...
    pixelrnn sample digits -n 1000 --npz            # samples/samples.npz
    pixelrnn sample digits_conditional --label 3 --temperature 0.8 --grid
    pixelrnn sample exports/digits/1 -n 1000000 --runner DirectRunner --out out/drawn

    A conditional model without --label draws every label in turn. An image depends on --seed and on
    its number alone.
    """
    forms = [form for form in ("grid", "npz", "film") if called.params[form]]
    if len(forms) > 1:
        raise click.UsageError(f"Choose one of {' and '.join(f'--{form}' for form in forms)}.")
    form = next(iter(forms), None)
    if runner is not None:
        bulk.refused(called, ["size", "temperature", "top_k", "top_p", "grid", "npz", "film"])
        path = bulk.export_of(name)
        label = labels.number_of(path.parent, label)

        from keras_pixelrnn.serving import bulk as work

        options = bulk.arguments(runner, pipeline, file_format, batch_size)
        out.parent.mkdir(parents=True, exist_ok=True)
        work.sample(path, count, out, seed=seed, label=label, **options)
        click.echo(f"{names.counted(count)}, seed {seed}: {out}-*.{options['file_format']}")
        return
    bulk.refused(called, ["pipeline", "file_format"])
    label = labels.number_of(name, label)

    import numpy as np

    from keras_pixelrnn import checks, models

    model = models.from_preset(name)
    model = model.at_size(size)
    checks.drawn(count, model.image_shape)  # all are in memory before they are written
    pictures = numbers.of(name, model)
    if form is None:
        pictures.needed("pass --npz", exactly=False)
    batches = model.sample_batches(
        count,
        seed=seed,
        batch_size=batch_size,
        xla=count > names.FEW,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        **labels.context_of(model, label, count),
    )
    images = np.concatenate(list(progress.over(batches, count, "drawing")))
    score = _score(name, out, size, label) if model.context.given == (label is not None) else None
    written = write(images, pictures, out, form, name, score)
    click.echo(f"{names.counted(count)}, seed {seed}: {written}")


def _score(name, out, size, label):
    """The command that scores what was drawn."""
    called = name if presets.comes_along(name) else presets.spelled(name)
    options = (f" --size {size[0]} {size[1]}" if size else "") + (
        "" if label is None else f" --label {label}"
    )
    return f"pixelrnn score {called} {presets.spelled(out)}{options}"


def write(images, pictures, out, form, name, score):
    """Write images into the folder `out`; returns what was written, in words, and the command to `score`
    it, unless that is None: of every label in turn no command tells the nats."""
    import numpy as np

    from keras_pixelrnn import checks, visualize
    from keras_pixelrnn.data.pack import drawn

    with checks.writing(out, "Nothing was written."):
        out.mkdir(parents=True, exist_ok=True)
    levels = pictures.levels
    if form == "npz":
        about = drawn(pictures.drawn(), presets.called(name))
        checks.replace(
            out / "samples.npz",
            lambda file: np.savez_compressed(file, image=images, levels=levels, **about),
        )
        return f"{out / 'samples.npz'}, array `image` {images.dtype} {images.shape}"
    if form == "film":
        visualize.save_film(out / "film.gif", images, levels)
        return str(out / "film.gif")
    if form == "grid":
        visualize.save_png(out / "grid.png", visualize.grid(visualize.to_rgb(images, levels)))
        return str(out / "grid.png")
    files = [out / f"{number:05}.png" for number in range(len(images))]
    for file, image in zip(files, images, strict=True):
        visualize.save_png(file, pictures.picture(image))
    written = names.beside_older(out, files)
    return f"{written}. All in one picture: --grid" + (f"; their nats: {score}" if score else "")
