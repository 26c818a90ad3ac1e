"""p(image | context): labels, vectors and maps; training on pairs; and that the context matters."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn import backend
from tests.conformance import random_images, randomised
from tests.test_raster import all_images, chi_square_z, counts_of

BERNOULLI = kp.distributions.Bernoulli()
pytestmark = pytest.mark.graphs


def tiny(**options):
    return kp.models.PixelRNN(
        (2, 3, 1), BERNOULLI, **{"units": 3, "num_blocks": 1, "num_classes": 3, **options}
    )


@pytest.mark.parametrize(
    "make",
    [
        tiny,
        pytest.param(lambda: tiny(recurrence="row"), marks=pytest.mark.slow),
        pytest.param(
            lambda: kp.models.PixelCNN((2, 3, 1), BERNOULLI, units=3, num_classes=3),
            marks=pytest.mark.slow,
        ),
        lambda: kp.models.GatedPixelCNN((2, 3, 1), BERNOULLI, units=3, num_classes=3),
    ],
)
def test_each_label_has_a_distribution_of_its_own(make):
    model = randomised(make(), scale=0.6)
    images = all_images((2, 3, 1))
    found = [np.exp(model.log_prob(images, context=c).astype(np.float64)) for c in range(3)]
    np.testing.assert_allclose(np.sum(found, axis=1), 1.0, atol=1e-5)
    drawn = model.sample(20_000, seed=3, context=1, batch_size=20_000)
    assert chi_square_z(counts_of(drawn), found[1]) < 4.5
    assert chi_square_z(counts_of(drawn), found[2]) > 4.5


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_fit_on_pairs(jit):
    """Label 0 has black images, label 1 white ones; the model learns which is which."""
    keras.utils.set_random_seed(0)
    model = tiny(num_classes=2)
    labels = np.arange(64) % 2
    images = np.broadcast_to(labels[:, None, None, None], (64, 2, 3, 1)).astype(np.uint8)
    metrics = [kp.metrics.NatsPerImage(BERNOULLI)]
    model.compile(keras.optimizers.Adam(0.05), metrics=metrics, jit_compile=jit)
    pairs = tf.data.Dataset.from_tensor_slices((images, labels)).batch(16)
    history = model.fit(pairs, epochs=20, validation_data=pairs, verbose=0).history
    assert history["val_loss"][-1] < 0.5
    assert history["val_nats"][-1] == pytest.approx(history["val_loss"][-1], rel=1e-4)
    np.testing.assert_array_equal(model.sample(8, seed=0, context=labels[:8]), images[:8])
    assert kp.evaluation.evaluate(model, pairs).nats == pytest.approx(history["val_loss"][-1], 1e-4)
    assert model.predict(pairs, verbose=0).shape == (64, 2, 3, 1)
    weighted = pairs.map(lambda x, y: (x, y, tf.ones(tf.shape(y))))
    assert model.evaluate(weighted, verbose=0)[0] == pytest.approx(history["val_loss"][-1], 1e-4)


def test_fit_needs_the_context():
    model = tiny()
    model.compile("adam")
    with pytest.raises(ValueError, match="data sets of \\(image, context\\)"):
        model.fit(random_images(model, 4), verbose=0)
    plain = tiny(num_classes=None)
    plain.compile("adam")
    with pytest.raises(ValueError, match="not conditional"):
        plain.fit(random_images(plain, 4), np.zeros(4, np.int64), verbose=0)


@pytest.mark.parametrize(
    ("options", "good", "bad"),
    [
        ({"num_classes": 3}, [2, 0], [None, 3, -1, 1.0, [0, 1, 2], [0, 3], "two"]),
        (
            {"num_classes": None, "context_shape": (2,)},
            np.ones((2, 2)),
            [None, 1.0, np.ones((2, 3)), np.ones((3, 2)), np.full((2, 2), np.nan)],
        ),
        (
            {"num_classes": None, "context_shape": (2, 3, 1)},
            np.ones((2, 3, 1)),
            [None, np.ones((2, 3)), np.ones((3, 2, 1)), np.full((2, 3, 1), np.inf)],
        ),
    ],
)
def test_contexts(options, good, bad):
    model = tiny(**options)
    images = random_images(model, 2)
    assert model.log_prob(images, context=good).shape == (2,)
    for context in bad:
        for call in (
            lambda context=context: model.log_prob(images, context=context),
            lambda context=context: model.sample(2, seed=0, context=context),
            lambda context=context: model.complete(images, images > 9, seed=0, context=context),
        ):
            with pytest.raises(
                ValueError, match=r"This model is conditional|must be an array of numbers"
            ):
                call()


def test_an_unconditional_model_takes_no_context():
    with pytest.raises(ValueError, match="not conditional"):
        tiny(num_classes=None).sample(1, seed=0, context=1)


@pytest.mark.parametrize(
    "options",
    [
        {"num_classes": 0},
        {"num_classes": 2.0},
        {"num_classes": 3, "context_shape": (2,)},
        {"num_classes": None, "context_shape": (3, 2, 1)},
        {"num_classes": None, "context_shape": (0,)},
        {"num_classes": None, "context_shape": 4},
    ],
)
def test_bad_options(options):
    with pytest.raises(ValueError, match="Received: "):
        tiny(**options)


def test_the_whole_map_is_seen_everywhere():
    """A context may lie later than the pixel it helps to predict; only of the image it may not."""
    model = randomised(tiny(num_classes=None, context_shape=(2, 3, 1)))
    images = tf.constant(random_images(model, 1))
    plain = np.zeros((1, 2, 3, 1), np.float32)
    moved = plain.copy()
    moved[0, 0, 0] = 1.0
    params = [np.asarray(model([images, tf.constant(context)])) for context in (plain, moved)]
    assert (params[0] != params[1])[0, 0, 0].all()


@pytest.mark.parametrize("make", [kp.models.PixelRNN, kp.models.GatedPixelCNN])
def test_kernels_of_a_long_context_are_multiplied_as_they_are(make):
    """Copies of thousands of rows took a fifth of the time to draw, and as much memory again."""
    model = make((2, 3, 1), BERNOULLI, units=3, num_blocks=1, context_shape=(71,))
    graph = backend.compiled(model.sample_graph, model.variables, xla=False)
    graph = graph.get_concrete_function(tf.zeros((2, 2, 3, 1)), tf.zeros((2, 71))).graph
    readers = {
        operation.type
        for operation in graph.get_operations()
        if any(x.shape.rank == 2 and x.shape[0] == 71 for x in operation.inputs)
    }
    assert readers == {"MatMul"}


def test_a_learned_initial_state_is_used_and_trained():
    keras.utils.set_random_seed(0)
    for recurrence in ("row", "diagonal"):
        model = tiny(recurrence=recurrence, num_classes=None, learned_initial_state=True)
        model.compile(keras.optimizers.Adam(0.1))
        images = random_images(model, 8)
        before = model.log_prob(images)
        (state,) = (w for w in model.weights if "initial_state" in w.path)
        assert not np.asarray(state).any()
        model.fit(images, verbose=0)
        assert np.asarray(state).all()
        state.assign(np.ones(state.shape))
        assert (model.log_prob(images) != before).all()
