"""The snippets of the README and of every page of the documentation run; links lead somewhere."""

import functools
import re
import shlex
from pathlib import Path

import pytest

import keras_pixelrnn as kp

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
SAME_CODE = ["README.pt-BR.md", "docs/index.md"]  # so they need not run once more
# Readers get networks and epochs that are worth their time, the tests those that fit in theirs.
SMALLER = {
    "epochs=20": "epochs=1",
    "units=32": "units=4, num_blocks=1",
    "jit_compile=True": "jit_compile=False",
}
LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)


def executed(page):
    """Runs the blocks of a page, top to bottom in one namespace; a failure shows the page's own line."""
    text = (ROOT / page).read_text(encoding="utf-8")
    names = {}
    for match in re.finditer(r"```python\n(.*?)```", text, re.S):
        code = match[1]
        for said, done in SMALLER.items():
            code = code.replace(said, done)
        line = text.count("\n", 0, match.start(1))
        exec(compile("\n" * line + code, page, "exec"), names)
    return names


@pytest.fixture(scope="module")
def loaded():
    """`loaded(name)`: a preset, and what was compiled of it on the pages before."""
    return functools.cache(kp.models.from_preset)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in SAME_CODE and blocks(page)])
def test_snippets(page, tmp_path, monkeypatch, loaded):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kp.models, "from_preset", loaded)
    executed(page)


def test_a_wrong_snippet_is_found(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as error:
        executed(page)
    assert error.traceback[-1].lineno + 1 == 8


@pytest.mark.parametrize("page", SAME_CODE)
def test_code_is_that_of_the_readme(page):
    def statements(page):
        lines = "\n".join(blocks(page)).splitlines()
        return [line for line in (x.split("  #")[0].rstrip() for x in lines) if line]

    assert blocks(page)
    rest = iter(statements("README.md"))
    missing = [line for line in statements(page) if line not in rest]  # in this order, too
    assert missing == []


@pytest.mark.parametrize("page", [*PAGES, "README.pt-BR.md"])
def test_links_lead_somewhere(page):
    for target in LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        file = target.split("#")[0]
        made = file.startswith(("results/", "../results/", "api/", "../api/"))  # by docs/hooks.py
        if file and "://" not in file and not made:
            assert (ROOT / page).parent.joinpath(file).exists(), target


def benchmarks_in(page):
    """The words behind `python -m` of all commands of a page that run a benchmark."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"`([^`]+)`", text) + re.findall(r"^    (.*)$", text, re.M)
    commands = [command.partition("python -m benchmarks")[1:] for command in found]
    return [shlex.split("".join(x).split("#")[0])[2:] for x in commands if x[0]]


@pytest.mark.parametrize(
    "page", [page for page in [*PAGES, "benchmarks/README.md"] if benchmarks_in(page)]
)
def test_benchmarks_take_what_pages_pass(page):
    for module, *words in benchmarks_in(page):
        path = ROOT / module.replace(".", "/")
        source = (path / "__main__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
        for word in (word for word in words if word.startswith("--")):
            assert f'"{word}"' in source, (module, word)
        if words and not words[0].startswith("--"):
            known = words[0] in kp.presets.names() or f'"{words[0]}"' in source
            export = words[0].endswith("/1") and "version_folder" in source
            assert known or export, (module, words[0])


def test_commands_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make ([\w-]+)", (ROOT / "README.md").read_text(), re.M):
        assert f"\n{target}:" in makefile
