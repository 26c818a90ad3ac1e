"""What the numbers of pictures mean to commands: what they meant in training."""

import functools
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import cli, visualize
from keras_pixelrnn.cli import pictures
from keras_pixelrnn.data.values import Values
from tests.commands import fails, run
from tests.conformance import randomised

D = kp.distributions
FOLDER = {"dataset": "away", "image_size": [3, 5], "channels": 1, "model": "pixelcnn"}
FOLDER |= {"num_blocks": 1, "units": 2}
# Head, what the training was told of its folder, most of the stored numbers and what is read of them.
CASES = {
    "12 bits": (D.DiscretizedLogisticMixture(4096, 1), {"value_range": [0.0, 4095.0]}, 4095, 1),
    "coarse": (D.Categorical(64), {"value_range": [0.0, 4095.0], "levels": 64}, 4095, 64),
    "dark": (D.Categorical(101), {"value_range": [0.0, 100.0]}, 100, 1),
    "integers": (D.Categorical(17), {"values": "integers", "levels": 17}, 16, 1),
    "binary": (D.Bernoulli(), {"values": "binary"}, 1, 1),
    "codes": (D.Categorical(9, embedded=True, embedding_size=2), {}, 8, 1),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    head, told, most, step = CASES[request.param]
    model = randomised(kp.models.PixelCNN((3, 5, 1), head, units=2, num_blocks=1))
    folder = tmp_path_factory.mktemp("models") / "model"
    model.save_to_preset(folder, {"training": {"settings": FOLDER | told}})
    return str(folder), model, most, step


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(kp.models, "from_preset", functools.cache(kp.models.from_preset))
    monkeypatch.chdir(tmp_path)


def some_numbers(most):
    stored = np.random.default_rng(0).integers(0, most + 1, (3, 5))
    stored[0, :2] = 0, most
    return stored.astype(np.uint8 if most < 256 else np.uint16)


def test_pictures_are_read_as_in_training_and_written_so(case):
    name, model, most, step = case
    stored = some_numbers(most)
    levels, meaning = model.distribution.levels, pictures.meaning_of(name, model)
    Image.fromarray(stored).save("stored.png")
    image = pictures.values_of("stored.png", (3, 5, 1), levels, meaning)
    np.testing.assert_array_equal(image[..., 0], stored // step)
    assert image.dtype == model.distribution.dtype
    picture = pictures.picture_of(image, levels, meaning)
    assert picture.mode == {1: "1", 4095: "I;16"}.get(most, "L")
    picture.save("drawn.png")
    assert np.asarray(picture).max() == most
    again = pictures.values_of("drawn.png", (3, 5, 1), levels, meaning)
    np.testing.assert_array_equal(again, image)


@pytest.mark.slow
def test_all_commands_take_the_numbers_of_the_training(case):
    name, model, most, step = case
    stored = some_numbers(most)
    Image.fromarray(stored).save("stored.png")
    nats = float(run("score", name, "stored.png").splitlines()[1].split(",")[1])
    np.testing.assert_allclose(
        nats, model.log_prob((stored // step)[None, ..., None])[0], atol=1e-3
    )

    run("complete", name, "stored.png", "-n", 1)
    back = np.asarray(Image.open("completions/00000.png"))
    assert back.max() <= most
    np.testing.assert_array_equal(back[:1] // step, stored[:1] // step)

    run("sample", name, "-n", 1, "--out", "drawn")
    drawn = np.asarray(Image.open("drawn/00000.png"))
    np.testing.assert_array_equal(drawn // step, model.sample(1, seed=0)[0, ..., 0])
    pytest.importorskip("constriction")
    run("compress", "drawn", "some.kpz", "--model", name)
    run("decompress", "some.kpz", "--model", name, "--out", "again")
    np.testing.assert_array_equal(np.asarray(Image.open("again/00000.png")), drawn)


def test_pictures_beyond_the_range_are_named(case, capsys):
    name, _, most, _ = case
    beyond = np.full((3, 5), most + 1, np.uint8 if most < 255 else np.uint16)
    Image.fromarray(beyond).save("beyond.png")
    for command in ("score", "complete"):
        code, text = fails(capsys, command, name, "beyond.png")
        assert code == 1
        assert f"must lie in 0 .. {most}. Received: beyond.png" in text


def test_codes_of_a_palette_are_its_indices():
    picture = Image.fromarray(np.arange(15, dtype=np.uint8).reshape(3, 5) % 9)
    picture.putpalette(range(27))
    picture.save("palette.png")
    meaning = Values("codes", 0, 8, 9)
    found = pictures.values_of("palette.png", (3, 5, 1), 9, meaning)  # nothing is said of colour
    np.testing.assert_array_equal(found.ravel(), np.arange(15) % 9)


def test_pictures_of_fewer_bits_are_no_dark_ones(tmp_path, capsys):
    head = D.DiscretizedLogisticMixture(4096, 1)
    model = kp.models.PixelCNN((3, 5, 1), head, units=2, num_blocks=1)
    told = {"training": {"settings": FOLDER | {"value_range": [0.0, 4095.0]}}}
    model.save_to_preset("deep", told)
    Image.new("L", (5, 3), 200).save("grey.png")
    assert "grey.png of uint8" in fails(capsys, "score", "deep", "grey.png")[1]


def test_numbers_that_are_cut_to_fewer_levels_are_told(capsys):
    """Of a model that does not say what its pictures held: 12 bits would be nearly black."""
    scan = np.arange(15, dtype=np.uint16).reshape(3, 5, 1)
    Image.fromarray(scan[..., 0]).save("scan.png")
    visualize.to_picture(scan, 4096).save("drawn.png")
    for path, told in (("drawn.png", False), ("scan.png", True)):
        with click.Context(cli.pixelrnn):
            pictures.values_of(path, (3, 5, 1), 4096)
        said = capsys.readouterr().err
        assert ("16 bits: read as 0 .. 65535, quantised to 4096 levels" in said) == told


def test_intensities_are_not_taken_for_codes(capsys):
    head = D.Categorical(9, embedded=True, embedding_size=2)
    kp.models.PixelCNN((3, 5, 1), head, units=2, num_blocks=1).save_to_preset("codes")
    Path("grey").mkdir()
    for number in range(4):
        Image.new("L", (5, 3), 60 * number).save(f"grey/{number}.png")
    code, text = fails(capsys, "evaluate", "codes", "--dataset", "grey")
    assert (code, "quantised as intensities: say --values codes" in text) == (2, True)


def test_codes_that_pictures_cannot_hold_are_drawn_as_npz(capsys):
    head = D.Categorical(300, embedded=True, embedding_size=2)
    kp.models.PixelCNN((3, 5, 2), head, units=2, num_blocks=1).save_to_preset("codes")
    code, text = fails(capsys, "sample", "codes", "-n", 1)
    assert (code, "--npz" in text, Path("samples").exists()) == (2, True, False)


@pytest.mark.slow
def test_transparent_pixels_lie_on_the_colour_of_the_training():
    model = kp.models.PixelCNN((3, 5, 3), D.Categorical(256), units=3, num_blocks=1)
    settings = FOLDER | {"channels": 3, "transparent_on": "#ff8000"}
    model.save_to_preset("clear", {"training": {"settings": settings}})
    Image.new("RGBA", (5, 3), (9, 9, 9, 0)).save("clear.png")
    Image.new("RGB", (5, 3), (255, 128, 0)).save("plain.png")
    clear, plain = (
        line.split(",")[1]
        for line in run("score", "clear", "clear.png", "plain.png").splitlines()[1:]
    )
    assert clear == plain
    assert pictures.background_of("clear") == (255, 128, 0)
