"""`pixelrnn complete`"""

from pathlib import Path

import click

from keras_pixelrnn.cli import names, pictures, progress

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("complete")
@names.model
@click.argument("image", type=FILE)
@click.option("--mask", type=FILE, help="picture, white where to draw  [default: the lower half]")
@click.option("-n", "--count", type=click.IntRange(1), default=4, show_default=True)
@names.seed
@click.option("--out", type=names.Target(), default="completions", show_default=True)
@names.size
@names.label
@names.batch_size
def command(name, image, mask, count, seed, out, size, label, batch_size):
    """Draw what is missing of the picture IMAGE, several times, with the model NAME.

    \b
    pixelrnn complete digits digit.png -n 4                   # the lower half anew
    pixelrnn complete digits digit.png --mask mask.png

    Exact where everything that is given comes before all that is drawn, row by row from the top left;
    what is given further down does not act on what is drawn above it. A picture of another size than the
    model's is completed by the same weights at that size.
    """
    import numpy as np
    from PIL import Image

    from keras_pixelrnn import models, visualize

    model = pictures.at_size(models.from_preset(name), size, [image])
    shape, levels = model.image_shape, model.distribution.levels
    with Image.open(image) as picture:
        original = visualize.to_values(picture, shape, levels, image)
    known = np.zeros(shape[:2], bool)
    known[: shape[0] // 2] = True
    if mask is not None:
        with Image.open(mask) as picture:
            known = visualize.to_values(picture, (*shape[:2], 1), 2, mask)[..., 0] == 0
    batches = model.complete_batches(
        np.repeat(original[None], count, axis=0),
        known,
        seed=seed,
        batch_size=batch_size,
        xla=count > names.FEW,
        **names.context_of(model, label, count),
    )
    drawn = np.concatenate(list(progress.over(batches, count, "completing")))
    out.mkdir(parents=True, exist_ok=True)
    rgb = visualize.to_rgb(np.concatenate([original[None], drawn]), levels)
    for number, picture in enumerate(drawn):
        visualize.to_picture(picture, levels).save(out / f"{number:05}.png")
    given = np.where(known[..., None], rgb[:1], visualize.UNKNOWN)
    row = visualize.grid(np.concatenate([rgb[:1], given, rgb[1:]]), columns=count + 2)
    visualize.save_png(out / "grid.png", row)
    click.echo(
        f"{count} completions, seed {seed}: {out}; original, what was given and all of them: "
        f"{out / 'grid.png'}"
    )
