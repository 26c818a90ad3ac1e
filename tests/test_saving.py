"""Every standard way to keep a model keeps every variable of it, frozen flags and random state too."""

import copy
import os
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import conformance

# A multi-scale model is two of the others.
CASES = [
    pytest.param(case, marks=pytest.mark.slow) if "multi_scale" in case.name else case
    for case in conformance.MODELS
]


def trained(case, seed=0):
    """A model whose weights, optimizer and dropout are all past their beginning."""
    model = conformance.randomised(case.make(dropout=0.3), seed=seed)
    model.compile(keras.optimizers.Adam(1e-3, use_ema=True))
    state = model.optimizer
    state.build(model.trainable_variables)
    rng = np.random.default_rng(seed)
    for variable in everything(model):
        kind = np.dtype(str(variable.dtype)).kind
        drawn = (
            rng.normal(size=variable.shape) if kind == "f" else rng.integers(1, 99, variable.shape)
        )
        variable.assign(np.asarray(drawn).astype(str(variable.dtype)))
    return model


def everything(model):
    optimizer = model.optimizer.variables if getattr(model, "optimizer", None) else []
    return [*model.variables, *optimizer]


def assert_same(first, second):
    assert len(everything(first)) == len(everything(second))
    for a, b in zip(everything(first), everything(second)):
        assert a is not b
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b), err_msg=a.path)


def by_file(model, folder):
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def by_weights(model, folder):
    model.save_weights(folder / "model.weights.h5")
    other = copy.deepcopy(model)
    for variable in everything(other):
        variable.assign(variable * 0)
    other.load_weights(folder / "model.weights.h5")
    return other


def by_checkpoint(model, folder):
    path = tf.train.Checkpoint(model=model, optimizer=model.optimizer).save(str(folder / "check"))
    other = copy.deepcopy(model)
    for variable in everything(other):
        variable.assign(variable * 0)
    restored = tf.train.Checkpoint(model=other, optimizer=other.optimizer).restore(path)
    restored.assert_existing_objects_matched()
    return other


WAYS = {
    "file": by_file,
    "weights": by_weights,
    "tf.train.Checkpoint": by_checkpoint,
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "deepcopy": lambda model, folder: copy.deepcopy(model),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_all_variables_come_back(case, tmp_path):
    model = trained(case)
    for way, restored in WAYS.items():
        folder = tmp_path / way
        folder.mkdir()
        assert_same(model, restored(model, folder))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_frozen_stays_frozen(case, tmp_path):
    def parts(model):
        return [
            [part.trainable for part in kind] for kind in (model._flatten_layers(), model.weights)
        ]

    def inner(model):
        model.network._layers[0].trainable = False

    def one_weight(model):
        model.weights[1].trainable = False

    def but_one(model):
        model.trainable = False
        model.network._layers[-1].trainable = True

    model = case.make()
    for freeze in (lambda model: setattr(model, "trainable", False), inner, one_weight, but_one):
        freeze(model)
        before = parts(model)
        assert not all(before[1])
        again = by_file(model, tmp_path)
        assert parts(again) == before
        assert len(again.trainable_variables) == len(model.trainable_variables)
        model.trainable = True


@pytest.mark.parametrize("case", conformance.MODELS, ids=str)
def test_a_clone_is_the_same_function(case):
    """`clone_model` makes a plain functional model, with weights of its own."""
    model = case.make()
    clone = keras.models.clone_model(model)
    assert not {id(v) for v in clone.weights} & {id(v) for v in model.weights}
    clone.set_weights(model.get_weights())
    images = conformance.random_images(model, 3)
    given = conformance.given_of(model, 3)
    inputs = [images, *given] if given else images
    np.testing.assert_array_equal(clone(inputs), model(inputs))


def test_keras_callbacks_keep_the_random_state(tmp_path):
    """Killed after an epoch and brought back by Keras's own callbacks: as if it had not been."""
    images = conformance.random_images(conformance.QUICK.make(), 8)

    def fit(epochs, *callbacks):
        keras.utils.set_random_seed(0)
        model = conformance.QUICK.make(dropout=0.5)
        model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
        model.fit(
            images, batch_size=4, shuffle=False, epochs=epochs, verbose=0, callbacks=callbacks
        )
        return model

    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    whole = fit(2)
    for kept in (
        keras.callbacks.BackupAndRestore(str(tmp_path / "backup")),
        keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras")),
    ):
        with pytest.raises(KeyboardInterrupt):
            fit(2, kept, Kill())
    assert_same(whole, fit(2, keras.callbacks.BackupAndRestore(str(tmp_path / "backup"))))
    again = keras.models.load_model(tmp_path / "1.keras")
    again.fit(images, batch_size=4, shuffle=False, epochs=1, verbose=0)
    assert_same(whole, again)


@pytest.mark.parametrize("ours", [True, False])
def test_keras_trains_twice_on_what_it_brings_back_within_an_epoch(ours, tmp_path):
    """`BackupAndRestore` with a number of steps, with any model: docs/how-to/resume.md says so."""
    small = {"image_shape": (3, 4, 1), "num_blocks": 1}
    images = conformance.random_images(conformance.QUICK.make(**small), 8)

    class Kill(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 3:  # one of two of the second epoch
                raise KeyboardInterrupt

    def fit(*callbacks):
        if ours:
            model, data = conformance.QUICK.make(**small), (images,)
        else:
            model = keras.Sequential([keras.Input(images.shape[1:]), keras.layers.Dense(1)])
            data = (images, images)
        model.compile("sgd", None if ours else "mse", jit_compile=False)
        kept = keras.callbacks.BackupAndRestore(str(tmp_path / "backup"), save_freq=1)
        model.fit(
            *data, batch_size=4, shuffle=False, epochs=2, verbose=0, callbacks=[kept, *callbacks]
        )
        return model

    with pytest.raises(KeyboardInterrupt):
        fit(Kill())
    assert fit().optimizer.iterations == 3 + 2


def test_a_file_without_random_states_loads(tmp_path, monkeypatch):
    model = conformance.QUICK.make(dropout=0.3)
    monkeypatch.setattr(
        "keras_pixelrnn.layers.dropout.Dropout.save_own_variables", lambda self, store: None
    )
    again = by_file(model, tmp_path)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("ending", [".h5", ".hdf5"])
def test_the_legacy_format_is_refused(ending, tmp_path):
    path = tmp_path / f"model{ending}"
    with pytest.raises(
        ValueError, match="The legacy format leaves out the random state of dropout"
    ):
        conformance.QUICK.make(num_blocks=1).save(path)
    assert not path.exists()


ORBAX = """
import sys, pathlib
import keras, numpy as np, orbax.checkpoint
from tests import conformance
from tests.test_saving import assert_same, trained

for case in conformance.SPANNING:
    if "multi_scale" in case.name:
        continue  # its two networks have variables of the same names, which Keras refuses
    keras.utils.clear_session()  # so that optimizer and random states are called as in a new process
    model = trained(case)
    folder = pathlib.Path(sys.argv[1]) / case.name
    with orbax.checkpoint.StandardCheckpointer() as kept:
        kept.save(folder, model.get_state_tree())
        kept.wait_until_finished()
        tree = kept.restore(folder)
    keras.utils.clear_session()
    again = trained(case, seed=1)
    again.set_state_tree(tree)
    assert_same(model, again)
print("the same")
"""


@pytest.mark.slow
def test_orbax_on_jax(tmp_path):
    pytest.importorskip("orbax.checkpoint")
    out = subprocess.run(
        [sys.executable, "-c", ORBAX, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert out.stdout.endswith("the same\n"), out.stderr[-3000:]
