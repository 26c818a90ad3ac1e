"""Paths of files and folders, and files that are whole or not there."""

import contextlib
import errno
import os
import re
import secrets
import stat
from pathlib import Path

from keras_pixelrnn.checks.numbers import shown


def local(name, path):
    """`path` as a `pathlib.Path` of this machine, `~` as the home folder, or `ValueError`."""
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
    return home(text)


def home(path):
    """`path` as a `pathlib.Path`, `~` at its beginning as the home folder, which shells leave in quotes
    and behind `=` as it is."""
    return Path(os.path.expanduser(path))


MOST_VERSION = 2**63 - 1


def version_of(path):
    """The number of a version folder, as a server reads its name; None for others, which it skips."""
    name = os.path.basename(os.path.abspath(path))  # of ".", too; a link keeps its own
    whole = name.isascii() and name.isdecimal() and int(name) <= MOST_VERSION
    return int(name) if whole else None


WRITING = "writing-"  # how the names of unfinished files begin
LONGEST = 255  # bytes of a name
_FILE = re.compile(rf"{WRITING}\d+-[0-9a-f]{{8}}-.*", re.DOTALL)
_FOLDER = re.compile(rf"\.{WRITING}[a-z0-9_]{{8}}")  # as `tempfile` makes them with that prefix

A_FILE = "A file stands in the way: name a folder"
# What helps, by what stood in the way.
MENDED = {
    errno.EACCES: "Make the folder writable",
    errno.EPERM: "Make the folder writable",
    errno.ENOSPC: "Free space on the disk",
    errno.EDQUOT: "Free space within the quota",
    errno.ENOENT: "Make the folder first",
    errno.EEXIST: A_FILE,
    errno.ENOTDIR: A_FILE,
    errno.EISDIR: "A folder stands in the way: name a file",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.EROFS: "Choose a folder that can be written",
    errno.EIO: "Check the disk, or choose another",
}

UNTOUCHED = "What stood there before is untouched."


@contextlib.contextmanager
def writing(path, kept, then=""):
    """Within it an `OSError` says that `path` cannot be written, why, what is `kept`, what to do."""
    try:
        yield
    except OSError as error:
        mend = MENDED.get(error.errno, "Free space on the disk or make the folder writable")
        text = f"Cannot write {path}: {error.strerror or error}. {kept} {mend}{then}"
        raise (OSError(text) if error.errno is None else OSError(error.errno, text)) from error


@contextlib.contextmanager
def moved_to(path, kept=UNTOUCHED, then=""):
    """The file to write instead of `path`; moved there at the end, or removed where that fails.

    What is no file to be replaced, such as /dev/stdout, is written itself; of a link, what it points to
    is replaced.
    """
    path = Path(path)
    with writing(path, kept, then):
        if path.is_symlink():
            path = Path(os.path.realpath(path))
        try:
            mode = path.stat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                yield path
                return
        except FileNotFoundError:
            pass
        beside = path.with_name(_unfinished(path.name))
        try:
            yield beside
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(OSError):  # gone or read-only: the first error says so
                beside.unlink(missing_ok=True)
            raise


def _unfinished(name):
    """A name that nobody else writes to, whichever machine or thread, with the same ending."""
    begin = f"{WRITING}{os.getpid()}-{secrets.token_hex(4)}-"
    while len(os.fsencode(begin + name)) > LONGEST >= len(os.fsencode(name)):
        name = name[1:]
    return begin + name


def unfinished(folder):
    """Files and folders within `folder` that a killed process of this package left half written."""
    for path in Path(folder).iterdir():
        if path.is_dir() and not path.is_symlink():
            ours = _FOLDER.fullmatch(path.name)
        else:
            ours = _FILE.fullmatch(path.name)
        if ours:
            yield path


def replace(path, put):
    """Make the file `path` anew by `put(file)`, in one move; `OSError` where it stays as it is."""
    with moved_to(path) as beside, open(beside, "wb") as file:
        put(file)
