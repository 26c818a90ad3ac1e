"""One training in a folder at a time."""

import threading
import warnings
from contextlib import contextmanager
from pathlib import Path

import filelock

from keras_pixelrnn import checks

_held = {}  # which thread of this process holds which folder


@contextmanager
def only_one(folder, again=False):
    """Holds the lock of `folder`; the system lets go of it however the process ends.

    Args:
        folder: there is one.
        again: may the thread that holds it hold it twice?

    Raises:
        ValueError: another process, or thread, trains into the folder.
    """
    place = Path(folder).resolve()
    if again and _held.get(place) == threading.get_ident():
        yield
        return
    lock = filelock.FileLock(place / "lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise ValueError(
            f"Another process trains into {folder} now, or another thread of this one. Wait for its "
            "end, stop it, or choose another --output."
        ) from None
    except NotImplementedError:  # some network file systems
        warnings.warn(
            f"The file system of {folder} has no locks: see to it that no other training goes there.",
            stacklevel=3,
        )
    _held[place] = threading.get_ident()
    try:
        yield
    finally:
        del _held[place]
        lock.release()


@contextmanager
def alone(folder):
    """No other training goes into `folder`, which is made where missing."""
    with checks.writing(folder, "Nothing was begun."):
        folder.mkdir(parents=True, exist_ok=True)
        lock = only_one(folder, again=True)  # a command may hold it already
        lock.__enter__()
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
