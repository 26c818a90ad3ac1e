"""A development server of a damaged export: one line that names the file, before a port is taken."""

import shutil

import numpy as np
import pytest
from tensorflow.core.protobuf import saved_model_pb2

from keras_pixelrnn import cli
from keras_pixelrnn.serving import check, export, warmup
from tests import conformance
from tests.commands import fails, process
from tests.conformance import QUICK

pytest.importorskip("tensorflow_serving.apis.predict_pb2")
pytestmark = pytest.mark.xdist_group(QUICK.name)

WEIGHTS = "variables/variables.data-00000-of-00001"


@pytest.fixture
def version(export_of, tmp_path):
    return shutil.copytree(export_of(QUICK), tmp_path / "quick" / "1")


@pytest.fixture(autouse=True)
def _no_port(monkeypatch):
    def bind(*_):
        raise AssertionError("a port was taken")

    monkeypatch.setattr("grpc.server", bind)
    monkeypatch.setattr("keras_pixelrnn.serving.server.rest.make_server", bind)
    # What comes after would turn XLA off in this process.
    monkeypatch.setattr("keras_pixelrnn.serving.server.servable.Session", bind)


@pytest.mark.parametrize(
    ("file", "kept", "words"),
    [
        ("saved_model.pb", 0, "saved_model.pb is damaged"),
        ("saved_model.pb", 0.5, "saved_model.pb is damaged"),
        (WEIGHTS, 0, "variables.data-* are damaged, or not there"),
        (WEIGHTS, 0.5, "variables.data-* are damaged, or not there"),
        ("variables/variables.index", 0.5, "variables.index are damaged, or not there"),
        ("batching_params.pbtxt", 0.5, "batching_params.pbtxt: "),
    ],
)
def test_a_file_that_is_cut_off_is_named(version, file, kept, words, capsys):
    data = (version / file).read_bytes()
    (version / file).write_bytes(data[: int(len(data) * kept)])
    for name in (version, version.parent):
        code, text = fails(capsys, "serve", name)
        assert code == 1
        assert words in text
        assert str(version) in text


@pytest.mark.parametrize("data", [b"max_batch_size { value: \xc4", None])
def test_parameters_that_are_no_text_are_named(version, data, capsys):
    path = version / "batching_params.pbtxt"
    path.unlink()
    path.mkdir() if data is None else path.write_bytes(data)
    code, text = fails(capsys, "serve", version)
    assert code == 1
    assert "batching_params.pbtxt is no text: export it again" in text


@pytest.mark.parametrize(
    ("gone", "words"), [("variables", "variables.index"), ("saved_model.pb", "its saved_model.pb")]
)
def test_a_file_that_is_not_there_is_named(version, gone, words, capsys):
    path = version / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, text = fails(capsys, "serve", version.parent)
    assert code == 1
    assert words in text


def test_a_folder_of_other_things_is_called_so(tmp_path, capsys):
    (tmp_path / "notes").mkdir()
    code, text = fails(capsys, "serve", tmp_path / "notes")
    assert code == 2
    assert "holds no model" in text


def test_a_weight_that_is_another_is_seen(version, capsys):
    data = bytearray((version / WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (version / WEIGHTS).write_bytes(data)
    assert "variables.data-* are damaged" in fails(capsys, "serve", version)[1]


def test_a_version_is_found_from_within(version, monkeypatch):
    """Where its own path has no name to serve it under."""
    serve = cli.pixelrnn.get_command(None, "serve")
    for folder, name in [
        (version, "."),
        (version.parent, "1"),
        (version.parent, "."),
        (version, ".."),
        (version / "variables", ".."),
        (version / "variables", "../.."),
    ]:
        monkeypatch.chdir(folder)
        assert serve.callback.__globals__["_export"](name, None) == version


@pytest.mark.parametrize(
    ("name", "served"),
    [
        (".", "v1.2"),
        ("..", "mine"),
        ("./", "v1.2"),
        ("../mine.keras", "mine"),
        ("digits", "digits"),
    ],
)
def test_a_model_is_called_as_its_folder_is(tmp_path, monkeypatch, name, served):
    """Wherever that is said from, by all commands."""
    folder = tmp_path / "mine" / "v1.2"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(export, "save_for_serving", lambda _, path: path)
    monkeypatch.setattr("keras_pixelrnn.models.from_preset", lambda _: None)
    serve = cli.pixelrnn.get_command(None, "serve")
    assert serve.callback.__globals__["_export"](name, "scratch").name == served


@pytest.mark.slow  # each in a process of its own
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("weights of another", "the request to 'sample' in assets.extra"),
        ("warm-up of another", "the request to 'log_prob' in assets.extra"),
        ("graph for training", "A server cannot load"),
        ("output of another", "the request to 'nats_map' in assets.extra"),
    ],
)
def test_files_that_do_not_fit_each_other(version, damage, words, export_of):
    if damage.startswith("warm-up"):
        wrong = ("log_prob", {"image": np.zeros((1, 9, 9, 1), np.uint8)})
        warmup.write(version, [*warmup.read(version), wrong])
    elif damage.startswith("weights"):
        other = next(case for case in conformance.MODELS if case.name != QUICK.name)
        shutil.rmtree(version / "variables")
        shutil.copytree(export_of(other) / "variables", version / "variables")
    else:
        graph = check.read(version)
        if damage.startswith("output"):
            graph.signature_def["nats_map"].outputs["nats"].name = "nowhere:0"
        else:
            graph.meta_info_def.tags[:] = ["train"]
        saved = saved_model_pb2.SavedModel(meta_graphs=[graph])
        (version / "saved_model.pb").write_bytes(saved.SerializeToString())
    running = process("serve", str(version), "--port", "0", "--rest-port", "0")
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (1, "")
    assert words in err
    assert str(version) in err
    assert len(err.splitlines()) == 1
