"""Models as a Keras user meets them: training, saving, loading, bad input."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn import layers
from tests.conformance import LAYERS, MODELS, given_of, random_images, randomised

BERNOULLI = kp.distributions.Bernoulli()


def tiny(**options):
    options = {"units": 4, "num_blocks": 1, "head_units": 6, **options}
    return kp.models.PixelRNN((4, 5, 1), BERNOULLI, **options)


def test_fit_on_images_alone():
    model = tiny()
    model.compile(
        "adam",
        loss=kp.losses.NegativeLogLikelihood(BERNOULLI),
        metrics=[kp.metrics.BitsPerDimension(BERNOULLI), kp.metrics.NatsPerImage(BERNOULLI)],
    )
    images = random_images(model, 12)
    dataset = tf.data.Dataset.from_tensor_slices(images)
    for form in [
        {"x": images, "batch_size": 4},
        {"x": images, "y": images, "batch_size": 4},
        {"x": dataset.batch(4)},
    ]:
        logs = model.fit(**form, verbose=0).history
        assert logs["nats"][0] == pytest.approx(logs["loss"][0], rel=1e-5)
        bits = logs["nats"][0] / (20 * np.log(2))
        assert logs["bits_per_dim"][0] == pytest.approx(bits, rel=1e-5)


def test_loss_defaults_to_the_likelihood():
    model = tiny()
    model.compile("adam")
    images = random_images(model, 7)
    loss = model.evaluate(images, batch_size=7, verbose=0)
    assert loss == pytest.approx(-model.log_prob(images).mean(), rel=1e-5)


def test_training_lowers_the_loss_under_xla():
    keras.utils.set_random_seed(0)
    model = tiny(dropout=0.1, skip=True)
    images = np.zeros((32, 4, 5, 1), np.uint8)
    images[:, ::2] = 1
    model.compile(keras.optimizers.Adam(0.02), jit_compile=True)
    history = model.fit(images, batch_size=8, epochs=8, verbose=0)
    assert history.history["loss"][-1] < 0.3 * history.history["loss"][0]


def convolutional(**options):
    return kp.models.PixelCNN((4, 5, 1), BERNOULLI, **options)


@pytest.mark.parametrize("make", [tiny, pytest.param(convolutional, marks=pytest.mark.slow)])
def test_mixed_precision_trains(make):
    keras.utils.set_random_seed(0)
    model = make(units=8, num_blocks=1, dtype="mixed_bfloat16")
    images = random_images(model, 16)
    images[:, ::2] = 1
    model.compile(keras.optimizers.Adam(0.02))
    history = model.fit(images, batch_size=8, epochs=6, verbose=0)
    assert history.history["loss"][-1] < 0.8 * history.history["loss"][0]
    assert str(model(images).dtype).endswith("float32'>") or "float32" in str(model(images).dtype)
    assert {str(w.dtype) for w in model.weights} == {"float32"}
    assert model.sample(2, seed=0).shape == (2, 4, 5, 1)


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_save_and_load(case, model_of, tmp_path):
    model = model_of(case)
    images = random_images(model, 3)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    given = given_of(model, 3)
    found, expected = (x.nats_graph(images, *given) for x in (loaded, model))
    np.testing.assert_array_equal(found, expected)


def test_save_and_load_restores_the_training(tmp_path):
    model = tiny(dropout=0.2)
    model.compile(
        keras.optimizers.Adam(0.01),
        loss=kp.losses.NegativeLogLikelihood(BERNOULLI),
        metrics=[kp.metrics.NatsPerImage(BERNOULLI)],
        run_eagerly=True,
    )
    images = random_images(model, 8)
    model.fit(images, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(images, verbose=0) == pytest.approx(model.evaluate(images, verbose=0))
    for ours, theirs in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


VARIED = {
    "units": 5,
    "num_blocks": 2,
    "head_units": 7,
    "kernel_size": 5,
    "dropout": 0.25,
    "skip": True,
    "dtype": "mixed_bfloat16",
    "name": "mine",
    "learned_initial_state": True,
}


@pytest.mark.parametrize("argument", [*VARIED, "recurrence"])
def test_every_argument_survives_a_reload(argument, tmp_path):
    model = tiny(**{argument: VARIED.get(argument, "row")})
    assert model.get_config() != tiny(name="other").get_config()
    randomised(model).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    images = random_images(model, 2)
    np.testing.assert_array_equal(loaded(images), model(images))


LAYER_ARGUMENTS = {
    layers.MaskedConv2D: (
        {"filters": 8, "kernel_size": 3, "mask_type": "B"},
        {"filters": 12, "kernel_size": (1, 3), "mask_type": "A", "colors": 2, "gates": 4}
        | {"activation": "relu", "use_bias": False},
    ),
    layers.RowLSTM: ({"units": 4}, {"units": 5, "colors": 3, "learned_initial_state": True}),
    layers.DiagonalBiLSTM: ({"units": 4}, {"units": 5, "colors": 3, "learned_initial_state": True}),
    layers.GatedStacks: (
        {"units": 4, "num_blocks": 1},
        {"units": 5, "num_blocks": 2, "colors": 3, "kernel_size": 5, "dropout": 0.5},
    ),
    layers.VerticalConv2D: (
        {"filters": 4, "rows": 2, "columns": 3, "own_row": True},
        {"filters": 5, "rows": 3, "columns": 5, "own_row": False},
    ),
    layers.ResidualBlock: (
        {"inner": layers.RowLSTM(4)},
        {"inner": layers.RowLSTM(5), "colors": 3, "dropout": 0.5, "activation": "relu"},
    ),
    layers.CausalStack: (
        {"layers": [layers.Pointwise("relu")]},
        {"layers": [layers.Pointwise("tanh"), layers.Pointwise("relu")], "skip": True, "colors": 3},
    ),
    layers.Pointwise: ({"activation": "relu"}, {"activation": "tanh"}),
}


@pytest.mark.parametrize("layer", LAYER_ARGUMENTS, ids=lambda layer: layer.__name__)
def test_every_layer_argument_survives_a_reload(layer):
    plain, varied = LAYER_ARGUMENTS[layer]
    for argument, value in varied.items():
        made = layer(**{**plain, argument: value})
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
        assert again.get_config() == made.get_config()
        assert made.get_config()[argument] != layer(**plain).get_config().get(argument), argument


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_in_a_functional_model_reloads(name, tmp_path, rng):
    x = rng.normal(size=(2, 4, 5, 7)).astype(np.float32)
    inputs = keras.Input((4, 5, 7))
    model = randomised(keras.Model(inputs, LAYERS[name](3)(inputs)))
    model.save(tmp_path / "layer.keras")
    loaded = keras.models.load_model(tmp_path / "layer.keras")
    np.testing.assert_array_equal(loaded(x), model(x))


@pytest.mark.slow  # under JAX always: tests/test_backends.py
def test_reload_in_a_fresh_process(model_of, tmp_path):
    model = model_of(MODELS[0])
    images = random_images(model, 2)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, keras, numpy as np, keras_pixelrnn\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "print(*model.log_prob(np.load(sys.argv[2])))\n"
    )
    files = [str(tmp_path / "model.keras"), str(tmp_path / "images.npy")]
    out = subprocess.run(
        [sys.executable, "-c", code, *files], capture_output=True, text=True, check=True
    )
    found = np.array(out.stdout.split(), np.float32)
    np.testing.assert_allclose(found, model.log_prob(images), atol=1e-4)


def test_log_prob_sees_new_weights():
    model = tiny()
    images = random_images(model, 2)
    before = model.log_prob(images)
    randomised(model)
    assert (model.log_prob(images) != before).all()


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((4, 5, 1), np.uint8), "batch, height, width, channels"),
        (np.zeros((2, 4, 5, 3), np.uint8), r"Received: shape \(2, 4, 5, 3\)"),
        (np.zeros((2, 5, 4, 1), np.uint8), r"Received: shape \(2, 5, 4, 1\)"),
        (np.zeros((2, 4, 5, 1), np.float32), "cast to uint8"),
        (np.full((2, 4, 5, 1), 2, np.uint8), "values from 2 to 2"),
        (np.full((2, 4, 5, 1), -1, np.int32), "values from -1 to -1"),
        (np.full((2, 4, 5, 1), 256, np.int32), "values from 256"),
    ],
)
def test_bad_images(images, words, model_of):
    model = tiny()
    with pytest.raises(ValueError, match=words):
        model.log_prob(images)
    with pytest.raises(ValueError, match="Received"):
        model.complete(images, np.ones(images.shape, bool), seed=0)


def test_fit_refuses_float_images():
    model = tiny()
    model.compile("adam")
    with pytest.raises(ValueError, match="scaling happens inside the model"):
        model.fit(np.zeros((4, 4, 5, 1), np.float32), verbose=0)


@pytest.mark.parametrize(
    "known", [np.ones((2, 4, 5, 1)), np.ones((3, 4), bool), np.ones((2, 5, 4, 1), bool)]
)
def test_bad_known(known):
    with pytest.raises(ValueError, match=r"`known` must.*Received"):
        tiny().complete(np.zeros((2, 4, 5, 1), np.uint8), known, seed=0)


def test_known_may_leave_out_axes():
    model = randomised(tiny())
    images = random_images(model, 2)
    known = np.arange(20).reshape(4, 5) < 9
    drawn = model.complete(images, known, seed=3)
    full = np.broadcast_to(known[None, :, :, None], images.shape)
    np.testing.assert_array_equal(model.complete(images, full, seed=3), drawn)
    np.testing.assert_array_equal(model.complete(images, known[..., None], seed=3), drawn)


@pytest.mark.parametrize("n", [0, -1, 1.5, True, None])
def test_bad_n(n):
    with pytest.raises(ValueError, match="Received: n="):
        tiny().sample(n, seed=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recurrence": "column"}, "Received: recurrence='column'"),
        ({"units": 0}, "Received: units=0"),
        ({"num_blocks": 1.0}, "Received: num_blocks=1.0"),
        ({"kernel_size": 4}, "odd"),
    ],
)
def test_bad_options(options, words):
    with pytest.raises(ValueError, match=words):
        tiny(**options)


@pytest.mark.parametrize("size", [4, 1, -3])
def test_bad_kernel_size_of_the_gated_model(size):
    with pytest.raises(ValueError, match=f"from 3.*Received: kernel_size={size}"):
        kp.models.GatedPixelCNN((4, 5, 1), BERNOULLI, kernel_size=size)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 0), (4, 5, 5), (4.0, 5, 1), "451", (None, 5, 1)])
def test_bad_image_shape(shape):
    with pytest.raises(ValueError, match="Received: image_shape="):
        kp.models.PixelCNN(shape, BERNOULLI)


def test_bad_distribution():
    with pytest.raises(ValueError, match="Received: distribution='normal'"):
        kp.models.PixelCNN((4, 5, 1), "normal")


def test_too_few_units_for_the_colours():
    with pytest.raises(ValueError, match="at least"):
        kp.models.PixelCNN((4, 5, 3), BERNOULLI, units=1)
