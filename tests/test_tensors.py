"""What is no image, context or random number is refused by name: in calls and functions for graphs."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp

IMAGES = np.zeros((2, 4, 5, 1), np.uint8)
UNIFORM = np.full((2, 4, 5, 1), 0.5, np.float32)


def tiny(**options):
    bernoulli = kp.distributions.Bernoulli()
    return kp.models.PixelCNN((4, 5, 1), bernoulli, units=3, num_blocks=1, **options)


NONE = {
    "none": None,
    "text": "digits",
    "texts": np.array(["a"]),
    "a tensor of text": tf.constant(["a"]),
    "ragged": tf.ragged.constant([[1], [2, 3]]),
    "sparse": tf.sparse.from_dense(IMAGES),
    "object": object(),
}


@pytest.mark.parametrize("fault", NONE)
def test_a_call_names_what_it_was_given(fault):
    value = NONE[fault]
    with pytest.raises(ValueError, match="`images` must"):
        tiny()(value)
    with pytest.raises(ValueError, match="`images` must"):
        tiny(num_classes=3)([value, np.zeros(2, int)])
    with pytest.raises(ValueError, match="`context` must"):
        tiny(num_classes=3)([IMAGES, value])


@pytest.mark.parametrize(
    "inputs",
    [[], (), [1, 2], IMAGES.tolist(), (IMAGES, IMAGES), [IMAGES.tolist()], {}, {"x": IMAGES}],
)
def test_a_call_takes_no_lists(inputs):
    with pytest.raises(ValueError, match=r"A call takes images alone|must hold 'image'"):
        tiny()(inputs)
    with pytest.raises(
        ValueError, match=r"A call takes images and|must hold 'image'|`images`|context"
    ):
        tiny(num_classes=3)(inputs)


@pytest.mark.parametrize(
    "context", [np.zeros(len(IMAGES) - 1, int), np.zeros(len(IMAGES) + 1, int), 1]
)
def test_a_call_takes_a_context_for_each_image(context):
    with pytest.raises(ValueError, match=r"one for each\.|a context for each image"):
        tiny(num_classes=3)([IMAGES, context])


@pytest.mark.filterwarnings("error")
def test_a_call_takes_what_it_is_for():
    model, labelled = tiny(), tiny(num_classes=3)
    expected = np.asarray(model(IMAGES))
    for inputs in ([IMAGES], (IMAGES,), {"image": IMAGES}, tf.constant(IMAGES)):
        np.testing.assert_array_equal(np.asarray(model(inputs)), expected)
    labels = np.arange(2)
    for inputs in ([IMAGES, labels], (IMAGES, labels), {"image": IMAGES, "label": labels}):
        assert labelled(inputs).shape == (2, 4, 5, 1)


GRAPHS = [name for name in dir(kp.models.PixelCNN) if name.endswith("_graph") and name[0] != "_"]


def arguments(model, name):
    """A function for graphs, its arguments by name, all as they should be, and its options."""
    function = getattr(model, name)
    per_image = ("temperature", "top_k", "top_p", "threshold")
    size = model.row_state_size if "rows" in name else 0
    good = {
        "images": IMAGES,
        "restored": IMAGES,
        "known": IMAGES > 0,
        "uniform": UNIFORM,
        "row": np.zeros(2, np.int32),
        "state": np.zeros((2, size), np.float32),
        "numbers": np.full((2, 3 * 4 * 5 + 4 + 2), 0.5, np.float32),
        **dict.fromkeys(per_image, np.ones(2, np.float32)),
    }
    parameters = inspect.signature(function).parameters.values()
    wanted = {p.name: good[p.name] for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    assert wanted
    options = {"features_graph": {"layer": model.feature_layers[-1]}}
    options["complete_smc_graph"] = {"n_particles": 3}
    return function, wanted, options.get(name, {})


@pytest.mark.parametrize("name", GRAPHS)
def test_a_function_for_graphs_names_what_it_was_given(name):
    function, good, options = arguments(tiny(), name)
    for one in good:
        for value in NONE.values():
            with pytest.raises(ValueError, match=f"`{one}` must"):
                function(*(good | {one: value}).values(), **options)
    with pytest.raises(ValueError, match="not conditional"):
        function(*good.values(), np.zeros(2, int), **options)


def multi_scale():
    bernoulli = kp.distributions.Bernoulli()
    return kp.models.MultiScalePixelRNN((4, 5, 1), bernoulli, units=3, num_blocks=1)


MULTI_SCALE = multi_scale()


@pytest.mark.parametrize("model", [tiny(), MULTI_SCALE], ids=["one", "multi-scale"])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_function_for_graphs_names_a_shape_that_does_not_fit(name, model):
    if "rows" in name and model is MULTI_SCALE:
        pytest.skip("it has no rows")
    function, good, options = arguments(model, name)
    for one, value in good.items():
        flat, more = value[:, None], np.concatenate([value] * 2, axis=-1)
        wrong = [value[0], flat, [[1]], *([more] if value.ndim > 1 else [])]
        for fault in wrong + ([value[:1]] if len(good) > 1 else []):
            with pytest.raises(ValueError, match=r"` must have (the shape|as many rows)"):
                function(*(good | {one: fault}).values(), **options)
        unknown = tf.function(lambda x, one=one: function(*(good | {one: x}).values(), **options))
        with pytest.raises(ValueError, match=f"`{one}` must have the shape.*unknown"):
            unknown.get_concrete_function(tf.TensorSpec(None, value.dtype))


def test_a_function_for_graphs_names_a_layer_that_there_is_not():
    for model in (tiny(), MULTI_SCALE):
        with pytest.raises(ValueError, match=r"`layer` must name a layer of this model: .*first"):
            model.features_graph(IMAGES, layer="nowhere")


def test_a_function_for_graphs_wants_its_context():
    model = tiny(num_classes=3)
    for call in (model.log_prob_graph, model.sample_graph):
        for given in ((), (None,), (np.zeros(2, int), np.zeros(2, int))):
            with pytest.raises(ValueError, match="conditional on a label"):
                call(IMAGES if call == model.log_prob_graph else UNIFORM, *given)
        for given in ("three", np.zeros((2, 3), int), 1):
            with pytest.raises(ValueError, match="`context` must"):
                call(IMAGES if call == model.log_prob_graph else UNIFORM, given)
