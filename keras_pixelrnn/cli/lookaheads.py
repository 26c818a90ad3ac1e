"""`--lookahead`: what `fit_lookahead` returned, by file or by the name of a model that has one."""

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import names


def _file_or_name(context, option, value):
    """The name of a preset as it is, else the path of a file that is there."""
    if value is None or presets.comes_along(value):
        return value
    return names.Source(dir_okay=False).convert(value, option, context)


def option(where):
    """Decorator of a command: `--lookahead`, of another option."""
    return click.option(
        "--lookahead",
        callback=_file_or_name,
        help=f"of {where}: file of `fit_lookahead`, or name of a model that comes with one",
    )


def load(path):
    """The look-ahead in a file, or the one that comes with a model of that name."""
    import keras

    from keras_pixelrnn.completion import Lookahead

    if isinstance(path, str):
        return Lookahead.from_preset(path)
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # h5py, zipfile and Keras raise a dozen kinds
        raise click.UsageError(
            f"--lookahead must be a .keras file, whole, of what `fit_lookahead` returns. "
            f"Received: {path}, {type(error).__name__}: {str(error)[:200]}"
        ) from error
