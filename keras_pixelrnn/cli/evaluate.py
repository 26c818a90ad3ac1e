"""`pixelrnn evaluate`"""

import os

import click

from keras_pixelrnn.cli import labels, names, progress, trainings


@click.command("evaluate")
@names.model
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
)
@names.data_options
@click.option("--batch-size", type=click.IntRange(1), default=100, show_default=True)
def command(name, split, dataset, data_dir, batch_size, **given):
    """Exact likelihood of a whole data set under the model NAME.

    \b
    pixelrnn evaluate digits                                    # the data it was trained on
    pixelrnn evaluate binarized_mnist_row --data-dir ~/tensorflow_datasets
    pixelrnn evaluate binarized_mnist_row --dataset mnist --levels 2 --binarization threshold
    """
    facts = trainings.stated(name)
    if dataset is None:
        settings = facts.get("settings")
        if not settings:
            raise click.UsageError(f"{name} does not say what it was trained on: pass --dataset.")
        settings |= {key: value for key, value in given.items() if value is not None}
    else:
        settings = {"dataset": dataset, **given}
    names.data_dir_of(settings["dataset"], data_dir)

    from keras_pixelrnn import evaluation, models, training
    from keras_pixelrnn.data.load import NotThereError
    from keras_pixelrnn.training.run import load_data

    model = models.from_preset(name)
    if dataset is not None and os.path.isdir(os.path.expanduser(dataset)):
        settings |= {"image_size": model.image_shape[:2], "channels": model.image_shape[2]}
        settings |= _as_pictures(name, model, given)
    if dataset is not None and given["levels"] is None:
        settings["levels"] = model.distribution.levels
    settings |= {"data_dir": data_dir}
    try:
        images = load_data(training.Settings(**settings))
    except NotThereError as error:
        if dataset is not None:
            raise
        raise click.UsageError(
            f"{name} was trained on {settings['dataset']!r}, which is not there from this folder: pass "
            "--dataset, and what its numbers mean where the training was told."
        ) from error
    if images.levels != model.distribution.levels:
        raise click.UsageError(
            f"The values of {name} have {model.distribution.levels} levels, and so must the images: "
            f"leave --levels out, or give other images. Received: images of {images.levels} levels"
        )
    is_coded = model.distribution.embedding_size is not None
    if is_coded and images.ordered and given["values"] is None and dataset is not None:
        raise click.UsageError(
            f"The values of {name} are codes without order; those of {dataset} would be quantised as "
            "intensities: say --values codes."
        )
    if model.context.given and not images.has_labels(split):
        raise click.UsageError(
            f"This model is conditional {model.context}; the {split} images have no labels."
        )
    batches = images.evaluation(split, batch_size, labels=model.context.given)
    if model.context.given:
        number = labels.renumbered(name, images.class_names, split)
        batches = ((pictures, number(classes)) for pictures, classes in batches)
    count = -(-images.sizes[split] // batch_size)
    found = evaluation.evaluate(model, progress.over(batches, count, "evaluating"))
    click.echo(f"{split}: {found}\nprotocol: {images.protocol}")
    test = facts.get("test")
    stated_nats = test.get("nats") if isinstance(test, dict) else None
    changed = any(value is not None for value in (dataset, *given.values()))
    if isinstance(stated_nats, (int, float)) and split == "test" and not changed:
        click.echo(f"stated: {stated_nats:.3f} nats")


def _as_pictures(name, model, given):
    """What the numbers of a folder's pictures mean where nobody said it: what they mean to `score`."""
    from keras_pixelrnn.cli import numbers

    form, found = numbers.of(name, model), {}
    if form.background is not None and given["transparent_on"] is None:
        found["transparent_on"] = "#{:02x}{:02x}{:02x}".format(*form.background)
    if given["values"] is not None or given["value_range"] is not None:
        return found
    meaning, trained = form.meaning, form.trained
    if meaning is not None:
        found["values"] = meaning.meaning
        if not meaning.exact:
            found["value_range"] = (meaning.low, meaning.high)
    as_in_training = meaning is not None or (trained and (trained.low, trained.high) == (0, 255))
    if given["binarization"] is None and trained is not None and as_in_training:
        found["binarization"] = trained.binarization
    return found
