"""Files of arrays: .npz (packed ones, too), .npy and HDF5, read where they lie."""

import json
import struct
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np

from keras_pixelrnn.data import arrays
from keras_pixelrnn.data.split import SPLITS
from keras_pixelrnn.data.values import Values

BROKEN = (  # what readers raise at damaged files
    OSError,
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    MemoryError,
    OverflowError,
    SyntaxError,
    TypeError,
    NotImplementedError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
)
SUFFIXES = {".npz", ".npy", ".h5", ".hdf5"}
MOST_CHECKED = 1 << 30  # bytes of an array in a .npz that are read once to see their check sum
ABOUT = "pixelrnn"  # member of a packed file that says what its numbers mean
IMAGES = ("images", "image", "x", "data")
LABELS = ("labels", "label", "y")


def stored(path, class_names=None):
    """Source of a file of arrays, and what a packed file says about its numbers (else {}).

    Args:
        path: with one array of images; or with arrays named images and labels (or x and y); or
            those by split: train, validation, test; train_images, train_labels, ...; x_train, ...
        class_names: names of the labels.
    """
    path = Path(path)
    try:
        found = _read(path)
    except BROKEN as error:
        raise ValueError(
            f"Cannot read {path}. Received: {type(error).__name__}: {error}"
        ) from error
    try:
        about = _about(found.pop(ABOUT)) if ABOUT in found else {}
        if about:
            found.pop("levels", None)  # for NumPy alone, in what `pixelrnn sample --npz` writes
        names = about.get("class_names") if class_names is None else class_names
        source = arrays.from_splits(
            _parts(found, path), names or None, f"file {path.name}", hidden=bool(about)
        )
    except (ValueError, AttributeError) as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"Cannot use {path}. {error}") from error
    if about:
        source = source._replace(protocol=about["protocol"], class_names=tuple(names or ()))
    dataset = about.get("dataset") or {"name": path.name}
    source = source._replace(dataset=dataset, files=about.get("files"))
    return source, about


def _about(text):
    """What a packed file says of its numbers; `ValueError` where it is not what `pack` wrote."""
    about = json.loads(str(np.asarray(text)))
    try:
        Values.of(about)
        kinds = {"protocol": str, "class_names": list, "files": dict | None}
        wrong = [name for name, kind in kinds.items() if not isinstance(about.get(name), kind)]
        if wrong:
            raise ValueError(f"Received: {str(about)[:200]}, wrong: {', '.join(wrong)}")
    except ValueError as error:
        raise ValueError(
            f"What its member {ABOUT!r} says of the numbers is not what `kp.data.pack` writes: pack it "
            f"anew. {error}"
        ) from error
    return about


def _read(path):
    """`{name: array}`; arrays stay in the file where that is possible."""
    if path.suffix.lower() == ".npy":
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(found, np.ndarray):
            found.close()
            raise ValueError("it is a zip file; one of arrays is called .npz")
        return {"images": found}
    if path.suffix.lower() == ".npz":
        return _members(path)
    import h5py

    file, found = h5py.File(path, "r"), {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name.replace("/", "_")] = item if item.ndim > 2 else item[()]

    file.visititems(visit)
    return found


def _members(path):
    """Arrays of a .npz; those stored without compression are memory-mapped."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
                    version, np.lib.format.read_array_header_2_0
                )
                shape, fortran, dtype = read(file)
                if member.compress_type or fortran or dtype.hasobject or len(shape) < 3:
                    file.seek(0)
                    found[name] = np.lib.format.read_array(file, allow_pickle=False)
                    continue
                header = file.tell()
                # `memmap` reads past the check sum, which is what reading the member checks.
                while member.file_size <= MOST_CHECKED and file.read(1 << 20):
                    pass
            start = _data_start(path, member) + header
            found[name] = np.memmap(path, dtype, "r", offset=start, shape=shape)
    return found


def _data_start(path, member):
    """Offset of a member's bytes: its local header has fields of its own lengths."""
    with open(path, "rb") as file:
        file.seek(member.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
    return member.header_offset + 30 + name + extra


def _parts(found, path):
    """The arrays by split, as `arrays.from_splits` takes them."""
    (first, *others) = found or [None]
    if first is not None and not others and not _says_more(first):
        return found[first]
    splits, used = {}, set()
    for split in [*SPLITS, *arrays.ALIASES]:
        images = _pick(found, used, [split] + [f"{name}_{split}" for name in IMAGES], split, IMAGES)
        known = used if images is not None else set()  # labels of nothing are not read
        labels = _pick(found, known, [f"{name}_{split}" for name in LABELS], split, LABELS)
        if images is not None:
            splits[split] = images if labels is None else (images, labels)
    if not splits:
        images, labels = _pick(found, used, IMAGES), _pick(found, used, LABELS)
        if images is None:
            raise ValueError(
                f"Expected arrays named images and labels, or by split such as train_images and "
                f"train_labels, or x_train and y_train. Pass what you mean: kp.data.load({{'train': "
                f"(images, labels), ...}}). Received: {path} with {', '.join(sorted(found))}"
            )
        splits = images if labels is None else (images, labels)
    if set(found) - used:
        warnings.warn(
            f"{path} holds arrays that are not read: {', '.join(sorted(set(found) - used))}. Images "
            "and labels have the names images and labels, train_images and train_labels, x_train and "
            "y_train.",
            stacklevel=2,
        )
    return splits


def _says_more(name):
    """Whether an array is, by its name, of one split, or no images."""
    words = set(name.lower().split("_"))
    return bool(words & {*SPLITS, *arrays.ALIASES, *LABELS})


def _pick(found, used, names, split=None, kinds=()):
    """The array by one of some names, which is added to those `used`; None where there is none."""
    names = [*names, *(f"{split}_{kind}" for kind in kinds)]
    there = [name for name in names if name in found]
    if len(there) > 1:
        raise ValueError(
            "Of arrays that could be the same one only one is taken: take the others out of the file, "
            f"or pass what you mean, kp.data.load((images, labels)). Received: {' and '.join(there)}"
        )
    used.update(there)
    return found[there[0]] if there else None
