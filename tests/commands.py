"""Running the command `pixelrnn`: in this process where that shows the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from keras_pixelrnn import cli

ROOT = Path(__file__).parents[1]


def run(*arguments):
    """Standard output of a command that succeeds."""
    result = CliRunner().invoke(cli.pixelrnn, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(capsys, *arguments):
    """Exit code and the one line of a command that fails."""
    with pytest.raises(SystemExit) as left:
        cli.main([*map(str, arguments)])
    out, err = capsys.readouterr()
    text = left.value.code if isinstance(left.value.code, str) else err.strip()
    assert not out
    assert "\n" not in text
    assert text.startswith("pixelrnn: ")
    return (1 if isinstance(left.value.code, str) else left.value.code), text


def process(*arguments, code=None):
    command = [sys.executable, *(["-c", code] if code else ["-m", "keras_pixelrnn"]), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **pipes)
