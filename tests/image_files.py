"""Folders of image files to read, and what was read of them."""

import struct
import zlib

import numpy as np
from PIL import Image

import keras_pixelrnn as kp

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)


def collect(batches):
    return np.concatenate([np.asarray(batch) for batch in batches])


def everything(data):
    return np.concatenate([collect(data.evaluation(split, 7)) for split in data.sizes])


def fill(folder, count=1, first=0):
    """`count` tiny pictures, each of one value of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(first, first + count):
        Image.fromarray(np.full((4, 4), n, np.uint8)).save(folder / f"{n:03}.png")


def numbers(data, split):
    return sorted(collect(data.evaluation(split, 9))[:, 0, 0, 0].tolist())


def load_one(image, tmp_path, name="a.png", save=None, **options):
    """The one image of a folder that holds it in every split."""
    for split in ("train", "val", "test"):
        (tmp_path / split).mkdir(exist_ok=True, parents=True)
        path = tmp_path / split / name
        image(path) if callable(image) else image.save(path, **(save or {}))
    options = {"image_size": (6, 8), **options}
    found = everything(kp.data.load(tmp_path, **options))
    np.testing.assert_array_equal(found[0], found[2])
    return found[0]


def packed(row, bits):
    """The bytes of a row of numbers of 1, 2, 4, 8 or 16 bits each."""
    if bits >= 8:
        return row.astype(f">u{bits // 8}").tobytes()
    digits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)
    return np.packbits(digits[:, 8 - bits :]).tobytes()


def png(pixels, path, bits=16):
    """Write a PNG as Pillow cannot: colour of 16 bits, grey of few."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + packed(row, bits) for row in pixels)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]

    def chunk(name, data):
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + data)
