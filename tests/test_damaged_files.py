"""Damaged and hostile files: what is read is what was written, or the error names the file; no code of
theirs runs and nothing is written outside their folder."""

import inspect
import io
import json
import zipfile
from importlib import resources
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp
from benchmarks.faults import bad
from benchmarks.faults.files import Files
from keras_pixelrnn.data.opening import UnreadableError
from keras_pixelrnn.data.reading import Reader
from keras_pixelrnn.serving.server import run
from keras_pixelrnn.training import recipes
from tests.commands import fails
from tests.conformance import QUICK


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("files"))


def test_damage_is_seen_or_means_nothing(files):
    """A sample of what `python -m benchmarks.faults calls` does thousands of times."""
    for index in range(60):
        damaged = files.draw(np.random.default_rng([7, index]))
        found, text, _ = bad.outcome(damaged)
        assert found in (bad.NAMED, bad.HARMLESS), f"{damaged.what}: {found} {text}"


def test_a_flipped_weight_of_a_preset_is_seen(files, tmp_path):
    """Far inside the file, where it is a number like any other: HDF5 has no check sum."""
    folder = files.model.save_to_preset(tmp_path / "preset")
    weights = folder / "model.weights.h5"
    kernel = files.model.get_weights()[0].tobytes()
    data = bytearray(weights.read_bytes())
    data[data.index(kernel[:64]) + 5] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ValueError, match=r"model\.weights\.h5 is damaged"):
        kp.models.from_preset(folder)
    facts = json.loads((folder / "preset.json").read_text())
    del facts["weights_sha256"]
    (folder / "preset.json").write_text(json.dumps(facts))
    kp.models.from_preset(folder)  # as the message says


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, -1])
def test_a_model_file_that_is_cut_off_is_called_so(kept, files, tmp_path):
    files.model.save(tmp_path / "whole.keras")
    data = (tmp_path / "whole.keras").read_bytes()
    cut = tmp_path / "cut.keras"
    cut.write_bytes(data[: int(len(data) * kept) if isinstance(kept, float) else kept])
    with pytest.raises(ValueError, match=r"cut\.keras: the file is damaged or cut off"):
        kp.models.from_preset(str(cut))


def test_a_preset_that_lacks_a_part_says_which(files, tmp_path):
    folder = files.model.save_to_preset(tmp_path / "preset")
    (folder / "preset.json").write_text("[]")
    with pytest.raises(ValueError, match=r"preset\.json is damaged"):
        kp.models.from_preset(folder)
    (folder / "preset.json").unlink()
    kp.models.from_preset(folder)
    (folder / "model.weights.h5").unlink()
    with pytest.raises(ValueError, match=r"model\.weights\.h5 is not there"):
        kp.models.from_preset(folder)


def test_commands_name_the_file_and_the_key_that_is_damaged(files, tmp_path, capsys):
    folder = files.model.save_to_preset(tmp_path / "preset")
    facts = json.loads((folder / "preset.json").read_text())
    good = {"dataset": "digits", "model": "diagonal", "num_blocks": 1, "units": 4}
    for settings, command, words in (
        ({**good, "value_range": [0, "x"]}, "evaluate", "value_range"),
        ({**good, "units": "many"}, "evaluate", "units"),
        ({key: good[key] for key in ("units", "num_blocks")}, "models", "A card needs 'model'"),
    ):
        facts["training"] = {"settings": settings}
        (folder / "preset.json").write_text(json.dumps(facts))
        code, text = fails(capsys, command, folder)
        assert code == 1
        assert str(folder / "preset.json") in text
        assert words in text
    (folder / "preset.json").write_text('{"name": ')
    for command in ("evaluate", "models"):
        assert "preset.json is damaged" in fails(capsys, command, folder)[1]


def test_no_flipped_bit_of_a_png_file_is_taken_for_a_picture(files, tmp_path):
    """Pillow does not look at the check sums of the chunks that hold the pixels."""
    path, read = tmp_path / "a.png", Reader(8, 8, 1, np.dtype(np.uint8))
    good = files.raw[files.good / "pictures" / "11.png"]
    path.write_bytes(good)
    expected = read.read(path)
    for index in range(len(good)):
        flipped = bytearray(good)
        flipped[index] ^= 1 << (index % 8)
        for damaged in (good[:index], flipped):
            path.write_bytes(damaged)
            with pytest.raises(UnreadableError, match=r"a\.png"):
                read.read(path)
    path.write_bytes(good + b"more")
    np.testing.assert_array_equal(read.read(path), expected)


def test_presets_that_come_along_have_check_sums():
    for name in kp.presets.names():
        assert len(kp.presets.facts(name)["weights_sha256"]) == 64


@pytest.mark.parametrize("what", ["digits.npz", "digits.toml"])
def test_damaged_files_of_the_package_are_named(what, tmp_path, monkeypatch):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "digits.npz").write_bytes(b"PK damaged")
    (tmp_path / "recipes" / "digits.toml").write_bytes(b"\xff = [")
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    read = kp.data.load if what.endswith("npz") else lambda: recipes.read_recipe("digits")
    with pytest.raises(ValueError, match=what):
        read()


class Writes:
    """Unpickled it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "code ran")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".keras"])
def test_nothing_is_unpickled(suffix, tmp_path):
    hit = tmp_path / "hit"
    file = io.BytesIO()
    np.save(file, np.array([Writes(hit)], dtype=object), allow_pickle=True)
    np.load(io.BytesIO(file.getvalue()), allow_pickle=True)
    assert hit.exists(), "the pickle is one that works"
    hit.unlink()
    path = tmp_path / f"hostile{suffix}"
    path.write_bytes(file.getvalue())
    if suffix != ".npy":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", file.getvalue())
            archive.writestr("config.json", file.getvalue())
            archive.writestr("metadata.json", "{}")
    with pytest.raises(ValueError, match=f"hostile{suffix}"):
        kp.models.from_preset(path) if suffix == ".keras" else kp.data.load(path)
    assert not hit.exists()


def test_no_code_of_a_keras_file_runs(model_of, tmp_path):
    hit = tmp_path / "hit"
    target = str(hit)
    hostile = keras.Sequential(
        [keras.Input((4, 5, 1)), keras.layers.Lambda(lambda x: (open(target, "w").close(), x)[1])]
    )
    hostile.save(tmp_path / "lambda.keras")
    hit.unlink(missing_ok=True)  # it ran while the model was made
    with pytest.raises(ValueError, match=r"lambda\.keras"):
        kp.models.from_preset(tmp_path / "lambda.keras")

    model = model_of(QUICK)
    model.save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    for module, name in (("os", "system"), ("builtins", "exec"), ("subprocess", "run")):
        wanted = {"module": module, "class_name": name, "config": f"touch {hit}"}
        for planted in (
            {**config, **wanted, "registered_name": name},
            {**config, "config": {**config["config"], "distribution": wanted}},
        ):
            path = tmp_path / "planted.keras"
            with zipfile.ZipFile(path, "w") as archive:
                for member, data in {**members, "config.json": json.dumps(planted)}.items():
                    archive.writestr(member, data)
            with pytest.raises(ValueError, match=r"planted\.keras"):
                kp.models.from_preset(path)
    assert not hit.exists()


def test_archives_stay_in_their_folder(model_of, tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    model_of(QUICK).save(inner / "model.keras")
    kp.data.pack("digits", inner / "digits.npz")
    for name in ("model.keras", "digits.npz"):
        with zipfile.ZipFile(inner / name, "a") as archive:
            archive.writestr("../../outside.npy", b"x")
            archive.writestr("/tmp/../outside.npy", b"x")
    kp.models.from_preset(inner / "model.keras")  # members that it does not know are not looked at
    with pytest.raises(ValueError, match=r"digits\.npz"):
        kp.data.load(inner / "digits.npz")
    assert not [path for path in tmp_path.rglob("*") if "outside" in path.name]


def test_servers_listen_on_this_machine_alone():
    from keras_pixelrnn import cli

    assert inspect.signature(run.Server).parameters["host"].default == "127.0.0.1"
    for name in ("serve", "app"):
        command = cli.pixelrnn.get_command(None, name)
        (host,) = (option for option in command.params if option.name == "host")
        assert host.default == "127.0.0.1"
