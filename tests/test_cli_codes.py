"""The command on a model of codes: drawn, completed and scored as values and as pictures; what drawn
values are to `kp.data.load`."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn.cli.numbers import Numbers
from keras_pixelrnn.cli.sample import write
from keras_pixelrnn.data.values import Values
from tests.commands import fails, run
from tests.conformance import randomised


@pytest.mark.slow
def test_codes_are_drawn_completed_and_scored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head = kp.distributions.Categorical(512, embedded=True, embedding_size=2)
    model = kp.models.PixelCNN((4, 5, 1), head, units=2, num_blocks=1, num_classes=2)
    model.save_to_preset("codes")
    run("sample", "codes", "-n", 2, "--label", 1, "--npz")
    with np.load("samples/samples.npz") as file:
        drawn = file["image"]
    assert (drawn.shape, drawn.dtype) == ((2, 4, 5, 1), np.uint16)
    run("sample", "codes", "-n", 2, "--label", 1, "--out", ".")
    np.testing.assert_array_equal(np.asarray(Image.open("00000.png"))[..., None], drawn[0])
    Path("00000.png").rename("codes.png")
    run("complete", "codes", "codes.png", "-n", 2, "--label", 1)
    found = np.asarray(Image.open("completions/00001.png"))[..., None]
    np.testing.assert_array_equal(found[:2], drawn[0][:2])
    nats = float(run("score", "codes", "codes.png", "--label", 1).splitlines()[1].split(",")[1])
    np.testing.assert_allclose(nats, model.log_prob(drawn[:1], context=1)[0], atol=1e-3)


@pytest.mark.parametrize(
    ("head", "told", "most"),
    [
        (kp.distributions.Categorical(9, embedded=True, embedding_size=2), ("codes", 0, 8, 9), 8),
        (kp.distributions.Categorical(17), ("integers", 0, 16, 17), 16),
        (kp.distributions.Categorical(4), ("intensities", 0, 4095, 4), 4095),
        (kp.distributions.Bernoulli(), ("binary", 0, 1, 2, "static"), 1),
        (kp.distributions.Bernoulli(), ("intensities", 0, 100, 2, "threshold"), 100),
        (kp.distributions.Bernoulli(), ("intensities", 0, 255, 2, "threshold"), 255),
    ],
)
def test_pictures_mean_to_evaluate_what_they_mean_to_score(
    head, told, most, tmp_path, monkeypatch, capsys
):
    """A folder is read as the training's; told otherwise, `evaluate` listens."""
    monkeypatch.chdir(tmp_path)
    model = randomised(kp.models.PixelCNN((3, 5, 1), head, units=2, num_blocks=1))
    values = {**Values(*told).described(), "files": {"background": None}}
    model.save_to_preset("model", {"training": {"values": values}})
    Path("pictures/test").mkdir(parents=True)
    Path("pictures/train").mkdir()
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, most + 1, (3, 5))
        picture = Image.fromarray(pixels.astype(np.uint8 if most < 256 else np.uint16))
        picture.save(f"pictures/{'test' if number < 2 else 'train'}/{number}.png")
    lines = run("score", "model", "pictures/test").splitlines()[1:]
    mean = np.mean([-float(line.split(",")[1]) for line in lines])
    assert f"test: {mean:.3f} " in run("evaluate", "model", "--dataset", "pictures")
    said = ["--value-range", 0, 1.5]
    assert "1.5" in fails(capsys, "evaluate", "model", "--dataset", "pictures", *said)[1]


def test_a_packed_file_is_told_how_it_is_made_binary(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("grey.npy", np.random.default_rng(0).integers(0, 256, (9, 3, 5, 1)).astype(np.uint8))
    said = ["data", "pack", "grey.npy", "packed.npz", "--values", "intensities", "--levels", 2]
    assert "`--binarization` to be one of" in fails(capsys, *said)[1]
    run(*said, "--binarization", "threshold")
    assert kp.data.load("packed.npz").values.binarization == "threshold"


def test_what_numbers_mean_is_told_to_evaluate(tmp_path, monkeypatch, capsys):
    """What the error advises, the command can be told."""
    monkeypatch.chdir(tmp_path)
    head = kp.distributions.Categorical(512, embedded=True, embedding_size=2)
    model = kp.models.PixelCNN((4, 5, 1), head, units=2, num_blocks=1)
    training = {"settings": {"dataset": "away/codes.npz", "model": "pixelcnn"}}
    training["settings"] |= {"num_blocks": 1, "units": 2}
    model.save_to_preset("codes", {"training": training})
    codes = np.arange(400).reshape(20, 4, 5, 1).astype(np.uint16)
    np.savez("codes.npz", train=codes)
    assert "test: " in run("evaluate", "codes", "--dataset", "codes.npz", "--values", "codes")
    folder = {"dataset": "away", "image_size": 4}
    model.save_to_preset("drawn", {"training": {"settings": training["settings"] | folder}})
    for name, away in (("codes", "away/codes.npz"), ("drawn", "away")):
        code, text = fails(capsys, "evaluate", name)
        assert code == 2
        assert f"trained on {away!r}, which is not there from this folder" in text
    np.save("spins.npy", np.where(codes % 2, 1, -1))
    kp.models.PixelCNN(
        (4, 5, 1), kp.distributions.Bernoulli(), units=2, num_blocks=1
    ).save_to_preset("spins")
    assert "test: " in run("evaluate", "spins", "--dataset", "spins.npy", "--values", "spins")
    told = kp.models.PixelCNN((4, 5, 1), head, units=2, num_blocks=1, num_classes=2)
    told.save_to_preset("told")
    code, text = fails(
        capsys, "evaluate", "told", "--dataset", "codes.npz", "--values", "codes", "--levels", 512
    )
    assert "the test images have no labels" in text
    hidden = {"train": codes, "train_labels": np.arange(20) % 2, "test": codes}
    np.savez("hidden.npz", **hidden)
    said = ["told", "--dataset", "hidden.npz", "--values", "codes", "--levels", 512]
    assert "the test images have no labels" in fails(capsys, "evaluate", *said)[1]
    assert "train: " in run("evaluate", *said, "--split", "train")


@pytest.mark.parametrize(
    ("levels", "coded", "told", "expected"),
    [
        (9, True, None, ("codes", 0, 8, 9)),
        (2, False, ("intensities", 0.0, 1.0, 2, "threshold"), ("binary", 0, 1, 2, "static")),
        (5, False, None, ("integers", 0, 4, 5)),
        (5, False, ("intensities", 0, 255, 5), ("integers", 0, 4, 5)),
        (256, False, ("intensities", 0, 255, 256), ("intensities", 0, 255, 256)),
        (4096, False, ("intensities", 0, 4095, 4096), ("intensities", 0, 4095, 4096)),
    ],
)
def test_drawn_arrays_say_what_they_hold(levels, coded, told, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    meaning = Values("codes", 0, levels - 1, levels) if coded else None
    form = Numbers(levels, 1, meaning, told and Values(*told))
    drawn = (
        np.random.default_rng(0).integers(0, levels, (20, 3, 5, 1)).astype(Values(*expected).dtype)
    )
    said = write(drawn, form, Path("drawn"), "npz", "runs/mine/", None)
    assert said.startswith("drawn/samples.npz, array `image`")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = kp.data.load("drawn/samples.npz")
    assert data.values == Values(*expected)
    assert data.protocol.startswith("drawn from mine, split 80/10/10")
    np.testing.assert_array_equal(np.concatenate([*map(data.whole, data.sizes)]), drawn)
