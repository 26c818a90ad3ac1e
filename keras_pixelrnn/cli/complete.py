"""`pixelrnn complete`"""

import math

import click

from keras_pixelrnn.cli import labels, lookaheads, names, numbers, pictures, progress

FILE = names.Source(dir_okay=False)


@click.command("complete")
@names.model
@click.argument("image", type=FILE)
@click.option("--mask", type=FILE, help="picture, white where to draw  [default: the lower half]")
@click.option("-n", "--count", type=click.IntRange(1), default=4, show_default=True)
@names.seed
@click.option("--out", type=names.Target(file_okay=False), default="completions", show_default=True)
@click.option(
    "--method",
    type=click.Choice(["ancestral", "smc"]),
    default="ancestral",
    show_default=True,
    help="smc: what is given further down acts, too",
)
@click.option("--particles", type=click.IntRange(1), help="of --method smc  [default: 256]")
@lookaheads.option("--method smc")
@names.size
@labels.option
@names.batch_size
def command(
    name, image, mask, count, seed, out, method, particles, lookahead, size, label, batch_size
):
    """Draw what is missing of the picture IMAGE, several times, with the model NAME.

    \b
    pixelrnn complete digits digit.png -n 4                   # the lower half anew
    pixelrnn complete digits digit.png --mask mask.png
    pixelrnn complete digits digit.png --mask mask.png --method smc

    Exact where everything that is given comes before all that is drawn, row by row from the top left;
    what is given further down acts on what is drawn above it by --method smc alone, which draws many
    completions and keeps likely ones. A picture of another size than the model's is completed by the
    same weights at that size.
    """
    if method != "smc" and (particles or lookahead):
        raise click.UsageError("--particles and --lookahead are of --method smc.")
    label = labels.number_of(name, label)

    import numpy as np

    from keras_pixelrnn import checks, models, visualize

    model = pictures.at_size(models.from_preset(name), size, [image])
    shape, levels = model.image_shape, model.distribution.levels
    checks.drawn(count, shape)
    files = [out / f"{number:05}.png" for number in range(count)]
    names.spare([image, mask or image], [*files, out / "grid.png"], "--out")
    form = numbers.of(name, model)
    form.needed("complete them from Python, model.complete(images, known)", exactly=False)
    original = form.read(image, shape[:2])
    known = np.zeros(shape[:2], bool)
    known[: shape[0] // 2] = True
    if mask is not None:
        known = ~numbers.mask(mask, shape[:2])
        if known.all():
            click.echo(
                f"{mask} hides nothing: what is white in it, 128 and more, is drawn", err=True
            )
    said = ""
    if method == "smc":
        drawn, said = _by_particles(
            model,
            original,
            known,
            count,
            label,
            lookahead,
            seed=seed,
            n_particles=particles or 256,
            batch_size=batch_size,
        )
    else:
        batches = model.complete_batches(
            np.repeat(original[None], count, axis=0),
            known,
            seed=seed,
            batch_size=batch_size,
            xla=count > names.FEW,
            **labels.context_of(model, label, count),
        )
        drawn = np.concatenate(list(progress.over(batches, count, "completing")))
    out.mkdir(parents=True, exist_ok=True)
    rgb = visualize.to_rgb(np.concatenate([original[None], drawn]), levels)
    for file, picture in zip(files, drawn, strict=True):
        visualize.save_png(file, form.picture(picture))
    given = np.where(known[..., None], rgb[:1], visualize.UNKNOWN)
    row = visualize.grid(np.concatenate([rgb[:1], given, rgb[1:]]), columns=count + 2)
    visualize.save_png(out / "grid.png", row)
    click.echo(
        f"{names.counted(count, 'completion')}, seed {seed}: {names.beside_older(out, files)}; "
        f"original, what was given and all of them: {out / 'grid.png'}{said}"
    )


def _by_particles(model, original, known, count, label, lookahead, **options):
    """Draws `(count, ...)` of one image, and what to say of the particles."""
    import numpy as np

    from keras_pixelrnn.completion.complete import in_groups

    if lookahead is not None:
        options["lookahead"] = lookaheads.load(lookahead)
    # Draws of one label share their particles; with every label in turn each has its own.
    rows = count if model.context.given and label is None else 1
    with progress.telling(rows, "completing") as tell:
        found = model.complete(
            np.repeat(original[None], rows, axis=0),
            known,
            method="smc",
            n=count // rows,
            progress=tell,
            **labels.context_of(model, label, rows),
            **options,
        )
    return found.images.reshape(count, *original.shape), (
        f"; log p(known): {', '.join(f'{nats:.3f}' for nats in found.log_z)} nats; effective particles: "
        f"{found.ess.min():.1f} of {math.prod(in_groups(options['n_particles']))} at the least"
    )
