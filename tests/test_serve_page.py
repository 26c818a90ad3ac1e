"""The page on serving, followed literally in an empty folder."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_live_server import free_port

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "how-to" / "serve.md").read_text()
MACHINERY = ("pip", "pixelrnn", "curl", "cp", "python")

NOTHING = "-c pass"  # what `pip install` of the page needs to do here


def commands():
    """Indented lines of the page, up to what needs Docker or a checkout."""
    head = PAGE.split("## Production")[0]
    return [line.strip() for line in head.splitlines() if line.startswith("    ")]


def test_every_command_is_one_that_can_be_followed():
    assert len(commands()) == 8
    assert {command.split()[0] for command in commands()} == set(MACHINERY)
    table = re.findall(r"^\| (`[^|]*`) \|", PAGE.split("## Production")[1].split("##")[0], re.M)
    named = {name for cell in table for name in re.findall(r"`(.*?)`", cell)}
    assert named == {file.name for file in (ROOT / "deploy").iterdir()}


@pytest.mark.slow
def test_the_page_in_an_empty_folder(tmp_path):
    grpc, rest = free_port(), free_port()
    scripts = tmp_path / "bin"
    scripts.mkdir()
    for name, what in (("pixelrnn", "-m keras_pixelrnn"), ("python", ""), ("pip", NOTHING)):
        script = scripts / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {what} "$@"\n')
        script.chmod(0o755)
    folder = tmp_path / "empty"
    folder.mkdir()
    environment = {
        **os.environ,
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "CHECKOUT": str(ROOT),
    }
    server = None
    try:
        for command in commands():
            # The ports may be taken here, and are not what the page is about.
            command = command.replace("localhost:8501", f"localhost:{rest}")
            if command.startswith("pixelrnn serve"):
                command += f" --port {grpc} --rest-port {rest}"
                server = subprocess.Popen(
                    ["sh", "-c", f"exec {command}"],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                assert "REST on" in server.stdout.readline()
                continue
            if "rest_client.py --" in command:
                command += f" --url http://localhost:{rest}/v1/models/digits"
            if "grpc_client.py --" in command:
                command += f" --address localhost:{grpc}"
            subprocess.run(["sh", "-c", command], cwd=folder, env=environment, check=True)
    finally:
        if server:
            server.terminate()
            server.wait(20)
    drawn = json.loads((folder / "drawn.json").read_text())["predictions"]
    assert len(drawn) == 2
    for seed in (1, 2, 3):
        assert (folder / f"rest-{seed}.png").read_bytes() == (
            folder / f"grpc-{seed}.png"
        ).read_bytes()
