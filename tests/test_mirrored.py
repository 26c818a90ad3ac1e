"""Training under `tf.distribute.MirroredStrategy`, in a process of its own, which has two devices."""

import subprocess
import sys

import pytest

MIRRORED = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras, keras_pixelrnn as kp
images = np.random.default_rng(0).integers(0, 5, (16, 4, 5, 1)).astype(np.uint8)
labels = np.arange(16) % 3

def trained(strategy):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = kp.models.PixelCNN(
            (4, 5, 1), kp.distributions.Categorical(5), units=4, num_blocks=1, num_classes=3
        )
        bits = kp.metrics.BitsPerDimension(model.distribution)
        loss = kp.losses.NegativeLogLikelihood(model.distribution)
        model.compile(keras.optimizers.SGD(0.01), loss=loss, metrics=[bits])
    data = tf.data.Dataset.from_tensor_slices((images[:13], labels[:13])).batch(5)  # of 3 and 2

    def weights():
        return np.concatenate([weight.ravel() for weight in model.get_weights()])

    losses = model.fit(data, validation_data=data, epochs=2, verbose=0).history
    losses["arrays"] = model.evaluate(images, labels, batch_size=8, verbose=0)
    losses["weights"] = weights()
    model.compile(
        keras.optimizers.SGD(0.001),
        loss=kp.losses.NegativeLogLikelihood(model.distribution, reduction="sum"),
    )
    model.fit(data, verbose=0)  # shows sums of the devices
    losses["by sums"] = weights()
    model.compile(
        keras.optimizers.SGD(0.001),
        loss=kp.losses.NegativeLogLikelihood(
            model.distribution, reduction="mean_with_sample_weight"
        ),
    )
    weighted = tf.data.Dataset.from_tensor_slices((images[:13], labels[:13], np.arange(13.0)))
    model.fit(weighted.batch(5), verbose=0)  # shows the mean of the devices' means
    losses["by weights"] = weights()
    one = kp.losses.NegativeLogLikelihood(model.distribution)
    forms = [one], {model.output_names[0]: one}, lambda image, params: one(image, params)
    for number, form in enumerate(forms):
        model.compile(keras.optimizers.SGD(0.001), loss=form)
        model.fit(data, verbose=0)
        losses[f"in form {number}"] = weights()
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = kp.models.PixelCNN((4, 5, 1), model.distribution, units=4, num_blocks=1)
        model.compile(keras.optimizers.SGD(0.01))
    for variable in model.trainable_variables:
        variable.regularizer = keras.regularizers.L2(0.1)
    history = model.fit(images[:13], batch_size=5, shuffle=False, verbose=0).history
    losses["regularised"] = history["loss"]
    losses["pulled"] = weights()
    try:
        model.fit(tf.data.Dataset.from_tensor_slices(images + 3).batch(8), verbose=0)
    except ValueError as error:
        assert "Values of `images` must lie in 0 .. 4" in str(error)
    else:
        raise AssertionError("bad images went through")
    return losses

mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert mirrored.num_replicas_in_sync == 2
together, alone = trained(mirrored), trained(tf.distribute.get_strategy())
for key, values in alone.items():
    np.testing.assert_allclose(together[key], values, rtol=1e-4, atol=1e-6, err_msg=key)
"""


@pytest.mark.slow
def test_mirrored_training_is_the_same_training():
    out = subprocess.run([sys.executable, "-c", MIRRORED], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr[-3000:]
