"""What commands say of pictures, places to write to and numbers that cannot be what was meant;
completion by particles."""

import functools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import cli, visualize
from keras_pixelrnn.cli import names, numbers
from keras_pixelrnn.completion import complete
from tests.commands import fails, run
from tests.conformance import randomised

SHAPE, LABELLED, COLOUR = (3, 5, 1), (4, 3, 1), (2, 4, 3)


def kept(tmp_path_factory, shape, levels, **options):
    head = kp.distributions.Categorical(levels)
    made = kp.models.PixelCNN(shape, head, units=4, num_blocks=1, **options)
    return str(randomised(made).save_to_preset(tmp_path_factory.mktemp("models") / "model"))


@pytest.fixture(scope="module")
def grey(tmp_path_factory):
    """Folder of a model of 5 values: pictures show them as 0, 64, 128, 191, 255."""
    return kept(tmp_path_factory, SHAPE, 5)


@pytest.fixture(scope="module")
def colour(tmp_path_factory):
    return kept(tmp_path_factory, COLOUR, 256)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder with one picture that fits the grey model; each model is loaded once."""
    monkeypatch.setattr(kp.models, "from_preset", functools.cache(kp.models.from_preset))
    monkeypatch.chdir(tmp_path)
    Image.new("L", SHAPE[1::-1]).save("good.png")


def damaged():
    """`{name: words of the error}` of files that are no single whole picture."""
    first, second = (Image.new("L", SHAPE[1::-1], shade) for shade in (0, 255))
    first.save("two.png", save_all=True, append_images=[second])
    first.save("two.gif", save_all=True, append_images=[second])
    whole = (tf.io.encode_png(np.arange(15, dtype=np.uint8).reshape(SHAPE))).numpy()
    files = {"text.png": b"text", "empty.png": b"", "cut.png": whole[:-16]}
    turned = bytearray(whole)
    turned[-20] ^= 1
    for name, data in {**files, "flipped.png": bytes(turned)}.items():
        with open(name, "wb") as file:
            file.write(data)
    return {
        "two.png": "2 frames",
        "two.gif": "2 frames",
        "text.png": "cannot identify",
        "empty.png": "cannot identify",
        "cut.png": "cut off",
        "flipped.png": "check sum",
    }


def test_a_damaged_picture_is_named(grey, capsys):
    for name, words in damaged().items():
        for arguments in (
            ["compress", name, "some.kpz", "--model", grey],
            ["score", grey, name],
            ["complete", grey, name],
            ["complete", grey, "good.png", "--mask", name],
        ):
            code, text = fails(capsys, *arguments)
            assert (code, name in text, words in text) == (1, True, True), (arguments, text)


@pytest.mark.parametrize("out", ["good.png", "good.png/deeper"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["compress", "good.png", "{out}/some.kpz", "--model", "{grey}"],
        ["decompress", "good.png", "--model", "{grey}", "--out", "{out}"],
        ["complete", "{grey}", "good.png", "--out", "{out}"],
        ["score", "{grey}", "good.png", "--maps", "{out}"],
        ["sample", "{grey}", "--out", "{out}"],
        ["export", "{grey}", "--out", "{out}"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_where_nothing_can_be_written_is_told_before_any_work(
    arguments, out, grey, capsys, monkeypatch
):
    monkeypatch.setattr(kp.models, "from_preset", lambda name: pytest.fail("loaded"))
    code, text = fails(capsys, *(part.format(out=out, grey=grey) for part in arguments))
    assert code == 2
    assert "good.png" in text


def test_a_folder_is_made_for_a_file_but_taken_for_none(grey, tmp_path, capsys):
    run("compress", "good.png", "a/b/some.kpz", "--model", grey)
    assert (tmp_path / "a/b/some.kpz").is_file()
    code, text = fails(capsys, "compress", "good.png", "a", "--model", grey)
    assert (code, "'a' is a directory" in text) == (2, True)
    for path in ("a", "absent/some.kpz"):
        with pytest.raises(ValueError, match="a folder that is there"):
            kp.codec.write(path, None, None)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "much"])
def test_a_threshold_is_a_number(number, grey, capsys):
    code, text = fails(capsys, "score", grey, "good.png", "--threshold", number)
    assert (code, "--threshold" in text) == (2, True)


def test_numbers_that_files_of_8_bits_lose_are_not_compressed(colour, capsys):
    deep = np.random.default_rng(0).integers(0, 2**16, COLOUR).astype(np.uint16)
    with open("deep.png", "wb") as file:
        file.write(tf.io.encode_png(deep).numpy())
    code, text = fails(capsys, "compress", "deep.png", "some.kpz", "--model", colour)
    assert (code, "would not come back" in text) == (1, True)
    values = numbers.of(colour, kp.models.from_preset(colour)).read("deep.png", COLOUR[:2])
    np.testing.assert_array_equal(values, deep // 256)


def test_a_turned_picture_comes_back_upright_and_what_is_left_out_is_named(grey):
    exif, pixels = Image.Exif(), np.zeros((5, 3), np.uint8)
    exif[0x0112], pixels[0, 0] = 6, 255  # turn to the right
    Image.fromarray(pixels).save("turned.png", exif=exif)
    Path("more.txt").write_text("no picture")
    Path(".ipynb_checkpoints").mkdir()
    Image.fromarray(pixels).save(".ipynb_checkpoints/turned.png", exif=exif)
    done = CliRunner().invoke(cli.pixelrnn, ["compress", ".", "some.kpz", "--model", grey])
    assert done.exit_code == 0, done.output
    assert "1 file such as more.txt" in done.stderr
    Path("back").mkdir()
    Image.new("L", SHAPE[1::-1]).save("back/00009.png")
    said = run("decompress", "some.kpz", "--model", grey, "--out", "back")
    assert said == "2 images: back (and 1 older one)\n"
    assert (
        "1 file such"
        in CliRunner().invoke(cli.pixelrnn, ["compress", ".", "some.kpz", "--model", grey]).stderr
    )  # not the file that is written
    np.testing.assert_array_equal(np.asarray(Image.open("back/00001.png")), np.rot90(pixels, -1))


def values_of(path, model):
    with Image.open(path) as picture:
        return visualize.to_values(picture, model.image_shape, model.distribution.levels)


@pytest.mark.slow
def test_completion_by_particles(grey, capsys, monkeypatch):
    model = kp.models.from_preset(grey)
    image = model.sample(1, seed=9)[0]
    visualize.to_picture(image, 5).save("image.png")
    known = np.arange(3)[:, None] >= np.full(5, 2)  # the last row
    Image.fromarray(~known).save("mask.png")
    smc = ["--method", "smc", "--particles", 6]
    said = run("complete", grey, "image.png", "--mask", "mask.png", "-n", 3, "--seed", 1, *smc)
    options = {"seed": 1, "method": "smc", "n_particles": 6}
    expected = model.complete(image[None], known, n=3, **options)
    found = [values_of(f"completions/{number:05}.png", model) for number in range(3)]
    np.testing.assert_array_equal(found, expected.images[0])
    assert f"log p(known): {expected.log_z[0]:.3f} nats" in said
    monkeypatch.setattr(complete, "MOST_PARTICLES", 4)
    said = run("complete", grey, "image.png", "-n", 1, "--method", "smc", "--particles", 5)
    assert said.startswith("1 completion, seed 0: completions (and 2 older ones); original")
    assert "effective particles: 6.0 of 6 at" in said  # two groups of three
    code, text = fails(capsys, "complete", grey, "good.png", "--particles", 6)
    assert (code, "--method smc" in text) == (2, True)


def test_pictures_of_an_earlier_run_are_counted():
    """They lie among the new ones, and nothing tells them apart."""
    for name in ("00000.png", "00001.png", "00007.png", "grid.png", "mask.png"):
        Path(name).touch()
    out, files = Path(), [Path(f"{number:05}.png") for number in range(2)]
    assert names.beside_older(out, files) == ". (and 1 older one)"
    assert names.beside_older(out, files[:1]) == ". (and 2 older ones)"
    assert names.beside_older(out, [*files, Path("00007.png")]) == "."


@pytest.mark.slow
def test_completion_by_particles_of_every_label_in_turn(tmp_path_factory):
    labelled = kept(tmp_path_factory, LABELLED, 5, num_classes=3)
    model = kp.models.from_preset(labelled)
    image = model.sample(1, seed=2, context=1)[0]
    visualize.to_picture(image, 5).save("image.png")
    smc = ["--method", "smc", "--particles", 6]
    run("complete", labelled, "image.png", "-n", 4, "--seed", 1, *smc)
    upper = np.arange(4)[:, None] < np.full(3, 2)
    images = np.repeat(image[None], 4, axis=0)
    options = {"seed": 1, "method": "smc", "n_particles": 6}
    expected = model.complete(images, upper, context=np.array([0, 1, 2, 0]), **options)
    found = [values_of(f"completions/{number:05}.png", model) for number in range(4)]
    np.testing.assert_array_equal(found, expected.images)


def test_what_is_made_of_pictures_is_said_once(grey):
    rng = np.random.default_rng(0)
    for number in range(2):
        pixels = rng.integers(0, 256, (3, 5, 3), np.uint8)
        Image.fromarray(pixels).save(f"colour{number}.png")
    Image.fromarray(np.repeat(pixels[..., :1], 3, axis=2)).save("grey.png")
    Image.fromarray(rng.integers(0, 2**16, (3, 5), np.uint16)).save("deep.png")
    files = ["grey.png", "colour0.png", "colour1.png", "deep.png"]
    result = CliRunner().invoke(cli.pixelrnn, ["score", str(grey), *files])
    said = result.stderr.splitlines()
    assert [line.split()[0] for line in said[:-1]] == ["colour0.png", "deep.png"]
    assert "made grey" in said[0]
    assert "16 bits: read as 0 .. 65535" in said[1]
    assert len(result.stdout.splitlines()) == 5
    Image.new("L", (5, 3), 1).save("mask.png")
    options = ["complete", str(grey), "grey.png", "--mask", "mask.png", "-n", "1"]
    said = CliRunner().invoke(cli.pixelrnn, options).stderr
    assert ("mask.png hides nothing" in said, "no number above" in said) == (True, False)


def contents():
    """Every file below this folder, with its bytes."""
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "arguments",
    [
        ["score", "{grey}", "in", "--maps", "in"],
        ["score", "{grey}", "in/00000.png", "--maps", "link"],
        ["complete", "{grey}", "in/00000.png", "--out", "in"],
        ["complete", "{grey}", "in/grid.png", "--out", "link"],
        ["complete", "{grey}", "good.png", "--mask", "in/00003.png", "--out", "in"],
        ["compress", "in/00000.png", "in/00000.png", "--model", "{grey}"],
        ["compress", "in", "link/00003.png", "--model", "{grey}"],
        ["decompress", "all/00001.png", "--model", "{grey}", "--out", "all"],
    ],
)
def test_no_command_writes_over_what_it_reads(arguments, grey, capsys):
    for name in ("00000.png", "00003.png", "grid.png"):
        Path("in").mkdir(exist_ok=True)
        Image.new("L", SHAPE[1::-1], 255).save(Path("in", name))
    Path("link").symlink_to("in")
    run("compress", "in", "all/00001.png", "--model", grey)
    before = contents()
    code, text = fails(capsys, *(argument.format(grey=grey) for argument in arguments))
    assert code == 2
    assert "would write over" in text
    assert contents() == before


def test_each_map_has_a_name_of_its_own(grey):
    for path in ("a/x-2.png", "b/x.png", "c/x.png", "c/x-1.png", "d/x.png"):
        Path(path).parent.mkdir(exist_ok=True)
        Image.new("L", SHAPE[1::-1]).save(path)
    run("score", grey, "a", "b", "c", "d", "--maps", "maps")
    assert len(list(Path("maps").iterdir())) == 5


def test_pictures_of_every_format_of_training_are_read(grey):
    """Those that are no PNG or JPEG were left out, by `score` without a word."""
    shape = kp.models.from_preset(str(grey)).image_shape
    pixels = np.random.default_rng(0).integers(0, 256, shape[:2], np.uint8)
    Path("all").mkdir()
    for suffix in ("png", "bmp", "tif", "pgm", "webp"):
        Image.fromarray(pixels).save(f"all/a.{suffix}", lossless=True)
    result = CliRunner().invoke(cli.pixelrnn, ["score", grey, "all"])
    rows = [line.split(",") for line in result.stdout.splitlines()[1:]]
    assert len(rows) == 5
    assert len({nats for _, nats, *_ in rows}) == 1
