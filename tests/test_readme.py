"""The snippets of the README run, one after the other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["README.md", "README.pt-BR.md"])
def test_snippets(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.S)
    code = "\n".join(blocks)
    assert "epochs=20" in code
    exec(compile(code.replace("epochs=20", "epochs=1"), name, "exec"), {})
    assert list(tmp_path.rglob("saved_model.pb"))


def test_commands_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make ([\w-]+)", (ROOT / "README.md").read_text(), re.M):
        assert f"\n{target}:" in makefile
