"""The command on codes, from an .npz file to a SavedModel."""

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import visualize
from tests.commands import run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("levels", [64, 512])
def test_codes_are_trained_drawn_completed_and_served(levels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    few = rng.choice(levels, 6, replace=False)  # of the codes, for each label three
    labels = rng.integers(0, 2, 400)
    codes = few[3 * labels[:, None, None, None] + rng.integers(0, 3, (400, 4, 5, 1))]
    np.savez("codes.npz", train=codes.astype(np.uint16), train_labels=labels)
    run(
        *("train", "--dataset", "codes.npz", "--values", "codes", "--levels", levels),
        *("--model", "gated", "--units", 8, "--num-blocks", 1, "--head-units", 16, "--dropout", 0),
        *("--conditional", "--epochs", 6, "--batch-size", 16, "--output", "trained"),
        *("--learning-rate", 0.02),
    )
    model = kp.models.from_preset("trained")
    assert model.distribution.embedding_size is not None
    run("sample", "trained", "-n", 8, "--label", 1, "--npz")
    with np.load("samples/samples.npz") as file:
        drawn = file["image"]
    assert drawn.shape == (8, 4, 5, 1)
    assert np.isin(drawn, few[3:]).mean() > 0.8, "of its label"
    visualize.to_picture(drawn[0], levels).save("codes.png")
    run("complete", "trained", "codes.png", "-n", 2, "--label", 1)
    assert run("score", "trained", "codes.png", "--label", 1).count("\n") == 2
    run("export", "trained", "--version", 7)
    assert "trained/7: servable" in run("check", "trained/7")
    said = (tmp_path / "trained" / "README.md").read_text()
    assert f"{levels} codes" in said
