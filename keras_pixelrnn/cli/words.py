"""Errors in the words of a command: arguments of Python are called as its options are."""

import re

import click

from keras_pixelrnn._lazy import WITHOUT_TENSORFLOW

# Options that are called otherwise than the argument of Python.
ALSO = {
    "n": "count",
    "n_particles": "particles",
    "rows_at_once": "rows",
    "directory": "out",
    "context": "label",
}
IN_PIPELINE = re.compile(r"(?:ValueError|UnreadableError): (.*?)\n(?:Traceback|\n)", re.DOTALL)
# In these `background` is a colour; the option of that name is something else.
COLOUR = ("transparent pixels", "`background` is for image files")
VALUE = r"\([^()]*\)|'[^']*'|\"[^\"]*\"|[-+\w./]*\w"


def one_line(error, argv, group):
    """The text of an error as one line."""
    text = str(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "tensorflow":
        text = f"{WITHOUT_TENSORFLOW} Received: {text}"
        error = ImportError(text)
    if inner := IN_PIPELINE.search(text):  # TensorFlow wraps what is raised while it reads ahead
        error = ValueError(inner[1])
    text = " ".join(str(error).split())
    if isinstance(error, (ValueError, TypeError, OSError, ImportError)) and text:
        return in_options(text, command_of(argv, group))
    return f"{type(error).__name__}: {text[:300]} (--debug shows where)"


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
    on_error='skip' become `--background` and --on-error skip. What was received stays as it is."""
    advice, received, rest = text.partition("Received:")
    options = {param.name: param for param in command.params if isinstance(param, click.Option)}
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
    return advice + received + rest
