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


@pytest.mark.parametrize("name", GRAPHS)
def test_a_function_for_graphs_names_what_it_was_given(name):
    model = tiny()
    function = getattr(model, name)
    good = {
        "images": IMAGES,
        "restored": IMAGES,
        "known": IMAGES > 0,
        "uniform": UNIFORM,
        "row": np.zeros(2, np.int32),
        "state": np.zeros((2, model.row_state_size), np.float32),
        "numbers": UNIFORM.reshape(2, -1),
        **dict.fromkeys(("temperature", "top_k", "top_p", "threshold"), np.ones(2, np.float32)),
    }
    parameters = inspect.signature(function).parameters.values()
    wanted = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    more = {"layer": "head"} if name == "features_graph" else {}
    assert wanted
    for one in wanted:
        for value in NONE.values():
            given = [value if each == one else good[each] for each in wanted]
            with pytest.raises(ValueError, match=f"`{one}` must"):
                function(*given, **more)
    given = [good[each] for each in wanted]
    with pytest.raises(ValueError, match="not conditional"):
        function(*given, np.zeros(2, int), **more)


def test_a_function_for_graphs_wants_its_context():
    model = tiny(num_classes=3)
    for call in (model.log_prob_graph, model.sample_graph):
        for given in ((), (None,), (np.zeros(2, int), np.zeros(2, int))):
            with pytest.raises(ValueError, match="conditional on a label"):
                call(IMAGES if call == model.log_prob_graph else UNIFORM, *given)
        with pytest.raises(ValueError, match="`context` must"):
            call(IMAGES if call == model.log_prob_graph else UNIFORM, "three")
