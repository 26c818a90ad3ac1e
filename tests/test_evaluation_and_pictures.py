"""Whole data sets, and pictures."""

import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp
from tests.conformance import MODELS, random_images


def test_evaluate_counts_every_image_once(model_of):
    model = model_of(MODELS[2])
    images = random_images(model, 11)
    nats = -model.log_prob(images).astype(np.float64)
    found = kp.evaluation.evaluate(model, [images[:4], images[4:8], images[8:]])
    assert found.images == 11
    assert found.nats == pytest.approx(nats.mean(), rel=1e-6)
    assert found.standard_error == pytest.approx(nats.std(ddof=1) / np.sqrt(11), rel=1e-5)
    assert found.bits_per_dim == pytest.approx(nats.mean() / np.log(2) / 35, rel=1e-6)
    assert kp.evaluation.evaluate(model, images).nats == pytest.approx(found.nats, rel=1e-6)


def test_evaluate_nothing(model_of):
    with pytest.raises(ValueError, match="holds no images"):
        kp.evaluation.evaluate(model_of(MODELS[2]), [])


IMAGES = np.zeros((2, 5, 7, 1), np.uint8)
NATS = -np.ones((1, 5, 7, 1))
NO_MODEL = "`model` must be a PixelModel"
NO_BATCHES = "`batches` must be batches of images"
NO_NATS = "`nats` must be"
REFUSED = {
    "evaluate no model": (lambda model: kp.evaluation.evaluate(3, [IMAGES]), NO_MODEL),
    "completions of no model": (
        lambda model: kp.visualize.completions("digits", IMAGES, IMAGES > 0, seed=0),
        NO_MODEL,
    ),
    "score no model": (lambda model: kp.scores.score({}, IMAGES), NO_MODEL),
    "look ahead of no model": (lambda model: kp.completion.fit_lookahead(None, IMAGES), NO_MODEL),
    "a number of batches": (lambda model: kp.evaluation.evaluate(model, 3), NO_BATCHES),
    "no batches": (lambda model: kp.evaluation.evaluate(model, None), NO_BATCHES),
    "a name": (lambda model: kp.evaluation.evaluate(model, "mnist"), NO_BATCHES),
    "a dict": (lambda model: kp.evaluation.evaluate(model, {"image": IMAGES}), NO_BATCHES),
    "a dict of a batch": (
        lambda model: kp.evaluation.evaluate(model, [{"image": IMAGES}]),
        "A batch of `batches` must be",
    ),
    "weights, which it would leave out": (
        lambda model: kp.evaluation.evaluate(model, [(IMAGES, None, np.ones(2))]),
        "A batch of `batches` must be",
    ),
    "numbers for images": (lambda model: kp.evaluation.evaluate(model, [3]), "This model takes"),
    "words for nats": (lambda model: kp.metrics.bits_per_dim("x", (5, 7, 1)), NO_NATS),
    "a number for a shape": (lambda model: kp.metrics.bits_per_dim(3.0, 35), "`image_shape` must"),
    "an empty shape": (lambda model: kp.metrics.bits_per_dim(3.0, ()), "`image_shape` must"),
    "no draws": (
        lambda model: kp.visualize.completions(model, IMAGES, IMAGES > 0, seed=0, draws=0),
        "`draws` must be",
    ),
    "a map of what is no number": (lambda model: kp.visualize.nats_map(NATS * np.nan), NO_NATS),
    "a map of a vector": (lambda model: kp.visualize.nats_map(np.ones(3)), NO_NATS),
    "a map of none": (lambda model: kp.visualize.nats_map(NATS[:0]), NO_NATS),
    "nothing at the top": (lambda model: kp.visualize.nats_map(NATS, top=0), "`top` must be"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_model_or_data_is_refused_by_name(case, model_of):
    call, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        call(model_of(MODELS[0]))


def test_an_impossible_pixel_is_white_and_leaves_the_others_their_shades():
    nats = np.array([-1.0, -2.0, -np.inf]).reshape(1, 1, 3, 1)
    assert kp.visualize.nats_map(nats)[0, 0, :, 0].tolist() == [128, 255, 255]


def test_grid():
    images = np.stack([np.full((2, 3, 3), n, np.uint8) for n in range(5)])
    picture = kp.visualize.grid(images, columns=3, gap=1, scale=2)
    assert picture.shape == (2 * 5 + 1, 3 * 7 + 1, 3)
    assert (picture[1:5, 1:7] == 0).all()
    assert (picture[6:10, 8:14] == 4).all()
    assert (picture[6:10, 15:] == 255).all()


def test_to_rgb():
    rgb = kp.visualize.to_rgb(np.array([0, 1, 16], np.uint8).reshape(1, 1, 3, 1), 17)
    np.testing.assert_array_equal(rgb[0, 0, :, 0], [0, 16, 255])
    assert kp.visualize.to_rgb(np.zeros((1, 2, 2, 4), np.uint8), 256).shape == (1, 2, 2, 3)


def test_completions_show_what_was_given(model_of):
    model = model_of(MODELS[0])
    images = random_images(model, 2)
    known = np.zeros((5, 7), bool)
    known[:2] = True
    picture = kp.visualize.completions(model, images, known, seed=0, draws=3)
    scale = round(80 / 7)
    height, width = 5 * scale + 2, 7 * scale + 2
    assert picture.shape == (2 * height + 2, 5 * width + 2, 3)
    whole = kp.visualize.to_rgb(images[:1], 2)[0].repeat(scale, 0).repeat(scale, 1)
    np.testing.assert_array_equal(picture[2 : 2 + 5 * scale, 2 : 2 + 7 * scale], whole)
    original = picture[2 : 2 + 2 * scale, 2 : 2 + 7 * scale]
    for column in (1, 2, 4):  # given, and two of the completions
        left = 2 + column * width
        np.testing.assert_array_equal(picture[2 : 2 + 2 * scale, left : left + 7 * scale], original)
    assert (picture[2 + 3 * scale, 2 + width] == kp.visualize.UNKNOWN).all()


def test_film(tmp_path):
    images = np.ones((4, 4, 4, 1), np.uint8)
    kp.visualize.save_film(tmp_path / "film.gif", images, levels=2, frames=9)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 9
        first = np.asarray(film.convert("RGB"))
        film.seek(8)
        last = np.asarray(film.convert("RGB"))
    assert (last == 255).all()
    assert not (first == 255).all()


def test_nats_map():
    nats = np.log(np.array([1.0, 0.5, 0.25])).reshape(1, 1, 3, 1)
    np.testing.assert_array_equal(kp.visualize.nats_map(nats)[0, 0, :, 0], [0, 128, 255])


V, FOUR = kp.visualize, np.zeros((2, 4, 5, 1), np.uint8)
NO_PICTURES = {
    "levels": lambda path: V.to_rgb(FOUR, 1),
    "images": lambda path: V.brightness(FOUR.astype(int) - 1, 4),  # not the brightest
    "images ": lambda path: V.brightness(FOUR + 4, 4),
    "images  ": lambda path: V.grid(V.to_rgb(FOUR[:0], 2)),
    "images   ": lambda path: V.to_rgb(FOUR[0], 2),
    "images    ": lambda path: V.to_rgb(FOUR / 2, 2),
    "image": lambda path: V.to_picture(FOUR, 2),
    "columns": lambda path: V.grid(V.to_rgb(FOUR, 2), columns=0),
    "picture": lambda path: V.save_png(path, np.zeros((4, 5, 3))),
    "path": lambda path: V.save_png(3, np.zeros((4, 5, 3), np.uint8)),
    "frames": lambda path: V.save_film(path, FOUR, 2, frames=0),
    "seconds": lambda path: V.save_film(path, FOUR, 2, seconds=-1),
    "seconds ": lambda path: V.save_film(path, FOUR, 2, seconds=1e9),
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_refused_by_name(name, tmp_path):
    with pytest.raises(ValueError, match=f"`{name.strip()}` must"):
        NO_PICTURES[name](tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
