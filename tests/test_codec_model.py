"""Which model a file is of, and in what precision it writes and reads."""

import types

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import codec
from keras_pixelrnn.codec import container, noise
from keras_pixelrnn.codec.fingerprint import fingerprint
from tests import conformance
from tests.test_codec import CASES, MONO


@pytest.mark.parametrize("part", ["all", "one layer", "one weight"])
def test_a_frozen_model_is_the_same(coded, part):
    model = coded[0]
    before, layer = fingerprint(model), model.network.layers[0]
    frozen = {"all": model.network, "one layer": layer, "one weight": layer.weights[0]}[part]
    frozen.trainable = False
    try:
        assert model.get_config().keys() & {"frozen_weights", "places"}
        assert fingerprint(model) == before
    finally:
        frozen.trainable = True


def test_fingerprints_stay_what_they_were():
    """In files that exist; an adapter is another model, and says where it is."""
    digits = kp.models.PixelModel.from_preset("digits")
    assert fingerprint(digits).hex() == "6a5d78399e0f589e"
    model = kp.models.PixelCNN((4, 4, 1), kp.distributions.Bernoulli(), units=2, num_blocks=1)
    model.set_weights([np.full(w.shape, 0.1, "f4") for w in model.get_weights()])
    assert fingerprint(model).hex() == "1a719a37ca4c88dd"
    next(x for x in model._flatten_layers() if getattr(x, "enable_lora", None)).enable_lora(1)
    for variable in model.weights:
        variable.assign(np.full(variable.shape, 0.1, "f4"))
    assert fingerprint(model).hex() == "973af146f1e8a444"


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_models_of_low_precision_are_coded_as_they_are_read(coded, policy):
    """In float32, as all streams compute: the very file of the float32 model, but for its name."""
    model, images, data = coded
    mixed = MONO.make(dtype=policy)
    mixed.set_weights(model.get_weights())
    found = container.read(codec.compress(mixed, images, block_size=4))
    assert found[1] == container.read(data)[1]
    assert found[0].fingerprint == fingerprint(mixed)


class OfOnesOwn(kp.models.PixelCNN):
    def __init__(self, side, **options):
        super().__init__((side, side, 1), kp.distributions.Bernoulli(), units=4, **options)


def adapted():
    model = MONO.make(dtype="mixed_bfloat16")
    for layer in model._flatten_layers():
        if hasattr(layer, "enable_lora"):
            layer.enable_lora(2)
    return model


@pytest.mark.parametrize(
    "make",
    [
        adapted,
        lambda: CASES["multi_scale-bernoulli-1"].make(dtype="mixed_float16", num_classes=3),
        lambda: OfOnesOwn(5, num_blocks=1, dtype="mixed_bfloat16"),
    ],
    ids=["adapters", "calls beside streams", "no configuration"],
)
def test_models_of_low_precision_read_what_they_wrote(make, rng):
    model = conformance.randomised(make())
    images = rng.integers(0, 2, (6, *model.image_shape)).astype(np.uint8)
    context = {"context": 1} if model.context.given else {}
    data = codec.compress(model, images, **context)
    np.testing.assert_array_equal(codec.decompress(model, data, xla=False, **context), images)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("float32", noise.UNKNOWN), ("float16", 2.0**-7), ("bfloat16", 2.0**-4)],
)
def test_noise_is_at_least_that_of_the_dtype(dtype, expected):
    """Of a layer that is of low precision whatever the model's configuration says."""
    params = np.ones((2, 3, 3, 1), np.float32)
    model = types.SimpleNamespace(
        _functions=lambda *args, **options: lambda *inputs: params,
        _flatten_layers=lambda: [types.SimpleNamespace(compute_dtype=dtype)],
    )
    np.testing.assert_array_equal(noise.expected(model, [], params), expected)
