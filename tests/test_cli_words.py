"""Errors of a command name its options, and an output that cannot be written is told before any work."""

import ast
import functools
import re
import socket
import sys
import warnings
from pathlib import Path
from unittest.mock import ANY

import click
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import cli
from keras_pixelrnn.cli import words
from keras_pixelrnn.training import Settings
from keras_pixelrnn.training.run import load_data
from tests.commands import fails, process, run
from tests.image_files import fill

PACKED = ("--image-size", "4")
PACKAGE = Path(cli.__file__).parents[1]
COMMANDS = {name: cli.pixelrnn.get_command(None, name) for name in cli.COMMANDS}


@functools.cache
def texts_of_errors():
    """Constant texts of all errors that the package raises outside the command."""
    found = []
    for file in PACKAGE.rglob("*.py"):
        if "cli" not in file.parts:
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Raise) and node.exc is not None:
                    parts = (x.value for x in ast.walk(node.exc) if isinstance(x, ast.Constant))
                    found.append(" ".join(x for x in parts if isinstance(x, str)))
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_no_error_advises_an_argument_that_the_command_has_as_an_option(name):
    command, found = COMMANDS[name], 0
    options = [param for param in command.params if isinstance(param, click.Option)]
    for text in texts_of_errors():
        advice = text.partition("Received:")[0]
        said = words.in_options(text, command).partition("Received:")[0]
        for option in options:
            assert f"`{option.name}`" not in said
            assert f"`{option.name}=`" not in said
            if f"`{option.name}`" in advice:
                assert f"`{max(option.opts, key=len)}`" in said
                found += 1
    assert found or name in ("app", "check", "models", "serve", "data")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "score",
            "pass it as `background`. Received: background='a'",
            "`--background`. Received: background='a'",
        ),
        ("train", "Received: values=None, levels=3, cache=None", "no --values, levels=3, cache=N"),
        ("train", "Pass `image_size=`, or values='codes'.", "`--image-size`, or --values codes."),
        ("train", "with levels=2, binarization='static'", "--levels 2, --binarization static"),
        ("train", "values='intensities', value_range=(low, high)", "--value-range low high"),
        ("train", "transparent pixels: background='white'", "pixels: --transparent-on white"),
        ("score", "transparent pixels: background='white'", "pixels: background='white'"),
        ("sample", "`n` must be an int", "`--count` must"),
        ("complete", "`n_particles` or method='smc'", "`--particles` or --method smc"),
        ("decompress", "coded with another `context`.", "another `--label`."),
        ("export", "use xla=True", "use --xla"),
        ("sample", "load_weights=False", "load_weights=False"),
    ],
)
def test_arguments_are_called_as_options(name, text, said):
    assert said in words.in_options(text, COMMANDS[name])


def test_what_is_refused_while_data_are_read_ahead_is_said_as_it_is():
    """TensorFlow puts the graph before it and a traceback behind."""

    def read():
        raise ValueError("Codes must lie in 0 .. 255. Received: 511")

    batches = tf.data.Dataset.range(2).map(lambda n: tf.numpy_function(read, [], tf.int64))
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        next(iter(batches.prefetch(1)))
    said = words.one_line(caught.value, ["train"], cli.pixelrnn)
    assert said == "Codes must lie in 0 .. 255. Received: 511"


def test_choices_of_an_error_read_well_in_one_line(tmp_path, capsys):
    np.save(tmp_path / "deep.npy", np.zeros((9, 4, 5, 1), np.uint16))
    _, text = fails(capsys, "train", "--dataset", tmp_path / "deep.npy")
    assert "hold: --values intensities, --value-range low high: ordered, quantised to" in text
    assert "; --values integers, --levels L: ordered, 0 .. L-1 as they are; --values codes" in text
    assert text.endswith(
        "-1 and +1. Received: dtype uint16, no --values, no --value-range, no --levels"
    )


def test_broken_pictures_are_left_out_where_that_is_asked_for(tmp_path, capsys):
    fill(tmp_path / "pictures", 12)
    broken = tmp_path / "pictures" / "005.png"
    broken.write_bytes(broken.read_bytes()[:45])
    pack = ("data", "pack", tmp_path / "pictures", tmp_path / "packed.npz", *PACKED)
    for command in (pack, ("train", "--dataset", tmp_path / "pictures", *PACKED)):
        _, text = fails(capsys, *command)
        assert "out of the folder; --on-error skip leaves it out. Received: OSError" in text
        assert text.endswith(": the file is cut off")
    _, text = fails(capsys, "score", "digits", broken)
    assert "out of the folder. Received: OSError: the file is cut off" in text
    with pytest.warns(UserWarning, match=r"1 of 12 .*folder\. Received"):
        said = run(*pack, "--on-error", "skip")
    assert "1 unreadable files left out" in said
    for command in (("train", "--dataset", "digits"), ("data", "pack", "digits", pack[3])):
        _, text = fails(capsys, *command, "--on-error", "skip")
        assert "`--on-error` is for folders of image files" in text


def test_a_warning_is_one_line():
    with words.warned(["train"], cli.pixelrnn):
        line = warnings.formatwarning("left\nout: values='codes'", UserWarning, "load.py", 113)
        assert line == "pixelrnn: left out: --values codes\n"
        assert "load.py:113" in warnings.formatwarning("x", RuntimeWarning, "load.py", 113, "")
    assert "load.py:113" in warnings.formatwarning("x", UserWarning, "load.py", 113, "")


def test_commands_do_not_advise_what_they_lack(capsys, tmp_path):
    Image.fromarray(np.zeros((8, 8, 4), np.uint8)).save(tmp_path / "clear.png")
    code, text = fails(capsys, "score", "digits", str(tmp_path / "clear.png"))
    assert code == 1
    assert "no colour to lie on here: save it without them." in text
    advised = "They are not mixed. Pass channels=3, or convert the files."
    assert words.in_options(advised, words.command_of(["score"], cli.pixelrnn)).endswith(
        ". Convert the files."
    )
    assert "--channels 3" in words.in_options(advised, words.command_of(["train"], cli.pixelrnn))


def test_a_training_takes_deep_and_transparent_pictures(tmp_path):
    clear = Image.fromarray(np.zeros((4, 4, 4), np.uint8))
    for number in range(3):
        Image.fromarray(np.full((4, 4), 4000 + number, np.uint16)).save(tmp_path / f"{number}.png")
        (tmp_path / "clear").mkdir(exist_ok=True)
        clear.save(tmp_path / "clear" / f"{number}.png")
    clear = Settings(dataset=str(tmp_path / "clear"), image_size=4, transparent_on="white")
    assert load_data(clear).whole("test").min() == 255
    run(
        "data", "pack", tmp_path / "clear", tmp_path / "c.npz", *PACKED, "--transparent-on", "white"
    )
    assert kp.data.load(tmp_path / "c.npz").whole("test").min() == 255
    for number in range(3):
        (tmp_path / "clear" / f"{number}.png").unlink()
    deep = Settings(dataset=str(tmp_path), image_size=4, channels=1, value_range=(0, 4095))
    assert load_data(deep).levels == 4096
    path = tmp_path / "d.npz"
    run("data", "pack", tmp_path, path, *PACKED, "--channels", "1", "--value-range", "0", "4095")
    assert kp.data.load(path).levels == 4096


def test_the_page_says_at_once_that_gradio_is_missing(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    monkeypatch.setattr("keras_pixelrnn.models.from_preset", lambda name: pytest.fail("too late"))
    assert fails(capsys, "app", "digits") == (1, ANY)


@pytest.mark.parametrize(
    "arguments",
    [["compress", ".", "a.kpz", "--model", "digits"], ["decompress", "0.png", "--model", "digits"]],
    ids=lambda arguments: arguments[0],
)
def test_commands_say_at_once_that_the_coder_is_missing(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save("0.png")
    monkeypatch.setitem(sys.modules, "constriction", None)
    monkeypatch.setattr("keras_pixelrnn.models.from_preset", lambda name: pytest.fail("too late"))
    code, text = fails(capsys, *arguments)
    assert code == 1
    assert "pip install 'keras-pixelrnn[codec]'" in text


@pytest.mark.parametrize("command", ["serve", "export"])
def test_what_takes_long_says_so(command, capsys, tmp_path, monkeypatch):
    """And says nothing of it before the model is known to be one."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    _, text = fails(capsys, command, "empty")
    assert "holds no model" in text

    def stop(*_, **__):
        raise OSError("enough")

    monkeypatch.setattr("keras_pixelrnn.serving.export.save_for_serving", stop)
    with pytest.raises(SystemExit, match="enough"):
        cli.main([command, "digits"])
    assert "half a minute" in capsys.readouterr().err


def test_an_address_that_cannot_be_listened_on_is_told_before_the_work(capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)  # Gradio is there
    monkeypatch.setattr("keras_pixelrnn.models.from_preset", lambda name: pytest.fail("too late"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for command, option in (("serve", "--port"), ("serve", "--rest-port"), ("app", "--port")):
            code, text = fails(capsys, command, "digits", option, port)
            assert code == 1
            assert f"Choose another --host or {option}" in text
    code, text = fails(capsys, "serve", "digits", "--host", "nowhere.invalid")
    assert (code, "nowhere.invalid:8500" in text) == (1, True)


@pytest.mark.parametrize(
    "wrong",
    [["--model-name", ""], ["--model-name", "a/b"], ["--port", "8500", "--rest-port", "8500"]],
    ids=" ".join,
)
def test_addresses_that_cannot_be_are_wrong_arguments(wrong, capsys):
    assert fails(capsys, "serve", "digits", *wrong) == (2, ANY)


def test_a_command_says_its_options(capsys):
    code, text = fails(capsys, "train", "--epochs", "1", "--background", "2")
    assert code == 2
    assert re.search(r"`--background` must.*Received: background=2", text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "digits", "--out"],
        ["complete", "digits", "0.png", "--out"],
        ["score", "digits", "0.png", "--maps"],
        ["export", "digits", "--out"],
        ["compress", "0.png", "--model", "digits"],
        ["decompress", "0.png", "--model", "digits", "--out"],
        ["data", "pack", "digits"],
        ["train", "--output"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    arguments, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save("0.png")
    code, text = fails(capsys, *arguments, "/proc/x.npz")
    assert code == 2
    assert "the folder /proc is not writable" in text
    assert not list(tmp_path.glob(".writing*"))


def test_a_size_is_a_side_or_a_height_and_width(tmp_path, capsys):
    fill(tmp_path / "pictures", 4)
    arguments = ("data", "pack", tmp_path / "pictures", tmp_path / "packed.npz", "--image-size")
    for given, size in (("4", (4, 4)), ("4x6", (4, 6))):
        run(*arguments, given)
        assert kp.data.load(tmp_path / "packed.npz").image_shape == (*size, 3)
        train = COMMANDS["train"].make_context("train", ["--image-size", given])
        settings = Settings(dataset=tmp_path / "pictures", image_size=train.params["image_size"])
        assert load_data(settings).image_shape == (*size, 3)
    for wrong in ("0", "4x", "x4", "4x0", "4x4x4", "-4", "four", "4.5"):
        code, text = fails(capsys, *arguments, wrong)
        assert code == 2
        assert "a height and width, such as 24x32" in text


@pytest.mark.parametrize(
    ("backend", "arguments"),
    [
        (None, ["sample", "digits"]),
        ("jax", ["check", "."]),
        pytest.param("jax", ["export", "digits"], marks=pytest.mark.slow),
    ],
)
def test_without_tensorflow_it_says_what_runs(backend, arguments, tmp_path):
    (tmp_path / "1").mkdir()
    code = f"""
import os, sys
os.environ.pop("KERAS_BACKEND", None)
if {backend!r}:
    os.environ["KERAS_BACKEND"] = {backend!r}
os.chdir({str(tmp_path)!r})
sys.modules["tensorflow"] = None  # importing it fails
sys.argv = ["pixelrnn", *{arguments}]
from keras_pixelrnn.cli import main
main()
"""
    ran = process(code=code)
    out, err = ran.communicate(timeout=60)
    assert (ran.returncode, out) == (1, "")
    assert "pip install tensorflow" in err.splitlines()[-1]
    assert "KERAS_BACKEND=jax" in err.splitlines()[-1]
