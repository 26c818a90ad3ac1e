"""The file: a header, the sizes of the blocks, the blocks.

```
magic "kpz" and the version of the format        4 bytes
CRC-32 of all that follows                        4
fingerprint of the model                          8
height, width, channels, levels, images, images of a block     numbers
name of the model                                 its length, UTF-8
CRC-32 of the context                             4, 0 without a context
length of each block                              numbers
blocks: CRC-32 of the images, and what `coder` writes
```

A number takes a byte for each seven bits, the lowest first; the high bit says that more follow.
"""

import contextlib
import math
import zlib
from typing import NamedTuple

import numpy as np

from keras_pixelrnn import checks

MAGIC, VERSION = b"kpz", 2
LONGEST_NAME = 40  # bytes
MOST = 2**26  # sub-pixels of a block, which is read at once: what a damaged header may ask for
AGAIN = "Copy it again from where it is whole."


class Damaged(ValueError):
    """Data that is not what was written."""


@contextlib.contextmanager
def in_file(path):
    """What is damaged inside is said with the name of the file."""
    try:
        yield
    except Damaged as error:
        raise Damaged(f"{path}: {error}") from None


class Header(NamedTuple):
    """What a file says of itself.

    Attributes:
        fingerprint: 8 bytes of the SHA-256 of the model's configuration and weights.
        name: of the model.
        image_shape: `(height, width, channels)`.
        levels: number of values of a sub-pixel.
        count: number of images.
        block_size: images of a block; they are read together.
        context: CRC-32 of the context of the images, 0 where there is none.
    """

    fingerprint: bytes
    name: str
    image_shape: tuple[int, int, int]
    levels: int
    count: int
    block_size: int
    context: int

    @property
    def dtype(self) -> np.dtype:
        """Of the images, as they are summed up by a CRC."""
        return np.dtype("u1") if self.levels <= 256 else np.dtype("<u2")


def number(value):
    """A whole number as bytes."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


class Reader:
    """Takes bytes and numbers one after the other, and says so where they end too soon."""

    def __init__(self, data):
        self._data, self._at = data, 0

    def take(self, size):
        if self._at + size > len(self._data):
            raise Damaged(f"The data ends too soon: the file was cut off, or is damaged. {AGAIN}")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self):
        value, shift = 0, 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise Damaged("A number in the data has no end: the file is damaged.")

    def rest(self):
        return self.take(len(self._data) - self._at)


def crc_of(array):
    """CRC-32 of an array's bytes, 4 bytes."""
    return zlib.crc32(np.ascontiguousarray(array)).to_bytes(4, "little")


def context_crc(array):
    """CRC-32 of the context of all images, an int; of a broadcast array a piece at a time."""
    found = 0
    for start in range(0, len(array), 4096):
        # -0.0 is the same context as 0.0.
        part = array[start : start + 4096] + array.dtype.type(0)
        found = zlib.crc32(np.ascontiguousarray(part), found)
    return found


def write(header, blocks):
    """The file, as bytes, of a `Header` and the bytes of each block."""
    name = header.name.encode()[:LONGEST_NAME].decode(errors="ignore").encode()
    sizes = (*header.image_shape, header.levels, header.count, header.block_size)
    body = b"".join(
        [
            header.fingerprint,
            *map(number, sizes),
            number(len(name)),
            name,
            header.context.to_bytes(4, "little"),
            *(number(len(block)) for block in blocks),
            *blocks,
        ]
    )
    return MAGIC + bytes([VERSION]) + zlib.crc32(body).to_bytes(4, "little") + body


def read(data):
    """`Header` and list of blocks, each bytes, of a file.

    Raises:
        Damaged: it is no such file, of a version that this package does not know, or damaged.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ValueError(
            "`data` must be bytes, as `keras_pixelrnn.codec.compress` returns; a file is read by "
            f"`keras_pixelrnn.codec.read`. Received: data={checks.shown(data)}"
        )
    data = bytes(data)
    if data[:3] != MAGIC:
        raise Damaged(
            "This is no file of `keras_pixelrnn.codec`, whose first bytes are 'kpz'. "
            f"Received: {data[:4]!r}"
        )
    version = Reader(data[3:4]).take(1)[0]
    if version != VERSION:
        raise Damaged(
            f"This package reads version {VERSION} of the format. Use the keras_pixelrnn that wrote the "
            "file, or a newer one than this. "
            f"Received: version {version}"
        )
    start, body = Reader(data[4:8]).take(4), data[8:]
    if zlib.crc32(body).to_bytes(4, "little") != start:
        raise Damaged(f"The check sum of the file does not fit: it is damaged. {AGAIN}")
    reader = Reader(body)
    fingerprint = reader.take(8)
    *shape, levels, count, block_size = (reader.number() for _ in range(6))
    try:
        name = reader.take(reader.number()).decode()
    except UnicodeDecodeError:
        raise Damaged("The name of the model is no text: the file is damaged.") from None
    context = int.from_bytes(reader.take(4), "little")
    block_size = min(block_size, max(1, count))
    header = Header(fingerprint, name, tuple(shape), levels, count, block_size, context)
    possible = min(*shape, levels - 1, block_size) > 0 and count <= len(body) * block_size
    if not possible or math.prod(shape) * block_size > MOST:
        raise Damaged(f"The header holds sizes that cannot be: the file is damaged. {header}")
    lengths = [reader.number() for _ in range(-(-count // block_size))]
    blocks = [reader.take(length) for length in lengths]
    if reader.rest():
        raise Damaged("More data follows than the header tells of: the file is damaged.")
    return header, blocks
