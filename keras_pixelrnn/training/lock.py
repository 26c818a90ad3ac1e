"""One training in a folder at a time."""

from contextlib import contextmanager

import filelock


@contextmanager
def only_one(folder):
    """Holds the lock of `folder`; the system lets go of it however the process ends.

    Raises:
        ValueError: another process trains into the folder.
    """
    lock = filelock.FileLock(folder / "lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise ValueError(
            f"Another process trains into {folder} now. Wait for its end, stop it, or choose "
            "another --output."
        ) from None
    try:
        yield
    finally:
        lock.release()
