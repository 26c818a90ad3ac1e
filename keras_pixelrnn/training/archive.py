"""One file of named arrays and a manifest: whole or not there, and any flipped byte is seen."""

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from keras_pixelrnn import checks

MANIFEST = "manifest.json"
DIGEST = 64  # hexadecimal digits of the SHA-256 of all that stands before them


class Damaged(ValueError):
    """A file that is not what was written."""


def write(path, manifest, arrays):
    """Write a file that any reader of `.npz` opens.

    It is written beside its place, forced to the disk and moved there. Its last bytes, the comment of
    the ZIP file, are the SHA-256 of everything before.

    Args:
        path: of the file.
        manifest: what JSON can hold.
        arrays: `{name: array}`.

    Raises:
        OSError: it cannot be written, naming the file; what stood at `path` still stands there.
    """

    def put(file):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.comment = b"0" * DIGEST
            archive.writestr(MANIFEST, json.dumps(manifest))
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
        digest = _digest(file)
        file.seek(-DIGEST, os.SEEK_END)
        file.write(digest)

    replace(path, put)


def replace(path, put):
    """Make `path` anew by `put(file)`, in one move, or leave it as it is and raise `OSError`."""
    with moved_to(path) as beside:
        beside.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "w+b") as file:
            put(file)
            file.flush()
            os.fsync(file.fileno())


def moved_to(path, kept=checks.UNTOUCHED):
    """`checks.moved_to` of a file that `--resume` would write again."""
    return checks.moved_to(path, kept, then=", then go on with --resume")


def replace_text(path, text):
    """Make the text file `path` anew, in one move."""
    replace(path, lambda file: file.write(text.encode()))


def read(path):
    """The manifest and the arrays of a file that `write` wrote.

    Raises:
        Damaged: a byte of it is not what was written.
        OSError: it cannot be read.
    """
    path = Path(path)
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size <= DIGEST:
            raise Damaged(f"{path} is cut off.")
        wanted = _digest(file)
        file.seek(-DIGEST, os.SEEK_END)
        if file.read() != wanted:
            raise Damaged(f"{path} is damaged: its bytes do not have the check sum at its end.")
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            arrays = {
                name.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(name)), allow_pickle=False
                )
                for name in archive.namelist()
                if name != MANIFEST
            }
    return manifest, arrays


def _digest(file):
    """SHA-256 of a file but for its last `DIGEST` bytes, as hexadecimal digits."""
    left = file.seek(0, os.SEEK_END) - DIGEST
    file.seek(0)
    found = hashlib.sha256()
    while left > 0 and (part := file.read(min(left, 1 << 20))):
        found.update(part)
        left -= len(part)
    return found.hexdigest().encode()
