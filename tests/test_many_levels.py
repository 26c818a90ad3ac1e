"""More than 256 levels: images of uint16 in, out and in pictures, of int32 in an exported model."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import raster, visualize
from keras_pixelrnn.serving.signatures import png_bytes
from keras_pixelrnn.training.making import make_model

D = kp.distributions
HEADS = [D.Categorical(300), D.DiscretizedLogisticMixture(65536), D.DiscretizedNormalMixture(4096)]


@pytest.fixture(
    scope="module", params=[pytest.param(HEADS[0], marks=pytest.mark.slow), HEADS[1]], ids=repr
)
def model(request):
    return kp.models.PixelCNN((3, 4, 1), request.param, units=4, num_blocks=1, kernel_size=3)


def images_of(model, count=4):
    rng = np.random.default_rng(0)
    images = rng.integers(0, model.distribution.levels, (count, *model.image_shape))
    images.reshape(-1)[:2] = 0, model.distribution.levels - 1
    return images.astype(np.uint16)


def test_fit_score_draw_and_complete(model):
    images = images_of(model)
    model.compile("adam")
    model.fit(images, verbose=0)
    nats = model.log_prob(images)
    scored = raster.score(model.network, model.distribution, images)
    np.testing.assert_allclose(np.sum(scored, axis=(1, 2, 3)), nats, rtol=1e-5)
    drawn = model.sample(32, seed=0)
    assert drawn.dtype == np.uint16
    assert 255 < drawn.max() < model.distribution.levels
    known = np.zeros(model.image_shape[:2], bool)
    known[:2] = True
    completed = model.complete(images, known, seed=0)
    assert completed.dtype == np.uint16
    np.testing.assert_array_equal(completed[:, :2], images[:, :2])
    completion = model.complete(images, known, seed=0, method="smc", n_particles=4)
    assert completion.images.dtype == np.uint16
    np.testing.assert_array_equal(completion.images[:, :2], images[:, :2])
    with pytest.raises(ValueError, match="values from"):
        model.log_prob(images.astype(np.int32) + model.distribution.levels)


def test_export(model, tmp_path):
    path = kp.export.save_for_serving(model, tmp_path)
    signatures = tf.saved_model.load(path).signatures
    seeds = np.array([3, 4], np.int64)
    drawn = signatures["sample"](seed=tf.constant(seeds))
    # Names of dtypes that TensorFlow Serving reads from JSON and writes to it.
    assert drawn["image"].dtype == tf.int32
    scored = signatures["log_prob"](image=drawn["image"])["log_prob"]
    np.testing.assert_allclose(scored, drawn["log_prob"], rtol=1e-5)
    levels, given = model.distribution.levels, drawn["image"].numpy()
    given[0, 0, 0], given[1, 0, 0] = -1, levels
    assert np.isneginf(signatures["log_prob"](image=tf.constant(given))["log_prob"]).all()
    nats = signatures["nats_map"](image=tf.constant(given))["nats"].numpy()
    assert np.isneginf(nats).sum() == np.isneginf(nats[:, 0, 0]).sum() == 2
    known = np.ones(given.shape, bool)
    known[0, 0, 0] = False  # what is hidden may be anything
    told = {"image": tf.constant(given), "known": tf.constant(known), "seed": tf.constant(seeds)}
    completed = signatures["complete"](**told)
    assert np.isneginf(completed["log_prob"]).tolist() == [False, True]
    np.testing.assert_array_equal(completed["image"][0][known[0]], given[0][known[0]])
    png = tf.io.decode_png(drawn["png_bytes"][0], dtype=tf.uint16).numpy()
    np.testing.assert_array_equal(png.astype(np.int64) * levels // 65536, drawn["image"][0])


@pytest.mark.parametrize(
    "head",
    [D.Categorical(100), D.Categorical(60_000), D.Categorical(9, embedded=True), D.Bernoulli()],
    ids=repr,
)
def test_pictures_of_an_export_are_those_of_the_command(head):
    """They came back a level off, where rounding leaves the step that is quantised to a value."""
    image = np.arange(head.levels).reshape(1, -1, head.levels // 100 or 1, 1)
    (png,) = png_bytes(tf.constant(image.astype(head.dtype)), head)
    found = tf.io.decode_png(png, dtype=head.dtype).numpy()
    coded = head.embedding_size is not None
    shown = image[0] if coded else np.asarray(visualize.to_picture(image[0], head.levels))
    np.testing.assert_array_equal(found[..., 0], shown.reshape(image.shape[1:3]))


@pytest.mark.parametrize("head", HEADS, ids=repr)
def test_probabilities_add_up_and_draws_follow_them(head):
    rng = np.random.default_rng(0)
    params = rng.normal(size=(1, head.params_size(1))).astype(np.float32)
    log_pmf = np.asarray(head.log_pmf(params, np.zeros((1, 1), np.float32), 0), np.float64)[0]
    assert np.exp(log_pmf).sum() == pytest.approx(1.0, abs=1e-4)
    image = np.arange(head.levels).reshape(1, 1, -1, 1)
    wide = np.broadcast_to(params, (1, 1, head.levels, params.shape[-1]))
    np.testing.assert_allclose(
        np.asarray(head.log_prob(wide, image)).ravel(), log_pmf, rtol=1e-4, atol=1e-4
    )
    u = np.concatenate([[0.0, 1.0 - 2.0**-24], rng.random(1000)]).astype(np.float32)
    many = np.broadcast_to(params, (len(u), params.shape[-1]))
    drawn = np.asarray(head.draw(many, np.zeros((len(u), 1), np.float32), 0, u)).astype(int)
    cdf = np.concatenate([[0.0], np.cumsum(np.exp(log_pmf))]) / np.exp(log_pmf).sum()
    assert (cdf[drawn] <= u + 1e-5).all()
    assert (cdf[drawn + 1] >= u - 1e-5).all()


def test_narrow_peaks_of_many_levels():
    """A component can be as narrow beside the step of 65,536 levels as beside that of 256."""
    peaks = []
    for levels in (256, 65536):
        head = D.DiscretizedLogisticMixture(levels, num_mixtures=1)
        params = np.array([[0.0, 1.0 / (levels - 1), -30.0]], np.float32)  # on a level, narrowest
        peaks.append(float(np.max(head.log_pmf(params, np.zeros((1, 1), np.float32), 0))))
    assert peaks[0] > -0.1
    assert peaks[1] == pytest.approx(peaks[0], abs=0.02)


@pytest.mark.parametrize(
    ("channels", "head"),
    [
        (1, D.Categorical(65536)),
        (3, D.Categorical(8192, embedded=True, embedding_size=2)),
        (4, D.Categorical(65536, embedded=True, embedding_size=1)),
    ],
    ids=repr,
)
def test_a_network_has_a_logit_for_every_level_of_every_channel(channels, head):
    """Wider than any hidden map may be."""
    sizes = {"units": 4, "num_blocks": 1, "kernel_size": 3}
    for make in (kp.models.PixelCNN, kp.models.GatedPixelCNN):
        model = make((1, 2, channels), head, **sizes)
        image = np.full((1, 1, 2, channels), head.levels - 1, np.uint16)
        nats = np.asarray(model.log_prob_graph(image))
        np.testing.assert_allclose(nats, -2 * channels * np.log(head.levels), rtol=0.05)


def test_a_training_on_many_ordered_levels_has_a_mixture():
    """A logit for each would be gigabytes for a batch of scans."""
    scans = np.arange(60, dtype=np.uint16).reshape(3, 4, 5, 1)
    sizes = {"model": "pixelcnn", "units": 4, "num_blocks": 1, "dropout": 0.0}
    for levels, name, expected in (
        (65536, None, D.DiscretizedLogisticMixture),
        (257, None, D.DiscretizedLogisticMixture),
        (256, None, D.Categorical),
        (257, "categorical", D.Categorical),
    ):
        data = kp.data.from_array(scans, value_range=(0, 65535), levels=levels)
        settings = kp.training.Settings(distribution=name, **sizes)
        assert type(make_model(settings, data).distribution) is expected


@pytest.mark.parametrize("levels", [257, 4096, 65535, 65536])
def test_grey_pictures_have_16_bits(levels, tmp_path):
    image = np.resize(np.arange(levels), (256, 256, 1)).astype(np.uint16)
    visualize.to_picture(image, levels).save(tmp_path / "image.png")
    with Image.open(tmp_path / "image.png") as picture:
        found = visualize.to_values(picture, image.shape, levels)
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, image)
        with pytest.raises(ValueError, match="beyond 256 levels, 16 bits"):
            visualize.to_values(picture.convert("L"), image.shape, levels)
