"""The house: imports go downward only, and nothing below the data needs TensorFlow."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "keras_pixelrnn"
FLOORS = [
    ["_lazy", "_types", "_version", "formats", "mapped"],
    ["backend", "checks", "masks", "geometry", "presets"],
    ["noise", "sweep"],
    ["layers", "distributions"],
    ["wavefront"],
    ["raster", "losses", "metrics", "data"],
    ["completion", "growing", "scores"],
    ["models"],
    ["evaluation", "visualize"],
    ["codec"],
    ["serving"],
    ["training", "app"],
    ["cli"],
    ["__main__", ""],  # "" is the package itself
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
USES_TENSORFLOW = {"backend", "noise", "data", "serving"}
FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path):
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if name == "__init__" else name


def imports(path):
    """Dotted names of everything that a file imports, and whether at its top level."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.Import):
            yield from ((alias.name, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", top) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    part = part_of(path)
    for name, top in imports(path):
        if name.startswith("keras_pixelrnn."):
            imported = name.split(".")[1]
            assert imported == part or FLOOR[imported] < FLOOR[part], f"{part} imports {imported}"
        if name.split(".")[0].startswith("tensorflow"):
            assert part in USES_TENSORFLOW
            assert not (top and part in {"backend", "noise"}), "import it inside the function"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_readable(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 300
    assert lines[0].startswith('"""')
    assert "slice_update(" not in path.read_text(), "needs XLA; TensorFlow Serving has it off"


def test_public_names_are_documented():
    import keras_pixelrnn as kp

    for module in (kp.layers, kp.distributions, kp.models):
        for name in module.__all__:
            assert getattr(module, name).__doc__, name


CODE = """
import sys
sys.modules["tensorflow"] = None  # importing it fails
import numpy as np, keras_pixelrnn as kp
model = kp.models.PixelRNN((4, 5, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1)
model.compile("adam")
model.fit(np.zeros((4, 4, 5, 1), np.uint8), verbose=0)
kp.evaluation.evaluate(model, model.sample(3, seed=0))
print(model.complete(model.sample(2, seed=1), np.ones((4, 5), bool), seed=1).shape)
"""


def test_jax_backend_without_tensorflow():
    out = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout.split("\n")[-2] == "(2, 4, 5, 1)"


def test_an_unsupported_backend_is_named():
    out = subprocess.run(
        [
            sys.executable,
            "-c",
            CODE.split("model = ")[0]
            + "kp.models.PixelCNN((4, 5, 1), kp.distributions.Bernoulli())",
        ],
        env={**os.environ, "KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
    )
    assert "KERAS_BACKEND='numpy'" in out.stderr
