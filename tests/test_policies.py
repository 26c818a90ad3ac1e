"""Each dtype policy works, or is refused where a model or layer is made."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from benchmarks.faults.constructors import CONSTRUCTORS
from keras_pixelrnn import checks
from keras_pixelrnn.serving.signatures import signatures
from tests.conformance import QUICK, SPANNING, given_of, random_images, randomised

TAKING = [each for each in CONSTRUCTORS if "dtype" in each.fits]


def test_half_precision_scales_the_loss():
    for policy in checks.POLICIES:
        model = QUICK.make(dtype=policy)
        model.compile("adam")
        scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        assert scaled == (policy == "mixed_float16")


@pytest.mark.slow
@pytest.mark.every_model
@pytest.mark.graphs
@pytest.mark.parametrize("case", [QUICK, *SPANNING], ids=str)
@pytest.mark.parametrize("policy", checks.POLICIES)
def test_a_policy_trains_scores_draws_and_is_exported(policy, case):
    model = randomised(case.make(dtype=policy, num_blocks=1), scale=0.1)
    images, given = random_images(model, 8), given_of(model, 8)
    images[:, ::2] = 1
    model.compile(keras.optimizers.Adam(0.02))
    rows = tf.data.Dataset.from_tensors((images, *given) if given else images)
    losses = model.fit(
        rows.repeat(100), steps_per_epoch=20, epochs=5, shuffle=False, verbose=0
    ).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.9 * losses[0]
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}

    context = {"context": given[0]} if given else {}
    nats = model.log_prob(images, **context)
    exact = type(model).from_config({**model.get_config(), "dtype": "float32"})
    exact.set_weights(model.get_weights())
    expected = np.asarray(exact.log_prob_graph(images, *given))
    np.testing.assert_allclose(nats, expected, rtol=0.05, atol=0.5)
    drawn = model.sample(8, seed=0, **context)
    assert np.isfinite(model.log_prob(drawn, **context)).all()
    function, _ = signatures(model)["log_prob"]
    exported = function(*(tf.constant(x) for x in (images, *given)))["log_prob"]
    np.testing.assert_allclose(exported, nats, rtol=0.02, atol=0.1)


REFUSED = ["float16", "bfloat16", "float64", "int8_from_float32", "float8_from_float32", "int8"]


@pytest.mark.parametrize("each", TAKING, ids=lambda each: each.make.__name__)
def test_other_policies_are_refused(each, monkeypatch):
    for policy in REFUSED:
        with pytest.raises(ValueError, match="`dtype` must be one of"):
            each.make(**each.good, dtype=policy)
    before = keras.config.dtype_policy()
    for policy in ("float16", "float64"):
        keras.config.set_dtype_policy(policy)
        try:
            with pytest.raises(ValueError, match="`dtype` must be one of"):
                each.make(**each.good)
        finally:
            keras.config.set_dtype_policy(before)


def test_another_precision_of_everything_is_refused():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        with pytest.raises(ValueError, match="floatx"):
            kp.models.PixelCNN((4, 5, 1), kp.distributions.Bernoulli(), dtype="float32")
    finally:
        keras.config.set_floatx(before)
