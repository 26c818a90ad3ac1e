"""What a training shows: samples, their making, completions."""

import numpy as np

from keras_pixelrnn import visualize
from keras_pixelrnn.training import archive


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
    archive.replace(
        settings.output / "samples.png",
        lambda file: visualize.save_png(file, visualize.grid(rgb, columns)),
    )
    archive.replace(
        settings.output / "generation.gif",
        lambda file: visualize.save_film(file, images[:16], levels),
    )
    originals = next(iter(data.evaluation("test", 6, labels=settings.conditional)))
    known = np.zeros(data.image_shape, bool)
    known[: data.image_shape[0] // 2] = True
    context = {}
    if settings.conditional:
        originals, labels = originals
        context = {"context": np.asarray(labels)}
    picture = visualize.completions(
        model, np.asarray(originals), known, seed=settings.seed, **context
    )
    archive.replace(
        settings.output / "completions.png", lambda file: visualize.save_png(file, picture)
    )
