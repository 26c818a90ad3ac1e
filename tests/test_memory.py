"""A model that nobody holds any more leaves nothing behind.

Of a training, the optimizers of Keras leave their graph behind: their sum over devices has a gradient in
TensorFlow's register that is never taken out."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp

IMAGES = np.zeros((2, 3, 4, 1), np.uint8)

USES = {
    "scores": lambda model: model.log_prob(IMAGES),
    "is evaluated": lambda model: model.evaluate(IMAGES, verbose=0),
    "draws": lambda model: model.sample(2, seed=0),
    "completes": lambda model: model.complete(IMAGES, np.zeros(IMAGES.shape[:3], bool), seed=0),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("recurrence", ["diagonal", "row"])
def test_a_model_and_its_graphs_can_be_forgotten(use, recurrence):
    model = kp.models.PixelRNN(
        IMAGES.shape[1:], kp.distributions.Bernoulli(), units=2, num_blocks=1, recurrence=recurrence
    )
    model.compile("adam")
    USES[use](model)
    weights = [weakref.ref(variable.value) for variable in model.variables]
    del model
    gc.collect()
    assert not [weight for weight in weights if weight() is not None]


@pytest.mark.parametrize("persistent", [True, False])
def test_a_gradient_is_there_as_long_as_its_graph(persistent):
    @kp.backend.custom_gradient
    def triple(x):
        return 3.0 * x, lambda upstream: 30.0 * upstream

    @tf.function
    def slope(x):
        with tf.GradientTape(persistent=persistent) as tape:
            tape.watch(x)
            y = triple(x)
        return tape.gradient(y, x)

    called = tf.function(triple)
    x = tf.constant(2.0)
    gc.collect()
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = called(x)
    assert (y, slope(x), tape.gradient(y, x)) == (6.0, 30.0, 30.0)
