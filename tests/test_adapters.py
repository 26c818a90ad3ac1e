"""Networks that change once made: low-rank adapters (LoRA) work wholly, quantizing is refused."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn import noise
from keras_pixelrnn.layers import GatedStacks
from keras_pixelrnn.layers.adapted import Dense
from keras_pixelrnn.serving.signatures import signatures
from tests.conformance import QUICK, SPANNING, given_of, random_images, randomised

pytestmark = pytest.mark.graphs
# Kernels of layers on the causal path, LSTM weights of which none has adapters.
CASES = [QUICK, *(pytest.param(case, marks=pytest.mark.slow) for case in SPANNING)]


SMALL = {QUICK: {"image_shape": (3, 4, 1)}}


def adapted(model, rank=2):
    """`model` with adapters in every layer that takes them; what they add is not 0."""
    layers = [x for x in model._flatten_layers() if getattr(x, "enable_lora", None)]
    assert layers
    rng = np.random.default_rng(1)
    for layer in layers:
        layer.enable_lora(rank)
        layer.lora_kernel_b.assign(rng.normal(size=layer.lora_kernel_b.shape))
    return model


@pytest.mark.every_model
@pytest.mark.parametrize("case", CASES, ids=str)
def test_adapters_work_wholly(case, tmp_path):
    model = randomised(case.make(num_blocks=1, **SMALL.get(case, {})))
    images, given = random_images(model, 4), given_of(model, 4)
    context = {"context": given[0]} if given else {}
    before = model.log_prob(images, **context)  # compiled, and out of date from now on
    adapted(model)
    moved = model.log_prob(images, **context)
    assert not np.allclose(before, moved)

    model.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)
    model.fit(images, *given, batch_size=4, verbose=0)
    nats = model.log_prob(images, **context)
    assert not np.allclose(nats, moved)
    loss = model.evaluate(images, *given, batch_size=4, verbose=0)
    np.testing.assert_allclose(loss, -nats.mean(), rtol=1e-5)

    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert len(again.trainable_variables) == len(model.trainable_variables)
    np.testing.assert_array_equal(again.log_prob(images, **context), nats)

    # Drawing has the adapters, too: its nats are those of the likelihood.
    uniform = noise.uniform(np.arange(4), model.image_shape)
    drawn, scored = model.sample_graph(uniform, *(tf.constant(x) for x in given))
    expected = model.log_prob(np.asarray(drawn), **context)
    np.testing.assert_allclose(np.sum(scored, (1, 2, 3)), expected, rtol=1e-3)
    function, _ = signatures(model)["log_prob"]
    exported = function(*(tf.constant(x) for x in (images, *given)))["log_prob"]
    np.testing.assert_allclose(exported, nats, rtol=1e-5)


def test_adapters_see_no_later_pixel():
    """The masks are those of the layer, not of its weights."""
    model = adapted(randomised(QUICK.make()))
    images = random_images(model, 1)
    later = images.copy()
    later[0, 3:] ^= 1
    ours, theirs = np.asarray(model(images)), np.asarray(model(later))
    np.testing.assert_array_equal(ours[:, :3], theirs[:, :3])
    assert (ours[:, 4:] != theirs[:, 4:]).any()


def test_what_is_not_built_has_nothing_to_keep():
    for layer in (Dense(3), GatedStacks(4, 1), keras.Sequential([Dense(3)])):
        again = copy.deepcopy(layer)
        assert not again.built
        assert again.name == layer.name
    with pytest.raises(ValueError, match="has 0 variables, the file holds 2"):
        Dense(3).load_own_variables({"0": 1, "1": 2})


@pytest.mark.parametrize("mode", ["int8", "float8", "int4"])
def test_quantizing_is_refused(mode, model_of):
    model = model_of(QUICK)
    with pytest.raises(ValueError, match="cannot be quantized"):
        model.quantize(mode)
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, kp.layers.CausalLayer):
            with pytest.raises((ValueError, NotImplementedError), match="quantize"):
                layer.quantize(mode)


def test_functions_of_steps_know_the_network_as_it_is():
    """What was traced before knows the old weights, and which of them were trained then."""
    model = randomised(QUICK.make(num_blocks=1, **SMALL[QUICK]))
    images = random_images(model, 4)
    model.compile("adam")
    for run in (model.predict, model.evaluate, model.fit):
        run(images, batch_size=4, verbose=0)
    functions = model.train_function, model.test_function, model.predict_function
    for run in (model.predict, model.evaluate, model.fit):
        run(images, batch_size=4, verbose=0)
    assert functions == (model.train_function, model.test_function, model.predict_function)

    layer = next(x for x in model._flatten_layers() if getattr(x, "enable_lora", None))
    before, layer.trainable = layer.get_weights(), False
    model.fit(images, batch_size=4, verbose=0)
    for one, two in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    layer.trainable = True

    adapted(model)
    expected = np.asarray(model(images))
    found = model.predict(images, batch_size=4, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    loss = model.evaluate(images, batch_size=4, verbose=0)
    np.testing.assert_allclose(loss, -model.log_prob(images).mean(), rtol=1e-5)
    for train in (lambda: model.fit(images, verbose=0), lambda: model.train_on_batch(images)):
        with pytest.raises(ValueError, match=r"Call model\.compile\(\.\.\.\) again"):
            train()
    model.compile("adam")
    model.fit(images, batch_size=4, verbose=0)


@pytest.mark.parametrize(
    "edit",
    [{"frozen_layers": [99]}, {"frozen_layers": ["a"]}, {"frozen_weights": [-1]}]
    + [{"frozen_weights": 3}, {"frozen_layers": {"x": 1}}],
    ids=str,
)
def test_places_of_frozen_parts_that_there_are_not(edit):
    model = QUICK.make(num_blocks=1)
    with pytest.raises(ValueError, match=f"`{next(iter(edit))}` of a configuration must be places"):
        type(model).from_config({**model.get_config(), **edit})


@pytest.mark.parametrize(
    "adapters",
    [None, 5, "x", {"a": 1}, [3], [[1, 2]], [[-1, 2, 2]], [[1, 0, 2]], [[1, 2, None]]]
    + [[["a", 2, 2]], [[1, 2**70, 2]], [[1, 2, float("nan")]], [[True, 2, 2]]],
    ids=str,
)
def test_adapters_of_a_configuration_that_are_none(adapters):
    model = QUICK.make(num_blocks=1)
    for one in (model, model.network):
        with pytest.raises(ValueError, match=r"`adapters` of a configuration must be a list"):
            type(one).from_config({**one.get_config(), "adapters": adapters})


@pytest.mark.parametrize("place", [0, 99])
def test_an_adapter_where_there_can_be_none(place):
    model = QUICK.make(num_blocks=1)
    block = kp.layers.ResidualBlock(kp.layers.Pointwise("relu"))
    with pytest.raises(ValueError, match="where there can be none"):
        type(model).from_config({**model.get_config(), "adapters": [[place, 2, 2]]})
    again = type(block).from_config({**block.get_config(), "adapters": [[place, 2, 2]]})
    with pytest.raises(ValueError, match="where there can be none"):
        again.build((None, 3, 4, 5))


def test_a_call_takes_one_image_or_more():
    """TensorFlow's convolutions give outputs of another size for none."""
    model = QUICK.make(num_blocks=1)
    with pytest.raises(ValueError, match="A call takes one image or more"):
        model(np.zeros((0, *model.image_shape), np.uint8))


def test_callbacks_of_keras_know_that_less_is_better(tmp_path):
    model = QUICK.make(num_blocks=1, **SMALL[QUICK])
    model.compile("adam", metrics=[kp.metrics.BitsPerDimension(model.distribution)])
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor="val_bits_per_dim", save_best_only=True
    )
    images = random_images(model, 4)
    model.fit(images, validation_data=(images,), epochs=2, verbose=0, callbacks=[best])
    assert (tmp_path / "best.keras").is_file()
