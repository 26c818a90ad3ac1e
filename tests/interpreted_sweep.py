"""Run by test_gpu_sweep.py under JAX: layers and whole models, by the loop and by the kernel."""

import jax
import keras
import numpy as np

import keras_pixelrnn as kp
from keras_pixelrnn import backend
from keras_pixelrnn.backend import gpu_sweep

H = 16  # the smallest that the kernel takes


def compared(layer, shape):
    """Output and gradients by the loop and by the kernel agree; some of them are not zero."""
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer.build(shape)
    weight = np.random.default_rng(1).normal(size=(*shape[:-1], H)).astype("float32")
    weights = [variable.value for variable in layer.trainable_variables]

    def loss(weights, x):
        out, _ = layer.stateless_call(weights, [], x)
        return keras.ops.sum(out * weight), out

    run = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
    (_, out), gradients = run(weights, x)
    with interpreted() as calls:
        (_, fused), fused_gradients = run(weights, x)
    assert calls, "the kernel was not used"
    np.testing.assert_allclose(fused, out, atol=1e-5)
    for found, wanted in zip(jax.tree.leaves(fused_gradients), jax.tree.leaves(gradients)):
        assert np.abs(wanted).max() > 0
        np.testing.assert_allclose(found, wanted, atol=2e-5 * float(np.abs(wanted).max()))


class interpreted:
    """While it is entered, maps that the kernel takes go through it."""

    def __enter__(self):
        calls = []

        def chosen(units, positions):
            if not gpu_sweep.fits(units, positions):
                return None
            calls.append((units, positions))
            return call

        def call(z, kernel, taps, diagonal):
            return gpu_sweep.gpu_sweep(z, kernel, taps, diagonal, True)

        self.before, backend.fused_sweep = backend.fused_sweep, chosen
        return calls

    def __exit__(self, *_):
        backend.fused_sweep = self.before


compared(kp.layers.RowLSTM(H), (2, 3, 6, 5))
compared(kp.layers.DiagonalBiLSTM(H, colors=3), (2, 3, 6, 15))
assert not gpu_sweep.fits(12, 5)
assert not gpu_sweep.fits(16, 200)

images = np.random.default_rng(2).integers(0, 2, (2, 4, 6, 1)).astype("uint8")
keras.utils.set_random_seed(0)
model = kp.models.MultiScalePixelRNN((4, 6, 1), kp.distributions.Bernoulli(), units=H, num_blocks=1)
by_loop = model.log_prob(images)
with interpreted() as calls:
    again = type(model).from_config(model.get_config())
    again(keras.Input((4, 6, 1), dtype="uint8"))  # a symbolic call, without a number of images
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.log_prob(images), by_loop, rtol=1e-5)
assert calls
