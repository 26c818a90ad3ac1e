"""What would be stretched, cut or shown otherwise than it is, and what no machine or server could hold,
is refused by name."""

import keras
import numpy as np
import pytest
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import checks
from keras_pixelrnn.scores.restore import restore
from keras_pixelrnn.serving import check, export
from tests.conformance import QUICK

GREY = Image.new("L", (4, 4), 255)
CLEAR = Image.new("RGBA", (4, 4))
RGB = np.zeros((2, 4, 4, 3), np.uint8)
visualize = kp.visualize


@pytest.mark.parametrize(
    ("true", "predicted", "name"),
    [
        ((2, 4, 5, 1), (1, 4, 5, 1), "y_pred"),
        ((1, 4, 5, 1), (2, 4, 5, 1), "y_pred"),
        ((2, 4, 5, 1), (2, 4, 5, 3), "y_pred"),
        ((2, 4, 5, 1), (2, 1, 1, 1), "y_pred"),
        ((4, 5, 1), (4, 5, 1), "y_true"),
    ],
)
def test_images_and_parameters_that_do_not_belong_together(true, predicted, name):
    head = kp.distributions.Bernoulli()
    true, predicted = np.zeros(true, np.float32), np.zeros(predicted, np.float32)
    with pytest.raises(ValueError, match=f"`{name}` must have the shape"):
        kp.losses.NegativeLogLikelihood(head).call(true, predicted)
    for metric in (kp.metrics.NatsPerImage(head), kp.metrics.BitsPerDimension(head)):
        with pytest.raises(ValueError, match=f"`{name}` must have the shape"):
            metric.update_state(true, predicted)


REFUSED = {
    "no levels": (lambda: visualize.to_values(GREY, (4, 4, 1), 0), "`levels`"),
    "levels below none": (lambda: visualize.to_values(GREY, (4, 4, 1), -3), "`levels`"),
    "half a level": (lambda: visualize.to_values(GREY, (4, 4, 1), 2.5), "`levels`"),
    "no channels": (lambda: visualize.to_values(GREY, (4, 4), 2), "`image_shape`"),
    "five channels": (lambda: visualize.to_values(GREY, (4, 4, 5), 2), "`image_shape`"),
    "no picture": (lambda: visualize.to_values(3, (4, 4, 1), 2), "`picture`"),
    "half a colour": (
        lambda: visualize.to_values(CLEAR, (4, 4, 3), 256, background=(1, 2)),
        "[Bb]ackground must be the name of a colour",
    ),
    "a colour below black": (
        lambda: visualize.to_values(CLEAR, (4, 4, 3), 256, background=(1, 2, -900)),
        "[Bb]ackground must be the name of a colour",
    ),
    "alpha in a grid": (lambda: visualize.grid(np.zeros((2, 4, 4, 4), np.uint8)), "`images`"),
    "gaps": (lambda: visualize.grid(RGB, gap=10**7), "pixels at most"),
    "scale": (lambda: visualize.grid(RGB, scale=10**7), "pixels at most"),
    "columns": (lambda: visualize.grid(RGB, columns=10**12), "`columns`"),
    "nothing": (lambda: visualize.save_png("x.png", np.zeros((0, 4, 3), np.uint8)), "`picture`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_pictures(case):
    call, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        call()


def test_a_colour_may_be_named():
    assert visualize.to_values(CLEAR, (4, 4, 3), 256, background="white").min() == 255


def test_restore(model_of):
    model = model_of(QUICK)
    images = np.zeros((1, *model.image_shape), np.uint8)
    for words, options in [
        ("`nats_threshold`", {"nats_threshold": True}),
        ("`margin`", {"nats_threshold": 1.0, "margin": 10**9}),
    ]:
        with pytest.raises(ValueError, match=words):
            restore(model, images, seed=0, **options)
    with pytest.raises(ValueError, match="`model` must be a PixelModel"):
        restore(3, images, seed=0, nats_threshold=1.0)


def test_exports(model_of, tmp_path):
    for version in (2**63, 0, True, 1.0, "1"):
        with pytest.raises(ValueError, match="`version` must be"):
            export.save_for_serving(model_of(QUICK), tmp_path, version)
    for other in (None, keras.Sequential([keras.layers.Dense(1)])):
        with pytest.raises(ValueError, match="`model` must be a PixelModel"):
            export.save_for_serving(other, tmp_path)
    for content in (b"", b"garbage" * 10):
        (tmp_path / "saved_model.pb").write_bytes(content)
        (problem,) = check.check(tmp_path)
        assert "saved_model.pb is damaged" in problem
    with pytest.raises(ValueError, match="`path` must be a path"):
        check.check(None)


def test_completion_names_wrong_images_before_a_mask_that_fits():
    head = kp.distributions.Bernoulli()
    model = kp.models.PixelCNN((4, 5, 1), head, units=2, num_blocks=1, kernel_size=3)
    for shape in ((2, 1, 4, 5), (2, 4, 6, 1)):
        with pytest.raises(ValueError, match="This model takes `images` of shape"):
            model.complete(np.zeros(shape, np.uint8), np.ones((4, 5), bool), seed=0)


def test_a_mask_that_could_mean_two_things():
    mask = np.eye(3, dtype=bool)[None].repeat(3, 0)
    with pytest.raises(
        ValueError, match=r"`known` could be .* for each image or .* for each channel"
    ):
        checks.known(mask, (3, 3, 3, 3))
    assert checks.known(mask, (2, 3, 3, 3)).shape == (2, 3, 3, 3)
    assert checks.known(mask, (3, 3, 3, 1)).shape == (3, 3, 3, 1)
