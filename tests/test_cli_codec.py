"""`pixelrnn compress` and `decompress`."""

import pathlib

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import cli
from keras_pixelrnn.data.modes import is_changed

SHAPE = (3, 5, 1)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Folder of a model of 5 values: pictures show them as 0, 64, 128, 191, 255."""
    made = kp.models.PixelCNN(SHAPE, kp.distributions.Categorical(5), units=4, num_blocks=1)
    return str(made.save_to_preset(tmp_path_factory.mktemp("model")))


def run(*args):
    return CliRunner().invoke(cli.pixelrnn, [str(arg) for arg in args])


def test_pictures_there_and_back(model, tmp_path, rng):
    shown = np.array([0, 64, 128, 191, 255], np.uint8)
    pictures = shown[rng.integers(0, 5, (4, *SHAPE[:2]))]
    (tmp_path / "in").mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "in" / f"{number}.png")
    file = tmp_path / "some.kpz"
    done = run("compress", tmp_path / "in", file, "--model", model)
    assert done.exit_code == 0, done.output
    assert f"4 images, {file.stat().st_size} bytes" in done.output
    done = run("decompress", file, "--model", model, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    found = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "out").iterdir())]
    np.testing.assert_array_equal(found, pictures)
    assert "images 0 to 3" in run("decompress", file, "--model", model, "--only", 4).output
    cut = tmp_path / "cut.kpz"
    cut.write_bytes(file.read_bytes()[:-1])
    assert f"{cut}: The check sum" in str(run("decompress", cut, "--model", model).exception)
    name = pathlib.Path(model).name
    assert kp.codec.header(file.read_bytes()).name == name
    other = str(run("decompress", file, "--model", "digits").exception)
    assert f"another model, '{name}'" in other
    assert "Received: 'digits'" in other


def test_pictures_that_would_not_come_back_are_refused(model, tmp_path):
    Image.fromarray(np.full(SHAPE[:2], 65, np.uint8)).save(tmp_path / "one.png")
    done = run("compress", tmp_path / "one.png", tmp_path / "some.kpz", "--model", model)
    assert done.exit_code == 1
    assert "--quantise" in done.output
    assert not (tmp_path / "some.kpz").exists()


@pytest.mark.parametrize(
    ("space", "head"),
    [
        ("CMYK", "mixture"),
        ("LAB", "codes"),
        pytest.param("LAB", "mixture", marks=pytest.mark.slow),
        pytest.param("YCbCr", "mixture", marks=pytest.mark.slow),
        pytest.param("YCbCr", "codes", marks=pytest.mark.slow),
    ],
)
def test_colour_spaces_that_rgb_does_not_give_back_are_refused(space, head, tmp_path):
    if head == "codes":
        head = kp.distributions.Categorical(256, embedded=True, embedding_size=2)
    else:
        head = kp.distributions.DiscretizedLogisticMixture(256)
    model = kp.models.PixelCNN((3, 4, 3), head, units=3, num_blocks=1)
    model.save(tmp_path / "colour.keras")
    numbers = np.zeros((3, 4, len(Image.new(space, (1, 1)).getbands())), np.uint8)
    Image.fromarray(numbers, space).save(tmp_path / "inks.tif")
    asked = ["compress", tmp_path / "inks.tif", tmp_path / "some.kpz"]
    asked += ["--model", tmp_path / "colour.keras"]
    done = run(*asked)
    assert done.exit_code == 1
    assert f"holds {space}" in done.output
    assert not (tmp_path / "some.kpz").exists()
    done = run(*asked, "--quantise")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("scale", "more", "is_cut"), [(256, 0, False), (257, 0, False), (257, 1, True)]
)
def test_a_palette_that_pillow_cuts_to_eight_bits_is_changed(scale, more, is_cut, tmp_path):
    """TIFF's has 16 bits, for which of 8 are written as v * 256, or as v * 257."""
    picture = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3), "P")
    picture.putpalette(np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes())
    picture.save(tmp_path / "palette.tif")
    levels = np.arange(256, dtype="<u2")
    written = (tmp_path / "palette.tif").read_bytes()
    assert written.count((levels * 256).tobytes()) == 3
    of_file = levels * scale + more
    (tmp_path / "palette.tif").write_bytes(
        written.replace((levels * 256).tobytes(), of_file.tobytes())
    )
    with Image.open(tmp_path / "palette.tif") as stored:
        assert is_changed(stored) == is_cut
