"""`--label`: a class of a conditional model, by number or by name."""

import difflib
import re

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import evaluate

MOST_NAMES = 10  # that an error lists


class Label(click.ParamType):
    """The number of a class as an int, or its name, which is known to the model alone."""

    name = "class"

    def convert(self, value, param, context):
        if isinstance(value, int) or re.fullmatch(r"[-+]?\d+", value):
            return click.IntRange(0).convert(value, param, context)
        return value


option = click.option(
    "--label",
    type=Label(),
    metavar="CLASS",
    help="of a conditional model: number or name of a class",
)


def number_of(name, label):
    """The number of the class that a --label means, None without one: told before Keras is imported, and
    refused where what is known of the model NAME tells that it has no such class."""
    if label is None:
        return None
    if presets.comes_along(name):
        _fits(label, presets.facts(name).get("num_classes"))
    known = evaluate.class_names(name)
    if isinstance(label, str):
        return _named(name, label, known)
    if str(label) in known[:label] + known[label + 1 :]:
        number = known.index(str(label))
        click.echo(
            f"--label {label} is a number; the class called '{label}' is --label {number}", err=True
        )
    return label


def _named(name, label, known):
    """The number of the class that is called `label`."""
    if not known:
        raise click.UsageError(
            f"{name} does not say what its classes are called: give the number of one as --label, or "
            f"leave it out where there are none. Received: {label!r}"
        )
    if label in known:
        return known.index(label)
    alike = {each.lower(): each for each in known}
    close = difflib.get_close_matches(label.lower(), alike, 1)
    hint = f" Did you mean {alike[close[0]]!r}?" if close else ""
    more = len(known) - MOST_NAMES
    listed = ", ".join(known[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    raise click.UsageError(
        f"--label must be a number or one of {listed}. Received: {label!r}.{hint}"
    )


def _fits(label, classes):
    """`UsageError` where a label is none of a model's classes; None of a model without."""
    if classes is None:
        raise click.UsageError("This model is not conditional on a label; leave --label out.")
    if isinstance(label, int) and label >= classes:
        raise click.UsageError(f"--label must be below {classes}. Received: {label}")


def context_of(model, label, count):
    """`context` for `count` images of a model: the number of a class, or every class in turn."""
    import numpy as np

    classes = model.context.num_classes
    if label is not None:
        _fits(label, classes)
    if not model.context.given:
        return {}
    if classes is None:
        raise click.UsageError(
            f"This model is conditional {model.context}, which the command line cannot give; use it "
            "from Python."
        )
    return {"context": np.arange(count) % classes if label is None else np.full(count, label)}
