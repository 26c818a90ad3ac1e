"""Commands whose standard streams are closed, or do not have every name of a file; files that were
edited by hand."""

import io
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import cli, visualize
from tests.commands import ROOT, fails
from tests.conformance import randomised


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    made = kp.models.PixelCNN((3, 5, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1)
    return str(randomised(made).save_to_preset(tmp_path_factory.mktemp("models") / "model"))


def shell(line):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable}
    return subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams(closed):
    found = shell(f'"$PYTHON" -m keras_pixelrnn models {closed}')
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="of Linux")
def test_what_cannot_be_written_is_said_once():
    found = shell('"$PYTHON" -m keras_pixelrnn models > /dev/full')
    assert (found.returncode, found.stderr.count("\n")) == (1, 1)
    assert "No space left" in found.stderr


def test_no_file_takes_the_place_of_a_closed_stream():
    code = "import os; from keras_pixelrnn.cli import streams; streams.prepare(); "
    code += "os._exit(os.open(chr(47), 0))"
    assert shell(f'"$PYTHON" -c "{code}" <&- >&- 2>&-').returncode > 2


def test_results_that_nobody_would_get_are_refused(model, tmp_path, monkeypatch, capsys):
    visualize.save_png(tmp_path / "a.png", visualize.to_picture(np.zeros((3, 5, 1), int), 2))
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit):
        cli.main(["score", model, str(tmp_path / "a.png")])
    assert "standard output, which is closed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("encoding", "written"), [("utf-8", b"bad\xff.png"), ("ascii", rb"bad\udcff.png")]
)
def test_names_that_are_no_text(encoding, written, model, tmp_path, monkeypatch):
    path = os.fsencode(tmp_path) + b"/bad\xff.png"
    with open(path, "wb") as file:
        visualize.save_png(file, visualize.to_picture(np.zeros((3, 5, 1), int), 2))
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding, errors="strict"))
    cli.main(["score", model, os.fsdecode(path), "--maps", str(tmp_path / "maps")])
    sys.stdout.flush()
    assert written in raw.getvalue()
    assert os.listdir(os.fsencode(tmp_path / "maps")) == [b"bad\xff.png"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a', "is damaged"),
        ("[]", "must hold an object"),
        ('{"settings": 3}', "settings that a training does not have.*3"),
        ('{"settings": {"foo": 1}}', "settings that a training does not have.*foo"),
        ('{"settings": {"units": 3}}', "settings name no dataset"),
    ],
)
def test_a_file_of_figures_that_was_edited(text, words, model, tmp_path, capsys):
    (tmp_path / "config.json").touch()
    (tmp_path / "metrics.json").write_text(text)
    _, said = fails(capsys, "evaluate", tmp_path)
    assert re.search(f"metrics.json.*{words}", said)
