"""Every tool of Keras that makes a layer or model anew keeps what is frozen, and adapters (LoRA)."""

import copy
import pickle

import keras
import numpy as np
import pytest

from keras_pixelrnn import completion, layers
from keras_pixelrnn.layers import adapted, kept
from keras_pixelrnn.layers.strict import StrictLayer
from tests import conformance
from tests.test_saving import by_file

SHAPE = (4, 5, 6)
# All kinds of layers inside: those that are given and those that a layer makes, early or at its `build`.
QUICK = ("MaskedConv2D-A", "GatedStacks", "ResidualBlock", "CausalStack")
LAYERS = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in conformance.LAYERS
]


def changed(layer, seed=0):
    """`layer` with some of its parts frozen and some adapted, and weights of other values."""
    rng = np.random.default_rng(seed)
    parts = layer._flatten_layers()
    for part in parts:
        if hasattr(part, "lora_enabled") and rng.random() < 0.5:
            part.enable_lora(int(rng.integers(1, 3)), lora_alpha=float(rng.integers(1, 5)))
    for part in parts:
        if rng.random() < 0.3:
            part.trainable = False
    for weight in layer.weights:
        if rng.random() < 0.3:  # the kernel beside an adapter too, which that has frozen
            weight.trainable = not weight.trainable
        weight.assign(rng.normal(size=weight.shape))
    return layer


def state(layer):
    """All that `changed` changes, but for values."""
    parts = layer._flatten_layers()
    return {
        "layers": [part.trainable for part in parts],
        "weights": [(tuple(weight.shape), weight.trainable) for weight in layer.weights],
        "adapters": [
            (place, part.lora_rank, part.lora_alpha)
            for place, part in enumerate(parts)
            if getattr(part, "lora_enabled", False)
        ],
        "trained": len(layer.trainable_variables),
    }


def by_configuration(layer):
    return type(layer).from_config(layer.get_config())


def built(layer):
    layer(keras.Input(SHAPE))
    return layer


def within(layer):
    """The last layer of a model around `layer`, and that model."""
    x = keras.Input(SHAPE)
    return keras.Model(x, layer(x))


def by_legacy_file(model, folder):
    model.save(folder / "model.h5")
    return keras.models.load_model(folder / "model.h5")


def last(model):
    return model.layers[-1]


ANEW = {
    "clone_model": lambda layer, folder: last(keras.models.clone_model(within(layer))),
    "clone_model of the layer": lambda layer, folder: keras.models.clone_model(layer),
    "from_config": lambda layer, folder: built(by_configuration(layer)),
    "from_config twice": lambda layer, folder: built(by_configuration(by_configuration(layer))),
}
WITH_VALUES = {
    "deepcopy": lambda layer, folder: copy.deepcopy(layer),
    "deepcopy of the model": lambda layer, folder: last(copy.deepcopy(within(layer))),
    "pickle": lambda layer, folder: pickle.loads(pickle.dumps(layer)),
    "file": lambda layer, folder: last(by_file(within(layer), folder)),
    "legacy file": lambda layer, folder: last(by_legacy_file(within(layer), folder)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_made_anew_is_as_frozen_and_adapted(name, tmp_path):
    layer = changed(built(conformance.LAYERS[name](1)))
    before = state(layer)
    for way, make in {**ANEW, **WITH_VALUES}.items():
        again = make(layer, tmp_path)
        assert again is not layer
        assert state(again) == before, way
        assert [w.path for w in again.weights] == [w.path for w in layer.weights], way
        if way in WITH_VALUES:
            for one, two in zip(layer.weights, again.weights, strict=True):
                np.testing.assert_array_equal(one, two, err_msg=f"{way}: {one.path}")


def test_the_test_would_see_a_configuration_without_it(monkeypatch):
    layer = changed(built(conformance.LAYERS["ResidualBlock"](1)))
    monkeypatch.setattr(kept, "of", lambda *args: {})
    assert state(built(by_configuration(layer))) != state(layer)


@pytest.mark.every_model
@pytest.mark.parametrize("case", conformance.SPANNING, ids=str)
def test_a_network_and_its_model_are_as_frozen_and_adapted(case):
    model = changed(case.make(dropout=0.3))
    for one in (model.network, model):
        for again in (keras.models.clone_model(one), copy.deepcopy(one)):
            if one is model and again.__class__ is not model.__class__:  # a plain model of clones
                for ours, theirs in zip(model.layers, again.layers, strict=True):
                    if not isinstance(ours, keras.layers.InputLayer):
                        assert state(theirs) == state(ours)
            else:
                assert state(again) == state(one)
    for one, two in zip(model.weights, copy.deepcopy(model).weights, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("how", ["frozen", "adapted"])
def test_settings_that_move_places_are_refused(how, tmp_path):
    """Else other layers would be frozen than those that were."""
    model = conformance.QUICK.make()
    if how == "frozen":
        model.network.layers[1].trainable = False
    else:
        model.network.layers[0].enable_lora(2)
    config, make = model.get_config(), type(model).from_config
    for other in ({"num_blocks": 3}, {"num_classes": 2}, {"skip": True}):
        with pytest.raises(ValueError, match="has places among other layers and weights"):
            make({**config, **other})
        nothing = {key: [] for key in kept.KEYS}
        again = make({**config, **other, **nothing})
        assert len(again.trainable_variables) == len(again.weights)
    for other in ({"dropout": 0.5}, {"image_shape": (6, 8, 1)}, {"dtype": "mixed_bfloat16"}):
        assert state(make({**config, **other})) == state(model)
    model.save_to_preset(tmp_path)
    again = type(model).from_preset(tmp_path, dropout=0.5)
    assert state(again) == state(model)
    with pytest.raises(ValueError, match="has places among other layers and weights"):
        type(model).from_preset(tmp_path, load_weights=False, num_blocks=3)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_layers_inside_are_not_quantized():
    """Their values would be others, and the configuration of what holds them would not say so."""
    model = within(conformance.LAYERS["GatedStacks"](1))
    before, x = model.get_weights(), np.ones((1, *SHAPE), np.float32)
    expected = model(x)
    with pytest.warns(UserWarning, match="Dense does not have a `quantize` method"):
        model.quantize("int8")
    np.testing.assert_array_equal(model(x), expected)
    assert [w.dtype for w in before] == [w.dtype for w in model.get_weights()]


def test_a_look_ahead_is_as_frozen_and_adapted():
    case = conformance.QUICK.make(num_blocks=1)
    sizes = {"units": 3, "num_blocks": 1, "reader_units": 4}
    ahead = changed(completion.Lookahead(case.image_shape, case.distribution, **sizes))
    again = copy.deepcopy(ahead)
    assert state(again) == state(ahead)
    for one, two in zip(ahead.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_an_untouched_layer_says_nothing_of_it():
    for name in QUICK:
        layer = built(conformance.LAYERS[name](1))
        assert not set(kept.KEYS) & set(layer.get_config())


@pytest.mark.parametrize("before", [True, False])
def test_what_is_frozen_or_freed_before_it_is_built_is_newer(before):
    block = built(conformance.LAYERS["ResidualBlock"](1))
    block.trainable = before
    again = by_configuration(block)
    again.trainable = not before
    assert built(again).trainable is not before
    assert bool(again.trainable_variables) is not before


def test_a_layer_of_ones_own_without_a_configuration_of_its_own():
    """Keras writes its configuration from the arguments; what is frozen inside comes on top."""

    @keras.saving.register_keras_serializable("tests")
    class Twice(layers.CausalLayer):
        def __init__(self, filters=3, **kwargs):
            super().__init__(**kwargs)
            self.one, self.two = (
                layers.MaskedConv2D(filters, 1, mask_type="B", name=name) for name in ("one", "two")
            )

        def build(self, x_shape, context_shape=None):
            self.one.build(x_shape)
            self.two.build(self.one.compute_output_shape(x_shape))

        def call(self, x, context=None):
            return self.two(self.one(x))

    layer = built(Twice(4))
    layer.two.trainable = False
    again = copy.deepcopy(layer)
    assert again.one.filters == 4
    assert state(again) == state(layer)


@pytest.mark.parametrize("how", ["frozen", "inside", "given", "adapted"])
def test_a_layer_of_ones_own_that_reads_its_configuration_itself(how, tmp_path):
    """What is added to its configuration is none of its arguments."""

    @keras.saving.register_keras_serializable("tests")
    class After(layers.CausalLayer):
        def __init__(self, given, **kwargs):
            super().__init__(**kwargs)
            self.given = given
            self.own = layers.MaskedConv2D(3, 1, mask_type="B")

        def build(self, x_shape, context_shape=None):
            if not self.given.built:
                self.given.build(x_shape)
            self.own.build(self.given.compute_output_shape(x_shape))

        def call(self, x, context=None):
            return self.own(self.given(x))

        def get_config(self):
            given = keras.saving.serialize_keras_object(self.given)
            return {**super().get_config(), "given": given}

        @classmethod
        def from_config(cls, config):
            given = keras.saving.deserialize_keras_object(config.pop("given"))
            return cls(given=given, **config)

    layer = built(After(conformance.LAYERS["MaskedConv2D"](1)))
    if how == "adapted":
        layer.own.enable_lora(2)
    else:
        {"frozen": layer, "inside": layer.own, "given": layer.given}[how].trainable = False
    assert state(last(by_file(within(layer), tmp_path))) == state(layer)
    assert state(copy.deepcopy(layer)) == state(layer)


def test_parts_are_made_in_their_order(monkeypatch):
    """In every process: their initializers draw seeds, which `set_random_seed` makes the same."""
    made = []
    monkeypatch.setattr(keras.saving, "deserialize_keras_object", made.append)

    class Parts(StrictLayer, keras.layers.Layer):
        parts = tuple("hdaebgcf")

        def __init__(self, **given):
            super().__init__()

    Parts.from_config({part: part for part in sorted(Parts.parts)})
    assert made == list(Parts.parts)


def test_a_kernel_merged_with_its_adapter_by_an_earlier_version_loads(tmp_path, monkeypatch):
    layer = built(conformance.LAYERS["GatedStacks"](1))
    layer.link[0].enable_lora(1)
    layer.link[0].lora_kernel_b.assign(np.ones(layer.link[0].lora_kernel_b.shape))
    x = np.ones((1, *SHAPE), np.float32)
    with monkeypatch.context() as patch:
        plain = keras.layers.Dense.save_own_variables
        patch.setattr(adapted.KeepsAdapters, "save_own_variables", plain)
        patch.setattr(layers.MaskedConv2D, "save_own_variables", save_as_now, raising=False)
        model = within(layer)
        model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(x), model(x), rtol=1e-5)
    assert np.any(last(again).link[0].lora_kernel_a)  # of zeros times zeros nothing is trained


def save_as_now(self, store):
    for index, variable in enumerate(self.own_variables()):
        store[str(index)] = variable
