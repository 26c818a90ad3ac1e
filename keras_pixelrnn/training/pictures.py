"""What a training shows: samples, their making, completions."""

import numpy as np

from keras_pixelrnn import visualize


def draw_pictures(settings, model, data):
    """Samples, their making, and completions; of a conditional model one column for each class."""
    levels, classes = model.distribution.levels, data.num_classes
    count, columns, context = 36, None, {}
    if settings.conditional:
        columns = min(classes, 10)
        context = {"context": np.arange(columns * 4) % columns}
        count = len(context["context"])
    images = model.sample(count, seed=settings.seed, **context)
    rgb = visualize.to_rgb(images, levels)
    visualize.save_png(settings.output / "samples.png", visualize.grid(rgb, columns))
    visualize.save_film(settings.output / "generation.gif", images[:16], levels)
    originals, *labels = tuple(
        np.asarray(part) for part in next(iter(data.evaluation("test", 6, labels=True)))
    )
    known = np.zeros(data.image_shape, bool)
    known[: data.image_shape[0] // 2] = True
    context = {"context": labels[0]} if settings.conditional else {}
    visualize.save_png(
        settings.output / "completions.png",
        visualize.completions(model, originals, known, seed=settings.seed, **context),
    )
