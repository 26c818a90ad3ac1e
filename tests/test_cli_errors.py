"""The command `pixelrnn` where it fails or is only asked for help."""

import sys
from pathlib import Path

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import cli
from keras_pixelrnn.cli import progress
from tests.commands import fails, process, run


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothing"], 2, "No such command 'nothing'"),
        (["score", "digits", "hidden"], 2, "no pictures (PNG"),
        (["sample"], 2, "Missing argument 'NAME'"),
        (["sample", "digitz"], 2, "Did you mean 'digits'?"),
        (["sample", "digits", "-n", "0"], 2, "-n"),
        (["sample", "digits", "--colour"], 2, "--colour"),
        (["sample", "."], 2, "holds no model"),
        (["sample", "p.png"], 2, "The file p.png holds no model"),
        (["sample", "whole/model.keras"], 1, "damaged or cut off"),
        (["models", "empty"], 2, "The folder empty has no preset.json"),
        (["sample", "digits_conditional", "--label", "10"], 2, "Received: 10. See pixelrnn sample"),
        (["export", "digits", "more"], 2, "argument (more). See pixelrnn export"),
        (["evaluate", "digits", "--levels", "5"], 2, "Received: images of 5 levels"),
        (["sample", "digits", "--temperature", "-1", "-n", "1"], 2, "temperature"),
        (["complete", "digits", "absent.png"], 2, "absent.png"),
        (["score", "digits", "empty"], 2, "no pictures (PNG"),
        (["train", "--epochs", "many"], 2, "--epochs"),
        (["train", "--model", "transformer"], 2, "transformer"),
        (["train", "--recipe", "nothing"], 2, "nothing"),
        (["train", "--resume"], 1, "no training to resume"),
        (["train", "--dataset", "digits", "--levels", "99"], 1, "levels=99"),
        (["check", "absent"], 2, "absent"),
        (["export", "digits", "--lookahead", "digits"], 2, "--lookahead is of --particles"),
        (["serve", "digits", "--port", "99999"], 2, "--port"),
        (["serve", "digits", "--rest-port", "-1"], 2, "--rest-port"),
        (["serve", "digits", "--host", "::1"], 2, "--host is a name or an address of IPv4"),
        (["sample", "digits", "-n", "99999999999"], 1, "`--count` must be an int, from 1 to"),
        (["complete", "digits", "p.png", "-n", "99999999999"], 1, "`--count` must be an int"),
        (
            ["complete", "digits", "p.png", "--method", "smc", "--particles", "9" * 12],
            1,
            "particles",
        ),
        (
            ["complete", "digits", "p.png", "--method", "smc", "--lookahead", "p.png"],
            2,
            "--lookahead",
        ),
        (["score", "digits", "bad.png"], 1, "identify image file"),
        (
            ["score", "digits", "p.png", "--method", "ratio", "--background", "digits_conditional"],
            1,
            "`--background` must not be conditional",
        ),
        (
            ["score", "digits", "p.png", "--false-positive-rate", "0.1", "--validation", "empty"],
            2,
            "no pictures (PNG",
        ),
    ],
)
def test_errors_are_one_line(arguments, code, words, capsys):
    Path("empty").mkdir()
    Path("whole").mkdir()
    Path("whole/model.keras").write_text("")
    for name in (".ipynb_checkpoints/a.png", "__MACOSX/a.png", "._a.png"):
        Path("hidden", name).parent.mkdir(parents=True, exist_ok=True)
        Path("hidden", name).write_text("no picture")
    Path("bad.png").write_text("no picture")
    kp.visualize.save_png("p.png", np.zeros((8, 8, 3), np.uint8))
    found, text = fails(capsys, *arguments)
    assert found == code
    assert words in text
    assert "object at 0x" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("arguments", [[], ["data"]])
def test_a_command_alone_shows_its_help(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    out, err = capsys.readouterr()
    assert left.value.code in (0, 2)  # 0 of click before 8.2
    assert (out or err).startswith("Usage: pixelrnn")
    assert "See pixelrnn" not in out + err


def test_debug_shows_the_traceback():
    Path("model.keras").write_text("")
    with pytest.raises(ValueError, match="damaged or cut off"):
        cli.main(["sample", ".", "--debug"])


def test_an_unforeseen_error_is_one_line(monkeypatch, capsys):
    def fail(*_, **__):
        raise KeyError("some\nthing")

    monkeypatch.setattr(kp.models, "from_preset", fail)
    code, text = fails(capsys, "sample", "digits")
    assert code == 1
    assert "KeyError" in text
    assert "--debug" in text


def test_every_command_has_help():
    listed = run("--help")
    for name in cli.COMMANDS:
        assert name in listed
        shown = run(name, "--help")
        assert shown.startswith(f"Usage: pixelrnn {name} ")
        assert "--debug" in shown
        assert "None" not in shown
    assert "<=None" not in run("data", "pack", "--help")


def test_bars_of_libraries_are_for_terminals():
    code = """
import logging, sys
sys.argv = ["pixelrnn"]
from keras_pixelrnn.cli import main
main(["models"])
import tqdm
for _ in tqdm.tqdm(range(3)): pass
logging.getLogger("urllib3.connectionpool").warning("again")
"""
    ran = process(code=code)
    assert ran.communicate(timeout=60)[1] == ""


def test_progress_is_for_terminals(monkeypatch, capsys):
    assert list(progress.over(range(3), 3, "counting")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert list(progress.over([[1, 2], [3]], 3, "counting")) == [[1, 2], [3]]
    shown = capsys.readouterr().err
    assert "counting" in shown
    assert "3/3" in shown
    with progress.telling(5, "drawing") as tell:
        tell(2, 5)
        tell(5, 5)
    assert "5/5" in capsys.readouterr().err


WITHOUT_TENSORFLOW = [
    ["--help"],
    ["train", "--help"],
    ["sample", "digitz"],
    ["serve", "digitz"],
    ["train", "--initial-weights", "digitz"],
    ["train", "--initial-weights", "."],
    ["train", "--preset", "digitz"],
    ["train", "--resume"],
    ["train", "--data-dir", "."],
    ["evaluate", "digits", "--data-dir", "."],
    ["data", "pack", "digits", "digits.npz", "--data-dir", "."],
    ["sample", "."],
    ["sample", "hf://someone"],
    ["check", "."],
    ["train", "--dropout", "2"],
    ["train", "--dropout", "2", "--resume"],
    ["train", "--learning-rate", "nan"],
    ["train", "--kernel-size", "4"],
    ["train", "--units", "99999999"],
    ["train", "--value-range", "5", "1"],
    ["train", "--output", ""],
    ["train", "--channels", "2"],
    ["train", "--dtype", "float"],
    ["sample", "digits", "--label", "1"],
    ["sample", "digits_conditional", "--label", "10"],
    ["sample", "digits", "--temperature", "-1"],
    ["sample", "digits", "--npz", "--grid"],
    ["sample", "digits", "--temperature", "nan"],
    ["sample", "digits", "--top-p", "1.5"],
    ["score", "digits", "tests", "--false-positive-rate", "nan"],
]


def test_help_and_wrong_arguments_need_no_tensorflow():
    code = f"""
import sys
sys.argv = ["pixelrnn"]
from keras_pixelrnn.cli import main
for arguments in {WITHOUT_TENSORFLOW}:
    sys.argv = ["pixelrnn", *arguments]
    code = 0
    try:
        main()
    except SystemExit as left:
        code = 1 if isinstance(left.code, str) else left.code or 0
    print("found", code, sorted({{"tensorflow", "keras", "jax"}} & set(sys.modules)))
"""
    out, err = process(code=code).communicate(timeout=60)
    found = [line for line in out.splitlines() if line.startswith("found")]
    wanted = ["0" if "--help" in arguments else "2" for arguments in WITHOUT_TENSORFLOW]
    nothing_there = ["train", "--resume"]  # which is no wrong argument
    wanted[WITHOUT_TENSORFLOW.index(nothing_there)] = "1"
    assert found == [f"found {code} []" for code in wanted], err


ENDS = {
    "": "after\n",
    "raise OSError('no such driver')": "my processor\nno such driver\nafter\n",
    "raise KeyboardInterrupt('Ctrl-C')": "Ctrl-C\nafter\n",
}


@pytest.mark.parametrize("end", ENDS)
def test_what_libraries_say_at_their_import_is_shown_where_it_fails(end, tmp_path):
    (tmp_path / "loud.py").write_text(f"import os\nos.write(2, b'my processor\\n')\n{end}\n")
    code = f"""
import sys
sys.argv = ["pixelrnn"]
from keras_pixelrnn.cli import quiet
sys.path.insert(0, {str(tmp_path)!r})
quiet.import_quietly("loud")
quiet.import_quietly("loud")
try:
    import loud
except (OSError, KeyboardInterrupt) as error:
    print(error, file=sys.stderr)
else:
    print(loud.__name__)
print("after", file=sys.stderr, flush=True)
"""
    out, err = process(code=code).communicate(timeout=60)
    assert err == ENDS[end]
    assert out == ("" if end else "loud\n")


def test_loggers_made_at_an_import_can_write_after_it(tmp_path):
    """A warning of TensorFlow was a traceback: I/O operation on closed file."""
    made = "import logging, sys\nlog = logging.getLogger('loud')\n"
    (tmp_path / "loud.py").write_text(made + "log.addHandler(logging.StreamHandler(sys.stderr))\n")
    code = f"""
import sys
sys.argv = ["pixelrnn"]
from keras_pixelrnn.cli import quiet
sys.path.insert(0, {str(tmp_path)!r})
quiet.import_quietly("loud")
import loud
loud.log.warning("later")
"""
    assert process(code=code).communicate(timeout=60)[1] == "later\n"


@pytest.mark.slow
def test_a_command_says_its_own_lines_only(tmp_path):
    out, err = process(
        "sample", "digits", "-n", "1", "--out", str(tmp_path / "drawn")
    ).communicate()
    assert err == ""
    assert out.startswith("1 image, seed 0: ")
