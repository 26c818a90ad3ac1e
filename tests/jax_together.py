"""Training on several devices against training on one. As a program, without TensorFlow: one process of
four devices (run by `tests/test_jax_training.py`) or each of two that have two
(`tests/test_distribute.py`)."""

import os
import pathlib
import sys

import keras
import numpy as np

import keras_pixelrnn as kp
from keras_pixelrnn import backend
from keras_pixelrnn.backend import devices
from keras_pixelrnn.training import fit, schedule

STEPS = 20


class Losses(keras.callbacks.Callback):
    """Loss of each step: Keras tells the mean of those so far."""

    def __init__(self):
        super().__init__()
        self.means = []

    def on_train_batch_end(self, batch, logs=None):
        self.means.append(float(logs["loss"]))

    def values(self):
        return np.diff(np.arange(len(self.means) + 1) * np.array([0.0, *self.means]))


def train(team, folder, data, dropout=0.4):
    """Losses of all steps, the history's row and the weights at the end."""
    settings = kp.training.Settings(
        model="pixelcnn",
        units=4,
        num_blocks=1,
        dropout=dropout,
        batch_size=8,
        epochs=1,
        clipnorm=2.0,
        distribute=team.devices > 1,
        output=folder,
    )
    keras.utils.set_random_seed(3)
    losses = Losses()
    with team:
        model = kp.training.make_model(settings, data)
        schedule.compile_model(settings, model, STEPS)
        progress = fit.fit(settings, model, data, callbacks=[losses], team=team)
        weights = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    return losses.values(), progress.rows[0], weights


def images():
    """160 training images, and of the others a last batch that is not full."""
    values = np.random.default_rng(0).integers(0, 3, (200, 4, 5, 1)).astype(np.uint8)
    sets = {"train": values[:160], "validation": values[160:173], "test": values[173:]}
    return kp.data.from_array(sets, values="integers", levels=3)


def assert_same(together, alone):
    losses, row, weights = together
    assert len(losses) == STEPS
    np.testing.assert_allclose(losses, alone[0], atol=1e-4)
    for name, value in alone[1].items():
        if name != "seconds":
            np.testing.assert_allclose(row[name], value, atol=1e-4, err_msg=name)
    for weight, value in zip(weights, alone[2], strict=True):
        np.testing.assert_allclose(weight, value, atol=1e-4)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[-1])
    team = backend.Team()
    assert (team.devices, team.processes) == (4, int(os.environ.get(devices.COUNT, 1)))
    together = train(team, folder / "together", images())
    team.disband()
    if team.rank == 0:
        assert_same(together, train(backend.Team(distribute=False), folder / "alone", images()))
        print("the same")
