"""Any source in one .npz file, which is read where it lies, without TensorFlow."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn.data import cache, stored

CHUNK = 1_024  # images


def pack(data: Any, path: str | Path) -> Path:
    """Write the images of a source, as stored before quantisation, into one file.

    `kp.data.load(path)` gives the same batches, bit for bit, as the source did: in another process,
    on a machine that has neither the files nor TensorFlow, and from the disk where the file is larger
    than the memory. `levels` and `binarization` may be chosen anew as for the source itself.

    Args:
        data: an `ImageData`, or what `load` takes.
        path: of the file to write; ends in .npz.

    Returns:
        The path.

    Example:

    >>> path = pack("digits", folder / "digits.npz")
    >>> kp.data.load(path).sizes
    {'train': 1257, 'validation': 180, 'test': 360}
    """
    from keras_pixelrnn.data.load import load

    path = checks.local("path", path)
    if path.suffix != ".npz":
        raise ValueError(f"A packed file ends in .npz. Received: path={str(path)!r}")
    if not path.parent.is_dir():
        raise ValueError(f"There is no such folder: {path.parent}. Received: path={str(path)!r}")
    here = isinstance(data, (str, Path)) and os.path.realpath(checks.home(data))
    if here == os.path.realpath(path):
        raise ValueError(
            "The source would be replaced, with what else its file holds: choose another `path`. "
            f"Received: path={str(path)!r}"
        )
    data = data if hasattr(data, "source") and hasattr(data, "values") else load(data)
    with (
        checks.moved_to(path) as beside,
        zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED, allowZip64=True) as archive,
    ):
        for split, images in data.source.splits.items():
            labels = _write_images(archive, split, images, data)
            if (labels >= 0).any():  # a split may have none where others do
                _write(archive, f"{split}_labels", labels)
        _write(archive, stored.ABOUT, np.array(json.dumps(_about(data))))
    return path


def numbers_of(data):
    """What the stored numbers of an `ImageData` mean, and how its image files were read, for JSON."""
    return {**data.values.described(), "files": data.source.files}


def drawn(values, name):
    """What a file of one array of images says of them, `stored.ABOUT`, where a model drew them.

    Args:
        values: `Values` of its numbers.
        name: of the model.
    """
    about = {
        **values.described(),
        "files": None,
        "class_names": [],
        "protocol": f"drawn from {name}, split 80/10/10 in their order",
        "dataset": {"name": f"drawn from {name}"},
    }
    return {stored.ABOUT: np.array(json.dumps(about))}


def _about(data):
    return {
        **numbers_of(data),
        "class_names": list(data.class_names),
        "protocol": data.source.protocol,
        "dataset": data.source.dataset,
    }


def _write_images(archive, name, split, data):
    """Write the images of a split of `data` part by part; gives their labels."""
    labels, count = [], split.shape[0]
    header = {"shape": split.shape, "fortran_order": False, "descr": split.dtype.str}
    with archive.open(f"{name}_images.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array_header_2_0(file, header)
        firsts = range(0, count, CHUNK)
        for first in cache.watched(firsts, len(firsts), "packed"):
            images, part = split.read(np.arange(first, min(first + CHUNK, count)))
            data.values.check(images, f"{name} images{data.source.place}")
            file.write(np.ascontiguousarray(images).data)
            labels.append(part)
    return np.concatenate(labels)


def _write(archive, name, array):
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, array, allow_pickle=False)
