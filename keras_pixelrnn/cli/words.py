"""Errors in the words of a command: arguments of Python are called as its options are."""

import contextlib
import re
import warnings
from collections.abc import Iterator

import click

from keras_pixelrnn import checks
from keras_pixelrnn._lazy import WITHOUT_TENSORFLOW

# Options that are called otherwise than the argument of Python.
ALSO = {
    "n": "count",
    "n_particles": "particles",
    "rows_at_once": "rows",
    "directory": "out",
    "context": "label",
}
# In these `background` is a colour; the option of that name is something else.
COLOUR = ("transparent pixels", "`background` is for image files")
SKIP = re.compile(r"; `kp\.data\.load\(\.\.\., (on_error='skip')\)`( leaves it out)")
OF_PYTHON = re.compile(r", or pass a picture of Pillow as picture\.convert\('\w+'\)")
# Ways out that a command without this option does not have, and what is left to do.
LACKED = (
    (
        "transparent_on",
        re.compile(r"needs a colour to lie on, such as .* or channels=4; or save it without them"),
        "has no colour to lie on here: save it without them",
    ),
    ("channels", re.compile(r"Pass channels=\d, or convert"), "Convert"),
)
LIST = re.compile(r"(?<=:)(?:\n {2,}.*)+")
VALUE = r"\([^()]*\)|'[^']*'|\"[^\"]*\"|[-+\w./]*\w"


def one_line(error, argv, group):
    """The text of an error as one line."""
    text = str(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "tensorflow":
        text = f"{WITHOUT_TENSORFLOW} Received: {text}"
        error = ImportError(text)
    if inner := checks.inside(text):
        error = inner
    text = _joined(str(error))
    if isinstance(error, (ValueError, TypeError, OSError, ImportError)) and text:
        return in_options(text, command_of(argv, group))
    return f"{type(error).__name__}: {text[:300]} (--debug shows where)"


@contextlib.contextmanager
def warned(argv, group) -> Iterator[None]:
    """While this lasts warnings of the package are one line each, without their place in the code."""
    before = warnings.formatwarning

    def line(message, category, *place, **more):
        if not issubclass(category, UserWarning):
            return before(message, category, *place, **more)
        return f"pixelrnn: {in_options(_joined(str(message)), command_of(argv, group))}\n"

    warnings.formatwarning = line
    try:
        yield
    finally:
        warnings.formatwarning = before


def _joined(text):
    """Lines as one: items of an indented list are told apart by semicolons, and what an item is called
    from what it means by a colon."""

    def items(found):
        lines = (re.sub(" {2,}", ": ", line.strip()) for line in found[0].strip().splitlines())
        return f" {'; '.join(lines)}. "

    return " ".join(LIST.sub(items, text).split())


def command_of(argv, group):
    """The command that `argv` calls, as deep as it names one; a group where it names none."""
    command = group
    for word in argv:
        if not isinstance(command, click.Group):
            break
        if not word.startswith("-"):
            command = command.get_command(click.Context(command), word) or command
    return command


def in_options(text, command):
    """`text` with the arguments that `command` has as options called by these: `background=` and
    on_error='skip' become `--background` and --on-error skip. What was received stays as it is, but for
    values=None, which becomes no --values."""
    advice, received, rest = text.partition("Received:")
    options = {param.name: param for param in command.params if isinstance(param, click.Option)}
    advice = SKIP.sub(r"; \1\2" if "on_error" in options else "", advice)
    advice = OF_PYTHON.sub("", advice)
    for name, way_out, left in LACKED:
        advice = advice if name in options else way_out.sub(left, advice)
    if any(words in text for words in COLOUR):
        options["background"] = options.get("transparent_on")
    for name in {*options, *ALSO}:
        option = options.get(ALSO.get(name, name))
        if option is None:
            continue
        called = max(option.opts, key=len)

        def given(found, called=called, option=option):
            value = found[1].strip("'\"")
            if value == "None":
                return f"no {called}"
            if value.startswith("("):
                value = value[1:-1].replace(",", "")
            return called if option.is_flag else f"{called} {value}"

        advice = re.sub(rf"`{name}=?`", f"`{called}`", advice)
        advice = re.sub(rf"(?<![\w.`-]){name}=({VALUE})", given, advice)
        rest = re.sub(rf"(?<![\w.`-]){name}=None\b", f"no {called}", rest)
    return advice + received + rest
