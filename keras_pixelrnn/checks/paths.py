"""Paths of files and folders."""

import contextlib
import os
from pathlib import Path

from keras_pixelrnn.checks.numbers import shown


def local(name, path):
    """`path` as a `pathlib.Path` of this machine, or `ValueError`."""
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"`{name}` must be a path. Received: {name}={shown(path)}")
    text = os.fspath(path)
    if not isinstance(text, str):
        raise ValueError(f"`{name}` must be a path as text. Received: {name}={shown(path)}")
    if not text:
        raise ValueError(f"`{name}` must not be empty; '.' is this folder. Received: {name}=''")
    # `Path` makes `gs:/bucket` of `gs://bucket`, and would write to a local folder `gs:`.
    scheme = text.split(":/", 1)[0] if ":/" in text else ""
    if len(scheme) > 1 and scheme.isalnum():
        raise ValueError(
            f"`{name}` must be a path of this machine; this package reads and writes no {scheme}://. "
            f"Use a local folder and copy from or to there. Received: {name}={text!r}"
        )
    if "\0" in text:
        raise ValueError(f"`{name}` must not hold a null character. Received: {name}={text!r}")
    return Path(text)


@contextlib.contextmanager
def writing(path, kept, then=""):
    """Within it an `OSError` says that `path` cannot be written, why, what is `kept`, what to do."""
    try:
        yield
    except OSError as error:
        text = (
            f"Cannot write {path}: {error.strerror or error}. {kept} Free space on the disk or make "
            f"the folder writable{then}"
        )
        raise (OSError(text) if error.errno is None else OSError(error.errno, text)) from error
