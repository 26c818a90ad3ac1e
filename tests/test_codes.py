"""Codes without order among them: embedded, never scaled."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import keras_pixelrnn as kp
from keras_pixelrnn import raster
from keras_pixelrnn.serving import check
from keras_pixelrnn.training.making import make_model
from tests.conformance import randomised

D = kp.distributions


def coded(levels, shape=(3, 4, 1), cls=kp.models.GatedPixelCNN, **options):
    head = D.Categorical(levels, embedded=True, embedding_size=4)
    sizes = {"units": 4, "num_blocks": 1, "kernel_size": 3}
    return cls(shape, head, **sizes, **options)


@pytest.fixture(scope="module", params=[pytest.param(512, marks=pytest.mark.slow), 8192])
def model(request):
    return coded(request.param, num_classes=3)


def codes_of(model, count=4):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, model.distribution.levels, (count, *model.image_shape))
    codes.reshape(-1)[:2] = 0, model.distribution.levels - 1
    return codes.astype(np.uint16)


def test_fit_score_draw_and_complete(model, tmp_path):
    codes, labels = codes_of(model), np.arange(4) % 3
    model.compile(keras.optimizers.Adam(0.05))
    before = np.asarray(model.network.table).copy()
    model.fit(tf.data.Dataset.from_tensor_slices((codes, labels)).batch(4), verbose=0)
    moved = (np.asarray(model.network.table) != before).any(axis=1)
    assert moved[np.unique(codes)].mean() > 0.5
    nats = model.log_prob(codes, context=labels)
    given = model.context.map(tf.constant(labels))
    streamed = raster.score(model.network, model.distribution, codes, given)
    np.testing.assert_allclose(np.sum(streamed, axis=(1, 2, 3)), nats, rtol=1e-6)
    known = np.zeros(model.image_shape[:2], bool)
    known[:2] = True
    drawn = model.complete(codes, known, seed=0, context=labels)
    np.testing.assert_array_equal(drawn[:, :2], codes[:, :2])
    assert drawn[:, 2:].max() > 255
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.log_prob(codes, context=labels), nats)
    assert again.distribution.embedding_size == 4


@pytest.mark.slow
def test_sample_by_the_c_session(model, tmp_path):
    path = kp.export.save_for_serving(model, tmp_path)
    seeds, labels = np.array([3, 4], np.int64), np.array([0, 2], np.int32)
    assert check.check(path) == []  # every signature, XLA off
    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    described = saved.meta_graphs[0].signature_def

    def run(name, inputs, outputs):
        return check.c_api(path, described, [(name, inputs, outputs)])[0][0]

    image, drawn = run("sample", {"seed": seeds, "label": labels}, ["image", "log_prob"])
    assert image.dtype == np.uint16
    assert image.max() > 255
    (scored,) = run("log_prob", {"image": image, "label": labels}, ["log_prob"])
    np.testing.assert_allclose(scored, drawn, rtol=1e-5)
    image[0, 0, 0, 0] = 65535  # no code: its row alone is marked
    (marked,) = run("log_prob", {"image": image, "label": labels}, ["log_prob"])
    assert np.isneginf(marked[0])
    np.testing.assert_allclose(marked[1], drawn[1], rtol=1e-5)


def test_a_preset_and_particles(model, tmp_path):
    codes, labels = codes_of(model, 2), np.array([1, 2])
    model.save_to_preset(tmp_path / "prior")
    again = kp.models.from_preset(tmp_path / "prior")
    assert again.distribution.embedded
    known = np.ones(model.image_shape[:2], bool)
    known[0, :2] = False  # the later ones act back
    options = {"seed": 0, "context": labels, "method": "smc", "n_particles": 3}
    found = again.complete(codes, known, **options)
    np.testing.assert_array_equal(found.images[:, known], codes[:, known])
    assert found.images.dtype == np.uint16
    np.testing.assert_allclose(
        found.log_prob, model.log_prob(found.images, context=labels), rtol=1e-5
    )


def test_a_training_on_codes_embeds_them():
    codes = np.arange(600).reshape(30, 4, 5, 1) % 512
    for dtype in (np.uint16, np.int64):
        data = kp.data.from_array(codes.astype(dtype), values="codes", levels=512)
        sizes = {"units": 4, "num_blocks": 1, "dropout": 0.0}
        head = make_model(kp.training.Settings(model="pixelcnn", **sizes), data).distribution
        assert (head.levels, head.embedded) == (512, True)
    ordered = kp.data.from_array(codes, values="integers", levels=512)
    named = kp.training.Settings(model="pixelcnn", distribution="categorical", **sizes)
    assert not make_model(named, ordered).distribution.embedded
    assert make_model(named, data).distribution.embedded
    preset = kp.training.Settings(preset="pixelcnn_small_cifar10")
    assert make_model(preset, data).distribution.embedded
    for wrong in ("logistic", "bernoulli"):
        with pytest.raises(ValueError, match=f"no order.*distribution='{wrong}'"):
            make_model(kp.training.Settings(distribution=wrong), data)


def test_probabilities_add_up():
    """Over all images of 1x2 with two channels of 4 codes: 256 of them."""
    model = randomised(coded(4, (1, 2, 2)), scale=1.0)
    images = np.stack(np.unravel_index(np.arange(256), (4,) * 4), axis=-1).reshape(-1, 1, 2, 2)
    assert np.exp(model.log_prob(images).astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)


def test_no_order_among_codes():
    """A permutation of the codes, with rows of the table permuted, is the same input."""
    model = randomised(coded(6))
    codes = codes_of(model).astype(np.int64) % 6
    order = np.array([3, 0, 5, 1, 4, 2])
    before = model.params(codes.astype(np.uint8))
    model.network.table.assign(np.asarray(model.network.table)[np.argsort(order)])
    np.testing.assert_allclose(model.params(order[codes].astype(np.uint8)), before, atol=1e-6)


def test_codes_under_bfloat16():
    """Neighbouring codes stay different: 8191 and 8190 are one number in bfloat16."""
    model = randomised(coded(8192, dtype="mixed_bfloat16"))
    codes = np.full((2, 3, 4, 1), 8191, np.uint16)
    codes[1, 0, 0] = 8190
    params = model.params(codes)
    assert np.abs(params[0] - params[1]).max() > 1e-3


def test_codes_given_codes():
    """A hierarchy: the context of the bottom codes is a map of the top codes, embedded by the user."""
    model = coded(7, (4, 4, 1), context_shape=(4, 4, 5))
    table = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    top = np.array([[[0, 8], [3, 4]]])
    told = table[top.repeat(2, axis=1).repeat(2, axis=2)]
    other = table[(8 - top).repeat(2, axis=1).repeat(2, axis=2)]
    codes = codes_of(model)
    assert model.sample(2, seed=0, context=told[0]).shape == (2, 4, 4, 1)
    nats = model.log_prob(codes, context=told[0])
    assert (nats != model.log_prob(codes, context=other[0])).all()


def test_a_lookahead_refuses_codes():
    from keras_pixelrnn.completion.lookahead import Lookahead

    with pytest.raises(ValueError, match="ordered values"):
        Lookahead((3, 4, 1), D.Categorical(7, embedded=True))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda codes: codes / 7, "must be codes, integers in 0 .. 6.*Received: dtype float64"),
        (lambda codes: codes > 3, "must be codes, integers in 0 .. 6.*Received: dtype bool"),
        (
            lambda codes: codes - 1,
            "as many levels as there are codes. Received: values from -1 to 5",
        ),
        (
            lambda codes: codes + 1,
            "as many levels as there are codes. Received: values from 1 to 7",
        ),
    ],
)
def test_nobody_is_told_to_quantise_codes(change, text):
    """It would make others of them: they have no order."""
    model = coded(7)
    codes = np.resize(np.arange(7), (2, *model.image_shape))
    for call in (model, model.log_prob, model.fit, model.predict):
        with pytest.raises(ValueError, match=text) as raised:
            call(change(codes))
        assert "uantise" not in str(raised.value)


@pytest.mark.parametrize("wrong", [{"embedded": 1}, {"embedded": True, "embedding_size": 0}])
def test_bad_arguments(wrong):
    with pytest.raises(ValueError, match="Received"):
        D.Categorical(7, **wrong)


def test_what_is_not_embedded_has_no_embedding_size():
    with pytest.raises(ValueError, match=r"Pass embedded=True.*Received: embedding_size=4"):
        D.Categorical(8, embedding_size=4)
    assert D.Categorical(8, embedded=True).embedding_size == 32
