"""`pixelrnn train`"""

from dataclasses import fields

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import names, progress, words
from keras_pixelrnn.formats import ON_ERROR
from keras_pixelrnn.presets.architectures import ARCHITECTURES
from keras_pixelrnn.training.recipes import recipe_names
from keras_pixelrnn.training.settings import DISTRIBUTIONS, MEANINGS, MODELS, Settings

CHOICES = {
    "recipe": recipe_names(),
    "model": MODELS,
    "distribution": DISTRIBUTIONS,
    "values": MEANINGS,
    "binarization": ("static", "dynamic", "threshold"),
    "on_error": ON_ERROR,
    "recurrence": ("diagonal", "row"),
}


def _options(function):
    """An option for every setting."""
    for field in reversed(fields(Settings)):
        name, text = "--" + field.name.replace("_", "-"), field.metadata["help"]
        metavar = "SIDE|HxW" if field.name == "image_size" else None
        if field.name == "recipe":
            metavar, text = "NAME", f"{text}: {', '.join(CHOICES['recipe'])}"
        if field.name == "preset":
            text += f": of `pixelrnn models`, a folder, or {', '.join(ARCHITECTURES)}"
        if field.type == tuple[float, float] | None:
            metavar = "LOW HIGH"
            option = click.option(name, nargs=2, type=names.Finite(), help=text, metavar=metavar)
        elif field.type is bool:
            option = click.option(name, is_flag=True, default=None, help=text)
        else:
            shown = "" if field.default is None else f"  [default: {field.default}]"
            option = click.option(name, type=_type(field), help=text + shown, metavar=metavar)
        function = option(function)
    return function


def _type(field):
    if field.name in CHOICES:
        return click.Choice(CHOICES[field.name])
    if field.name == "preset":
        return names.Model(ARCHITECTURES)
    if field.name == "initial_weights":
        return names.Model()
    if field.type == int | tuple[int, int] | None:
        return names.Size()
    if field.type in (int, int | None):
        return click.IntRange(0 if field.name == "seed" else 1)
    if field.type in (float, str, float | None, str | None):
        return float if field.type in (float, float | None) else str
    return names.Target(file_okay=False)


@click.command("train")
@_options
@click.pass_context
def command(context, **given):
    """Train a model of images; evaluate it, draw from it, export it.

    \b
    pixelrnn train                          # Diagonal BiLSTM on the embedded digits
    pixelrnn train --recipe binarized_mnist_diagonal_1x32 --data-dir ~/tensorflow_datasets
    pixelrnn train --dataset path/to/images --image-size 32 --model pixelcnn --epochs 20
    pixelrnn train --dataset codes.npz --values codes --levels 512

    Everything lands in --output: model.keras, README.md (the card), metrics.json, pictures,
    history.csv, <version>/ (SavedModel) and, while training, training/ with TensorBoard logs and what
    --resume needs.
    """
    from keras_pixelrnn import training

    given = {name: value for name, value in given.items() if value is not None}
    try:  # what was given, before anything is read
        settings = training.with_recipe(given | {"resume": False})
    except ValueError as error:
        raise click.UsageError(words.in_options(str(error), context.command)) from error
    if given.get("resume"):
        settings = training.with_recipe(given)
    names.data_dir_of(settings.dataset, settings.data_dir)
    if not training.train(settings, callbacks=[_bar()]):
        return
    click.echo(f"Draw from it: pixelrnn sample {presets.spelled(settings.output)}")
    if names.newest(settings.output):  # a SavedModel
        click.echo(f"Serve it:     pixelrnn serve {presets.spelled(settings.output)}")


def _bar():
    """A callback that shows how much of the whole training is done, and the time left."""
    import contextlib

    import keras

    class Bar(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self._open, self._advance, self._done = contextlib.ExitStack(), None, 0

        def on_epoch_begin(self, epoch, logs=None):
            progress.clear()
            if self._advance is None:
                count = (self.params["epochs"] - epoch) * self.params["steps"]
                self._advance = self._open.enter_context(progress.bar(count, "training"))
            self._done = 0

        # Not at a batch's end: Keras would wait for the device to hand over the logs of each.
        def on_train_batch_begin(self, batch, logs=None):
            self._advance(batch - self._done)  # several steps may be one execution
            self._done = batch

        def on_epoch_end(self, epoch, logs=None):
            self._advance(self.params["steps"] - self._done)
            progress.clear()

        def on_train_end(self, logs=None):
            self._open.close()

    return Bar()
