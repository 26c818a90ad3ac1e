"""A disk that is full, a folder that cannot be written: an error that names it, and nothing lost."""

import contextlib
import os
import resource

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.cli import numbers, sample
from keras_pixelrnn.training import archive, results
from keras_pixelrnn.training.checkpoints import Checkpoints
from tests.conformance import QUICK

NAMES = {
    "model.keras": lambda path, model: results._save(model, path),
    "preset": lambda path, model: model.save_to_preset(path),
    "digits.npz": lambda path, model: kp.data.pack("digits", path),
    "metrics.json": lambda path, model: archive.replace_text(path, "x" * 100_000),
    "checkpoints": lambda path, model: Checkpoints(path).save(1, {}, {"a": np.zeros(100_000)}),
    "exports": lambda path, model: kp.export.save_for_serving(model, path),
}
WRITERS = [
    pytest.param(name, marks=pytest.mark.slow) if name == "exports" else name for name in NAMES
]


@contextlib.contextmanager
def room(size):
    """No file grows beyond `size` bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk(name, model_of, tmp_path):
    """HDF5 that writes by itself would end the process here."""
    for size in (0, 500, 3_000, 20_000):
        with room(size), pytest.raises(OSError, match=f"Cannot write .*{name}.*Free space"):
            NAMES[name](tmp_path / name, model_of(QUICK))
        assert not [path for path in tmp_path.rglob("*") if path.is_file()], "a half file"
    NAMES[name](tmp_path / name, model_of(QUICK))
    assert [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "name", ["model.keras", "preset", "metrics.json", "checkpoints", "exports"]
)
def test_a_folder_that_cannot_be_written(name, model_of, tmp_path):
    (tmp_path / "file").write_text("in the way")
    advice = "A file stands in the way: name a folder"
    with pytest.raises(OSError, match=f"Cannot write .*{name}.*{advice}"):
        NAMES[name](tmp_path / "file" / name, model_of(QUICK))
    if name in ("preset", "checkpoints", "exports"):
        with pytest.raises(OSError, match=f"Cannot write .*file.*{advice}"):
            NAMES[name](tmp_path / "file", model_of(QUICK))
    assert (tmp_path / "file").read_text() == "in the way"


def test_what_stood_there_stays(model_of, tmp_path):
    model = model_of(QUICK)
    for name in ("model.keras", "preset", "metrics.json"):
        NAMES[name](tmp_path / name, model)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(before) > 4
    for name in ("model.keras", "preset", "metrics.json"):
        with room(3_000), pytest.raises(OSError, match="Cannot write"):
            NAMES[name](tmp_path / name, model)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["png", "gif", "npz", "kpz", "grid"])
def test_what_commands_write_is_whole_or_not_there(name, model_of, tmp_path):
    model, path = model_of(QUICK), tmp_path / "out" / f"00000.{name}"
    images = np.zeros((40, *model.image_shape), np.uint8)
    noise = np.random.default_rng(0).integers(0, 2, (200, 300, 3), np.uint8) * 255
    forms = {"npz": "npz", "gif": "film", "grid": "grid", "png": None}

    def write():
        path.parent.mkdir(exist_ok=True)
        if name == "kpz":
            kp.codec.write(path, model, images)
        elif name == "png":
            kp.visualize.save_png(path, noise)
        else:
            sample.write(
                images, numbers.of("digits", model), path.parent, forms[name], "digits", None
            )

    with room(30), pytest.raises(OSError, match=r"Cannot write .*out.*Free space"):
        write()
    assert not list(path.parent.iterdir()), "a half file"
    write()
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    assert len(before) == 1
    with room(30), pytest.raises(OSError, match="Cannot write"):
        write()
    assert before == {file: file.read_bytes() for file in path.parent.iterdir()}


def test_what_is_no_file_is_written_in_its_place(model_of, tmp_path):
    """Such as /dev/stdout, which a file moved there would be the end of."""
    model, pipe = model_of(QUICK), tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        size = kp.codec.write(pipe, model, np.zeros((2, *model.image_shape), np.uint8))
        assert len(os.read(reader, 10_000)) == size
        assert list(tmp_path.iterdir()) == [pipe]
        assert pipe.is_fifo()
    finally:
        os.close(reader)
