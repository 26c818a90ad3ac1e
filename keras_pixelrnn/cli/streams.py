"""Standard input, output and error as commands find them: closed by whoever started them, or of an
encoding that does not have every name of a file."""

import io
import os
import sys

import click


def prepare() -> None:
    """Give every closed stream a place, so that no file that is opened takes it, and let names be
    written that are no text."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)  # else what libraries print would go into a picture
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  (as long as the process lives)
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and out.errors == "strict":
        utf8 = out.encoding.lower().replace("-", "") == "utf8"
        out.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


def settle() -> None:
    """Write out what is left, or drop what nobody takes any more (a closed pipe, a full disk): Python
    would complain of it once more at its end, and turn the exit code into 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def needed() -> None:
    """`UsageError` where nobody would get what a command writes to its standard output."""
    if getattr(sys.stdout, "name", None) == os.devnull:  # one that was redirected has another name
        raise click.UsageError(
            "The results go to the standard output, which is closed: give it a file."
        )
