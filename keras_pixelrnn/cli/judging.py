"""Scores and thresholds of `pixelrnn score`: how strange an image is, and whether too strange."""

import click

from keras_pixelrnn.cli import labels, names, pictures
from keras_pixelrnn.cli.trainings import stated

METHODS = ("nats", "complexity", "ratio")


def options(function):
    """The options of a score and its threshold."""
    for option in (
        click.option("--data-dir", help="folder of prepared TFDS data  [default: $TFDS_DATA_DIR]"),
        click.option(
            "--validation",
            type=names.Source(file_okay=False),
            help="of --false-positive-rate: folder of usual pictures, not trained on  [default: the "
            "validation images of the data that the model was trained on]",
        ),
        click.option(
            "--false-positive-rate",
            type=names.Finite(0, 1, min_open=True, max_open=True),
            help="threshold that this share of usual images exceeds, from validation images",
        ),
        click.option(
            "--threshold", type=names.Finite(), help="call images with a score above it strange"
        ),
        click.option(
            "--background",
            type=names.Model(),
            help="of the method ratio: the model to compare with, of `train --background`",
        ),
        click.option("--method", type=click.Choice(METHODS), help="score  [default: nats]"),
    ):
        function = option(function)
    return function


def check(method, background, threshold, false_positive_rate, validation, data_dir):
    """`UsageError` where options do not go together."""
    if (method == "ratio") != (background is not None):
        raise click.UsageError("--method ratio and --background go together.")
    if threshold is not None and false_positive_rate is not None:
        raise click.UsageError("Pass --threshold or --false-positive-rate, not both.")
    for option, value in (("--validation", validation), ("--data-dir", data_dir)):
        if value is not None and false_positive_rate is None:
            raise click.UsageError(f"{option} is of --false-positive-rate.")
    if validation is not None:
        pictures.needed_in(validation)


def background_of(model, method, background):
    """The background model, None where none is named; one that does not fit is refused at once."""
    if background is None:
        return None
    from keras_pixelrnn.scores.score import check_background

    found = names.model_of(background)
    check_background(model, method, found)
    return found


def judged(
    name,
    model,
    images,
    context,
    label,
    batch_size,
    pictures_in,
    *,
    method,
    background,
    threshold,
    false_positive_rate,
    validation,
    data_dir,
):
    """Columns of scores, by name, as text, and what to say of the threshold; `background` is a model."""
    from keras_pixelrnn import scores

    options = {"method": method or "nats", "batch_size": batch_size}
    if background is not None:
        options["background"] = background
    found = model.score(images, **context, **options)
    columns = {"score": [f"{value:.4f}" for value in found]}
    if false_positive_rate is not None:
        if validation is not None:
            usual = pictures_in(validation)
            _enough(len(usual), f"--validation {validation}", false_positive_rate)
            usual = [(usual, labels.context_of(model, label, len(usual)))]
        else:
            usual = _validation_images(name, model, batch_size, data_dir)
        rows = [model.score(part, **told, **options) for part, told in usual]
        rows = [value for row in rows for value in row]
        _enough(len(rows), f"the validation images of {name}", false_positive_rate)
        threshold = scores.threshold(rows, false_positive_rate)
    if threshold is None:
        return columns, ""
    strange = found > threshold
    columns["strange"] = strange.astype(int)
    return columns, f"; {strange.sum()} strange, with a score above {threshold:.4f} nats"


def _enough(count, where, rate):
    """`UsageError` where so many usual images cannot promise a false-positive rate."""
    from keras_pixelrnn.scores.thresholds import least

    if count < least(rate):
        raise click.UsageError(
            f"{names.counted(count, 'usual picture')} cannot promise so low a rate. Pass a higher "
            f"--false-positive-rate, or a folder of at least {least(rate)} by --validation. "
            f"Received: --false-positive-rate {rate:g}, {count} of {where}"
        )


def _validation_images(name, model, batch_size, data_dir):
    """`(images, arguments)`, a batch at a time, of the data that the model was trained on."""
    from keras_pixelrnn import training
    from keras_pixelrnn.training.run import load_data

    settings = stated(name).get("settings")
    if not settings:
        raise click.UsageError(f"{name} does not say what it was trained on: pass --validation.")
    names.data_dir_of(settings["dataset"], data_dir)
    data = load_data(training.Settings(**{**settings, "data_dir": data_dir}))
    batches = data.evaluation("validation", batch_size or names.FEW, labels=model.context.given)
    if not model.context.given:
        yield from ((images, {}) for images in batches)
        return
    number = labels.renumbered(name, data.class_names, "validation")
    yield from ((images, {"context": number(classes)}) for images, classes in batches)
