"""The notebook runs from top to bottom, in less than five minutes on two cores."""

import time
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "examples/tour.ipynb"


def test_outputs_are_those_of_one_run():
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, 4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert "/tmp" not in "".join(o.get("text", "") for cell in code for o in cell.outputs)
    kinds = {kind for cell in code for output in cell.outputs for kind in output.get("data", ())}
    assert {"image/png", "image/gif"} <= kinds


@pytest.mark.slow
def test_runs_from_top_to_bottom(tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("tensorflow_serving")
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    monkeypatch.delenv("XLA_FLAGS", raising=False)  # of the tests: it runs as a reader runs it
    notebook = nbformat.read(NOTEBOOK, 4)
    start = time.monotonic()
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()  # raises for a cell that fails
    assert time.monotonic() - start < 300
    assert not list(tmp_path.iterdir())  # what it writes is in a folder of its own
    printed = "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == "stdout"
    )
    assert "epoch 12" in printed
    assert "PNG of" in printed
