"""What the numbers of pictures mean to commands: what they meant in training."""

import functools
import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import cli, visualize
from keras_pixelrnn.cli import numbers
from keras_pixelrnn.data.values import Values
from tests.commands import fails, run
from tests.conformance import randomised

D = kp.distributions
FILES = {"background": None}
# Head, what the numbers meant in training, most of the stored ones and what is read of them.
CASES = {
    "12 bits": (D.DiscretizedLogisticMixture(4096, 1), ("intensities", 0, 4095, 4096), 4095, 1),
    "coarse": (D.Categorical(64), ("intensities", 0, 4095, 64), 4095, 64),
    "dark": (D.Categorical(101), ("intensities", 0, 100, 101), 100, 1),
    "integers": (D.Categorical(17), ("integers", 0, 16, 17), 16, 1),
    "binary": (D.Bernoulli(), ("binary", 0, 1, 2), 1, 1),
    "codes": (D.Categorical(9, embedded=True, embedding_size=2), ("codes", 0, 8, 9), 8, 1),
}


def preset(folder, head, numbers, files=FILES, channels=1):
    """A model whose training had numbers of that meaning, range and levels."""
    model = randomised(kp.models.PixelCNN((3, 5, channels), head, units=channels, num_blocks=1))
    values = {**Values(*numbers).described(), "files": files}
    model.save_to_preset(folder, {"training": {"values": values}})
    return model


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    head, told, most, step = CASES[request.param]
    folder = tmp_path_factory.mktemp("models") / "model"
    return str(folder), preset(folder, head, told), most, step


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
    form = numbers.of(name, model)
    Image.fromarray(stored).save("stored.png")
    image = form.read("stored.png", (3, 5))
    np.testing.assert_array_equal(image[..., 0], stored // step)
    assert image.dtype == model.distribution.dtype
    picture = form.picture(image)
    assert picture.mode == {1: "1", 4095: "I;16"}.get(most, "L")
    picture.save("drawn.png")
    assert np.asarray(picture).max() == most
    again = form.read("drawn.png", (3, 5))
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
    form = numbers.Numbers(9, 1, Values("codes", 0, 8, 9))
    found = form.read("palette.png", (3, 5))  # nothing is said of colour
    np.testing.assert_array_equal(found.ravel(), np.arange(15) % 9)


def test_pictures_of_fewer_bits_are_no_dark_ones(tmp_path, capsys):
    preset("deep", *CASES["12 bits"][:2])
    Image.new("L", (5, 3), 200).save("grey.png")
    assert "grey.png of uint8" in fails(capsys, "score", "deep", "grey.png")[1]


def test_numbers_that_are_cut_to_fewer_levels_are_told(capsys):
    """Of a model that does not say what its pictures held: 12 bits would be nearly black."""
    scan = np.arange(15, dtype=np.uint16).reshape(3, 5, 1)
    Image.fromarray(scan[..., 0]).save("scan.png")
    visualize.to_picture(scan, 4096).save("drawn.png")
    turned = Image.Exif()
    turned[0x0112] = 3  # by 180 degrees
    Image.open("drawn.png").save("turned.png", exif=turned)
    for path, told in (("drawn.png", False), ("turned.png", False), ("scan.png", True)):
        with click.Context(cli.pixelrnn):
            numbers.Numbers(4096, 1).read(path, (3, 5))
        said = capsys.readouterr().err
        assert ("16 bits: read as 0 .. 65535, quantised to 4096 levels" in said) == told


def test_intensities_are_not_taken_for_codes(capsys):
    head = D.Categorical(9, embedded=True, embedding_size=2)
    kp.models.PixelCNN((3, 5, 1), head, units=2, num_blocks=1).save_to_preset("codes")
    Path("grey").mkdir()
    for number in range(4):
        Image.new("L", (5, 3), 60 * number).save(f"grey/{number}.png")
    assert "Codes must lie in 0 .. 8" in fails(capsys, "evaluate", "codes", "--dataset", "grey")[1]
    kp.data.pack(kp.data.load("grey", image_size=(3, 5), channels=1), "grey.npz")
    code, text = fails(capsys, "evaluate", "codes", "--dataset", "grey.npz")
    assert (code, "quantised as intensities: say --values codes" in text) == (2, True)


def test_codes_that_pictures_cannot_hold_are_drawn_as_npz(capsys):
    head = D.Categorical(300, embedded=True, embedding_size=2)
    kp.models.PixelCNN((3, 5, 2), head, units=2, num_blocks=1).save_to_preset("codes")
    code, text = fails(capsys, "sample", "codes", "-n", 1)
    assert (code, "--npz" in text, Path("samples").exists()) == (2, True, False)


def test_colour_of_more_than_8_bits_is_shown_and_not_coded(capsys):
    preset("deep", D.Categorical(4), ("intensities", 0, 4095, 4), channels=3)
    Image.new("RGB", (5, 3)).save("black.png")
    done = CliRunner().invoke(cli.pixelrnn, ["sample", "deep", "-n", "1"])
    assert "shown with 8 bits; to have the values pass --npz" in done.stderr
    assert Image.open("samples/00000.png").mode == "RGB"
    pytest.importorskip("constriction")
    code, text = fails(capsys, "compress", "black.png", "some.kpz", "--model", "deep")
    assert (code, "go to 4095: code them from Python" in text) == (2, True)


def test_transparent_pixels_lie_on_the_colour_of_the_training():
    files = {"background": [255, 128, 0]}
    model = preset("clear", D.Categorical(256), ("intensities", 0, 255, 256), files, channels=3)
    Image.new("RGBA", (5, 3), (9, 9, 9, 0)).save("clear.png")
    found = numbers.of("clear", model).read("clear.png", (3, 5))
    np.testing.assert_array_equal(found, np.full((3, 5, 3), (255, 128, 0)))


def test_arrays_of_more_than_8_bits_are_pictures_of_the_same_numbers():
    """Those of fewer are spread, as nobody sees 0 .. 7; a picture that may be of the others is told."""
    for most, read in ((1000, [[0, 1000]]), (7, [[0, 0]])):
        head = D.DiscretizedLogisticMixture(most + 1, 1)
        model = preset("model", head, ("integers", 0, most, most + 1), None)
        stored = np.array([[0, most]], np.uint16 if most > 255 else np.uint8)
        Image.fromarray(stored).save("stored.png")
        with click.Context(cli.pixelrnn):
            found = numbers.of("model", model).read("stored.png", (1, 2))
        np.testing.assert_array_equal(found[..., 0], read)


@pytest.mark.parametrize("known", [True, False])
def test_numbers_that_could_be_those_of_the_training_are_told(known, capsys):
    model = preset("model", D.Categorical(8), ("integers", 0, 7, 8), None)
    if not known:
        model.save_to_preset("model")
    form = numbers.of("model", model)
    for values, told in (([0], 0), ([7], 1), ([8], 0), ([1, 2], 1)):
        with click.Context(cli.pixelrnn):
            for value in values:
                Image.new("L", (5, 3), value).save("grey.png")
                form.read("grey.png", (3, 5))
        said = capsys.readouterr().err
        assert said.count("no number above 7: read as 0 .. 255") == said.count("\n") == told
    palette = Image.new("P", (5, 3), 7)  # an index, not a number
    palette.putpalette([200] * 768)
    palette.save("palette.png")
    with click.Context(cli.pixelrnn):
        assert (form.read("palette.png", (3, 5)) == 6).all()
    assert not capsys.readouterr().err


@pytest.mark.parametrize("most", [1, 8])
def test_exact_numbers_come_back_in_any_depth(most):
    """Zeros and ones in 8 bits, codes in 16: the values are what is kept."""
    pytest.importorskip("constriction")
    head = D.Categorical(most + 1, embedded=True, embedding_size=2) if most > 1 else D.Bernoulli()
    meaning = "codes" if most > 1 else "binary"
    preset("model", head, (meaning, 0, most, most + 1))
    stored = some_numbers(most).astype(np.uint16 if most > 1 else np.uint8)
    Image.fromarray(stored).save("stored.png")
    run("compress", "stored.png", "some.kpz", "--model", "model")
    run("decompress", "some.kpz", "--model", "model")
    np.testing.assert_array_equal(np.asarray(Image.open("images/00000.png")), stored)


DAMAGED = [
    *(3, {}, {"range": "ab"}, {"range": [0, "x"]}, {"levels": "9"}, {"levels": 1}, {"meaning": 7}),
    *({"files": 3}, {"files": {"background": "no colour"}}, {"range": [5, 5]}, {"range": None}),
    *({"range": [0, np.inf]}, {"range": [False, True]}, {"meaning": "bogus"}, {"levels": 8}),
    *({"meaning": "binary"}, {"meaning": "spins"}),
]


def test_what_is_not_what_a_training_writes_is_named(capsys):
    preset("model", D.Categorical(9), ("intensities", 0, 255, 9))
    Image.new("L", (5, 3)).save("grey.png")
    facts = json.loads(Path("model/preset.json").read_text())
    kept = facts["training"]["values"]
    for wrong in DAMAGED:
        facts["training"]["values"] = {**kept, **wrong} if wrong and wrong != 3 else wrong
        Path("model/preset.json").write_text(json.dumps(facts))
        code, text = fails(capsys, "score", "model", "grey.png")
        assert (code, "model/preset.json is damaged" in text) == (1, True), wrong


def test_floats_are_not_the_integers_of_a_training(capsys):
    """Those of 0 .. 1 were black scans of 12 bits; of a training on floats they are the same numbers."""
    Image.fromarray(np.full((3, 5), 0.5, np.float32)).save("float.tif")
    preset("model", *CASES["12 bits"][:2])
    code, text = fails(capsys, "score", "model", "float.tif")
    assert (code, "float.tif of float32" in text) == (1, True)
    model = preset("model", D.Categorical(5), ("intensities", 0.0, 4.0, 5))
    assert (numbers.of("model", model).read("float.tif", (3, 5)) == 0).all()


@pytest.mark.parametrize("told", [("spins", -1, 1, 2), ("intensities", 0.0, 1.0, 2)])
def test_numbers_that_pictures_of_8_bits_do_not_hold_are_spread(told, capsys):
    model = preset("model", D.Bernoulli(), told)
    form = numbers.of("model", model)
    image = np.random.default_rng(0).integers(0, 2, (3, 5, 1)).astype(np.uint8)
    form.picture(image).save("drawn.png")
    np.testing.assert_array_equal(form.read("drawn.png", (3, 5)), image)
    assert np.asarray(form.picture(image)).max() == 255
    Image.fromarray(image[..., 0].astype(np.float32)).save("float.tif")
    assert "as values" in fails(capsys, "score", "model", "float.tif")[1]


@pytest.mark.slow
def test_a_packed_folder_means_to_commands_what_the_folder_does(tmp_path):
    """All the way: files, pack, training, pictures; also by its .keras file."""
    Path("scans").mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        scan = rng.integers(0, 4096, (3, 5)).astype(np.uint16)
        Image.fromarray(scan).save(f"scans/{number:02}.png")
    said = ["--value-range", 0, 4095, "--levels", 16]
    files = ["--image-size", "3x5", "--channels", 1]
    run("data", "pack", "scans", "scans.npz", *said, *files)
    small = ["--model", "pixelcnn", "--units", 2, "--num-blocks", 1]
    small += ["--epochs", 1, "--batch-size", 3]
    run("train", "--dataset", "scans", *said, *files, *small, "--output", "a")
    run("train", "--dataset", "scans.npz", *small, "--output", "b")
    for name in ("a", "b", "b/model.keras"):
        form = numbers.of(name, kp.models.from_preset(name))
        found = form.read("scans/00.png", (3, 5))[..., 0]
        np.testing.assert_array_equal(found, np.asarray(Image.open("scans/00.png")) // 256)


@pytest.mark.parametrize("meaning", ["integers", "codes", "binary"])
def test_a_packed_file_is_told_what_its_source_cannot_say(meaning):
    stored = np.random.default_rng(0).integers(0, 2, (9, 3, 5, 1))
    np.save("stored.npy", stored)
    levels = [] if meaning == "binary" else ["--levels", 7]
    run("data", "pack", "stored.npy", "packed.npz", "--values", meaning, *levels)
    found = kp.data.load("packed.npz")
    assert (found.values.meaning, found.levels) == (meaning, 7 if levels else 2)
    read = next(iter(found.evaluation("train", 7)))
    np.testing.assert_array_equal(np.asarray(read), stored[:7])
