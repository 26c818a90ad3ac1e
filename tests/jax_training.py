"""Training under JAX in a process without TensorFlow: several steps in one dispatch, on data that the
device holds. Run by `tests/test_jax_training.py`."""

import pathlib
import sys

import jax
import keras
import numpy as np

import keras_pixelrnn as kp
from keras_pixelrnn.backend import several_steps
from keras_pixelrnn.training import progress
from keras_pixelrnn.training.resumable import resumable_fit
from tests.resuming import Kill, KillAt

SHAPE, BATCH, STEPS, EPOCHS = (4, 5, 1), 8, 4, 2
IMAGES = np.random.default_rng(0).integers(0, 2, (40, *SHAPE)).astype(np.uint8)
DATA = kp.data.from_array(
    {"train": IMAGES, "validation": IMAGES[:8], "test": IMAGES[:8]}, values="binary"
)


def train(folder, steps_per_execution, resident, callbacks=(), minutes=None):
    """History without times, and every variable at the end."""
    keras.utils.set_random_seed(3)
    model = kp.models.PixelCNN(
        SHAPE, kp.distributions.Bernoulli(), units=4, num_blocks=1, dropout=0.4
    )
    model.compile(
        keras.optimizers.Adam(1e-2, global_clipnorm=5.0, use_ema=True),
        metrics=[kp.metrics.BitsPerDimension(model.distribution)],
        steps_per_execution=steps_per_execution,
    )
    batches = DATA.numbers if resident else DATA.training
    reached = resumable_fit(
        model,
        lambda seen: batches(BATCH, seed=1, first_step=seen),
        epochs=EPOCHS,
        steps_per_epoch=STEPS,
        validation_data=DATA.evaluation("validation", BATCH),
        folder=folder,
        callbacks=callbacks,
        minutes=minutes,
        resident=(DATA.whole("train"),) if resident else None,
        verbose=0,
    )
    if resident:
        assert model.train_function is None, "another `fit` makes its own"
    rows = [[v for k, v in row.items() if k != "seconds"] for row in reached.rows]
    return rows, progress.capture(model, ("model", "optimizer"))


def assert_close(first, second, atol):
    np.testing.assert_allclose(first[0], second[0], atol=atol)
    for name, array in first[1].items():
        np.testing.assert_allclose(second[1][name], array, atol=atol, rtol=0, err_msg=name)


def killed(folder, *arguments):
    """Before its second execution; then the rest of it."""
    try:
        train(folder, *arguments, [KillAt(1)], 1e-9)
    except Kill:
        assert len(list(folder.glob("state-*.npz"))) == 2
    else:
        raise AssertionError("the training ended before it was killed")
    return train(folder, *arguments, minutes=1e-9)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[-1])
    jax.config.update("jax_compilation_cache_dir", str(folder / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    one_by_one = train(folder / "one", 1, resident=False)
    assert len(one_by_one[0]) == EPOCHS
    assert_close(one_by_one, train(folder / "cpu", 2, resident=True), atol=0)
    several_steps.looped = lambda: True  # as on a GPU
    several = train(folder / "several", 2, resident=True)
    assert_close(one_by_one, several, atol=1e-6)
    assert_close(several, killed(folder / "killed", 2, True), atol=0)
