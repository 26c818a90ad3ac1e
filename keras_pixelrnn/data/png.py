"""Chunks of PNG files and their check sums, which Pillow passes over where a picture's numbers lie."""

import os
import zlib

SIGNATURE, NAMES = 8, 4  # bytes before the first chunk, and of a chunk's length, name and check sum


def check_sums(file):
    """Look at every chunk; `file` stays where it is.

    Args:
        file: binary file of a PNG image.

    Raises:
        OSError: a chunk is not what was written, or the last one is missing.
    """
    before = file.tell()
    try:
        for _ in chunks(file):
            pass
    finally:
        file.seek(before)


def chunks(file):
    """`(name, data)`, bytes, of every chunk up to the last; `OSError` as of `check_sums`."""
    end = file.seek(0, os.SEEK_END)
    file.seek(SIGNATURE)
    name = None
    while name != b"IEND":
        size, name = int.from_bytes(file.read(NAMES)), file.read(NAMES)
        if size > end - file.tell() - NAMES:
            raise OSError("the file is cut off")
        data, wanted = file.read(size), int.from_bytes(file.read(NAMES))
        if zlib.crc32(data, zlib.crc32(name)) != wanted:
            raise OSError(f"the check sum of its chunk {name.decode('latin-1')!r} is wrong")
        yield name, data
