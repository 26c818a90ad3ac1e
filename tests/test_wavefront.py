"""Many rows at one step give what one pixel at a time and the whole map give."""

import numpy as np
import pytest
from keras import ops

import keras_pixelrnn as kp
from keras_pixelrnn import geometry, layers, noise, raster, wavefront
from tests.conformance import MODELS, given_of, random_images, randomised

# With a map as context, or a learned state outside the image, or a right-to-left LSTM.
ROW_BY_ROW = ("diagonal", "multi_scale", "map", "learned_initial_state")


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    monkeypatch.setattr(raster, "MOST_IN_A_TURN", 3)  # fewer steps to trace


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(wavefront, "LEAST_GAIN", 0.0)


def plan_of(model, count=1):
    context = model.context.map(*given_of(model, count))
    return wavefront.plan(model.network, *model.image_shape[:2], context)


def as_a_wavefront(case):
    return not any(word in case.name for word in ROW_BY_ROW)


def scores(model, images):
    """Score `images` by the raster engine, and by the whole map."""
    given = given_of(model, len(images))
    image, context = ops.convert_to_tensor(images), model.context.map(*given)
    streamed = raster.score(model.network, model.distribution, image, context)
    return np.asarray(streamed), np.asarray(model.nats_graph(images, *given))


@pytest.mark.parametrize("case", filter(as_a_wavefront, MODELS), ids=str)
def test_every_model_that_has_one(case, model_of, always):
    model = model_of(case)
    assert plan_of(model) is not None
    streamed, parallel = scores(model, random_images(model, 3))
    atol = 1e-5 * max(1.0, np.abs(parallel[np.isfinite(parallel)]).max())
    np.testing.assert_allclose(streamed, parallel, atol=atol, rtol=0)


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_the_others_go_row_by_row(case, model_of, always):
    if "multi_scale" not in case.name:  # whose two networks are recurrent ones
        assert (plan_of(model_of(case)) is not None) == as_a_wavefront(case)


# Layers whose kernels reach further than those of the models: up, to the side, one row alone.
ODD = {
    "tall": lambda: [layers.MaskedConv2D(4, (5, 1), mask_type="A")],
    "wide": lambda: [layers.MaskedConv2D(4, (1, 7), mask_type="A"), layers.RowLSTM(4)],
    "both": lambda: [
        layers.GatedStacks(3, num_blocks=3, kernel_size=3),
        layers.MaskedConv2D(4, (7, 5), mask_type="B"),
    ],
}


def network_of(kind, size):
    """A network, a head, images and what they score."""
    network = layers.CausalStack([*ODD[kind](), layers.MaskedConv2D(1, 1, mask_type="B")])
    head = kp.distributions.Bernoulli()
    images = np.random.default_rng(0).integers(0, 2, (2, *size, 1)).astype(np.uint8)
    network(head.network_input(images))
    randomised(network)
    log_prob = np.asarray(head.log_prob(network(head.network_input(images)), images))
    return network, head, ops.convert_to_tensor(images), log_prob


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("tall", (9, 4)),
        ("wide", (5, 6)),
        ("both", (9, 4)),
        pytest.param("both", (3, 11), marks=pytest.mark.slow),
    ],
)
def test_kernels_of_other_shapes(kind, size, always):
    network, head, images, log_prob = network_of(kind, size)
    assert wavefront.plan(network, *size) is not None
    streamed = np.asarray(raster.score(network, head, images))
    np.testing.assert_allclose(streamed, log_prob, atol=1e-5)


@pytest.mark.parametrize("fault", ["lag", "slots"])
def test_a_row_that_begins_too_early_is_seen(fault, always, monkeypatch):
    """The planted faults: a column too early, or right after the row before in the same slot."""
    network, head, images, log_prob = network_of("both", (9, 4))
    honest = wavefront.plan(network, 9, 4)
    wrong = honest._replace(lag=honest.lag - 1) if fault == "lag" else honest._replace(slots=1)
    monkeypatch.setattr(wavefront, "plan", lambda *args: wrong)
    assert np.abs(np.asarray(raster.score(network, head, images)) - log_prob).max() > 1e-2


@pytest.mark.parametrize(
    "name",
    [
        "pixelcnn-categorical-3",
        pytest.param("pixelcnn-logistic-3", marks=pytest.mark.slow),
        pytest.param("gated-categorical-3-num_classes", marks=pytest.mark.slow),
    ],
)
def test_the_same_images(name, model_of, monkeypatch):
    """As pixel by pixel: some of it known, under controls of each image."""
    model = model_of(next(case for case in MODELS if case.name == name))
    images = random_images(model, 3)
    uniform = noise.uniform(noise.image_seeds(3, 3), model.image_shape)
    known = np.random.default_rng(1).random(images.shape) < 0.4
    controls = [np.array(x, np.float32) for x in ((0.5, 1.0, 2.0), (5, 2, 1), (0.9, 0.5, 1.0))]
    arguments = (images, known, uniform, *controls, *given_of(model, 3))
    expected, expected_nats = map(np.asarray, model.complete_with_graph(*arguments))
    monkeypatch.setattr(wavefront, "LEAST_GAIN", 0.0)
    completed, nats = map(np.asarray, model.complete_with_graph(*arguments))
    np.testing.assert_array_equal(completed, expected)
    np.testing.assert_allclose(nats, expected_nats, atol=1e-4)
    assert (completed == images)[known].all()
    assert (completed != images).any()


def test_a_server_draws_by_it(monkeypatch):
    """Without XLA, with an unknown batch; with it, or where it saves few steps, pixel by pixel."""
    model = randomised(kp.models.PixelCNN((8, 12, 1), kp.distributions.Bernoulli(), 4, 1))
    ran, run = [], wavefront.run
    monkeypatch.setattr(wavefront, "run", lambda *args: ran.append(args) or run(*args))
    uniform = noise.uniform(noise.image_seeds(3, 3), model.image_shape)
    graph = kp.backend.compiled(model.sample_graph, model.variables, xla=False)
    images, nats = map(np.asarray, graph(uniform))
    assert len(ran) == 1
    np.testing.assert_allclose(nats, np.asarray(model.nats_graph(images)), atol=1e-5)
    kp.backend.trace(kp.backend.compiled(model.sample_graph, model.variables, xla=True), uniform)
    assert len(ran) == 1
    assert wavefront.plan(model.network, 8, 8) is None


def test_no_operation_of_a_step_is_slow_to_start():
    """oneDNN's: `Softmax` took as long as twenty others, a third of the time to draw one image."""
    head = kp.distributions.DiscretizedLogisticMixture(4, num_mixtures=2)
    model = kp.models.PixelCNN((8, 12, 2), head, units=2, num_blocks=1)
    assert plan_of(model) is not None
    graph = kp.backend.compiled(model.sample_graph, model.variables, xla=False)
    traced = graph.get_concrete_function(ops.zeros((1, *model.image_shape))).graph.as_graph_def()
    kinds = {node.op for function in traced.library.function for node in function.node_def}
    assert "LogSoftmax" in kinds
    assert not kinds & {"Softmax", "BatchMatMulV2", "BiasAdd"}


def test_slots(rng):
    x = rng.normal(size=(7, 5, 2)).astype(np.float32)
    lag, slots, steps, lead = 3, 2, 30, 1
    y = np.zeros((steps, slots, 2), np.float32)
    for row, column in np.ndindex(7, 5):
        y[lead + lag * row + column, row % slots] = x[row, column]
    np.testing.assert_array_equal(np.asarray(geometry.in_slots(x, lag, slots, steps, lead)), y)
    np.testing.assert_array_equal(np.asarray(geometry.from_slots(y, lag, 7, 5, lead)), x)
