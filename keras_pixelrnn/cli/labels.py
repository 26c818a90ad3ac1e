"""`--label`: a class of a conditional model, by number or by name."""

import difflib
import re

import click

from keras_pixelrnn import presets
from keras_pixelrnn.cli import trainings

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
    known = trainings.class_names(name)
    if isinstance(label, str):
        return _named(name, label, known)
    if str(label) in known[:label] + known[label + 1 :]:
        number = known.index(str(label))
        click.echo(
            f"--label {label} is a number; the class called '{label}' is --label {number}", err=True
        )
    return label


def renumbered(name, class_names, split):
    """Function giving labels of images as labels of the model NAME: each the number that the model has
    for a class of that name. Where either knows its classes by number alone, they go by number, and it
    is said what that means. Images without a label, -1, stay so.

    Args:
        name: of the model.
        class_names: of the images, by number.
        split: what the images are, for the error.
    """
    import numpy as np

    known, given = trainings.class_names(name), list(class_names)
    if given == known or not _are_names(known, given):
        named = known if _are_numbers(given) else given
        if given != known and not _are_numbers(named):
            called = [f"{number} for {each!r}" for number, each in enumerate(named)]
            click.echo(f"labels go by number: {_listed(called)}", err=True)
        return lambda labels: labels
    numbers = np.array([known.index(each) if each in known else -1 for each in given])

    def of(labels):
        labels = np.asarray(labels)
        found = np.where(labels < 0, labels, numbers[labels])
        if (strange := labels[(labels >= 0) & (found < 0)]).size:
            raise click.UsageError(
                f"The classes of {name} are {_listed(known)}; images of others have no likelihood under "
                f"it. Received: {split} images of the class {given[strange[0]]!r}"
            )
        return found

    return of


def _are_names(known, given):
    """Whether classes go by name: neither side has numbers alone, or they are digits in names of the
    other."""
    if _are_numbers(given):  # folders called 0, 1, 2, or numbers
        return bool(known) and not _are_numbers(known) and all(map(str.isdecimal, known))
    return not _are_numbers(known) or bool(set(known) & set(given))


def _are_numbers(names):
    """Whether classes are known by number alone."""
    return all(each == str(number) for number, each in enumerate(names))


def _listed(names):
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


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
    raise click.UsageError(
        f"--label must be a number or one of {_listed(known)}. Received: {label!r}.{hint}"
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
