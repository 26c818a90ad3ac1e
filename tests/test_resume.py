"""A training that is killed goes on as if it had not been."""

import os
import resource
import signal

import keras
import numpy as np
import pytest

from keras_pixelrnn.training import archive, progress, results, run
from keras_pixelrnn.training.checkpoints import Checkpoints
from keras_pixelrnn.training.lock import only_one
from keras_pixelrnn.training.settings import Settings
from keras_pixelrnn.training.stopping import Stopped, Stopping
from tests import conformance, resuming

WITHIN = {"minutes": 1e-9}  # a checkpoint at every batch


@pytest.fixture(scope="module")
def training():
    return resuming.Training()


@pytest.fixture(scope="module")
def whole(training, tmp_path_factory):
    """The training that nobody interrupts."""
    return training.run(tmp_path_factory.mktemp("whole"))


def test_killed_between_checkpoints(tmp_path, training, whole):
    """The epoch in progress is done again, from its beginning: in the same way."""
    resuming.assert_same(whole, training.run_with_kills(tmp_path, [3, 7, 1]))


def test_killed_within_an_epoch(tmp_path, training, whole):
    kills = [3, 1, 4, 2]
    resuming.assert_same(whole, training.run_with_kills(tmp_path, kills, **WITHIN))
    assert len(list(tmp_path.glob("state-*.npz"))) == 2


def test_killed_with_several_steps_per_execution(tmp_path):
    """Executions of 2 steps: an epoch of 5 takes 6 batches."""
    training = resuming.Training(steps_per_execution=2)
    whole = training.run(tmp_path / "whole")
    killed = training.run_with_kills(tmp_path / "killed", [2, 1, 3], **WITHIN)
    resuming.assert_same(whole, killed)
    assert killed[1]["optimizer/0000"] == 18


def test_killed_while_a_checkpoint_is_written_or_judged(tmp_path, training, whole, monkeypatch):
    """Before the move of the file, after it, and within a validation."""
    replaced = os.replace

    def before(*paths):
        raise resuming.Kill

    def after(*paths):
        replaced(*paths)
        raise resuming.Kill

    def in_validation(*args, **kwargs):
        raise resuming.Kill

    with pytest.raises(resuming.Kill):
        training.run(tmp_path, [resuming.KillAt(7)])
    for owner, name, planted in [
        (os, "replace", before),
        (os, "replace", after),
        (type(training.model), "evaluate", in_validation),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, planted)
            with pytest.raises(resuming.Kill):
                training.run(tmp_path)
    resuming.assert_same(whole, training.run(tmp_path))


class Signal(keras.callbacks.Callback):
    """A signal comes while a batch is in progress."""

    def __init__(self, stopping, batch):
        super().__init__()
        self.stopping, self.batch = stopping, batch

    def on_train_batch_end(self, batch, logs=None):
        if batch == self.batch:
            self.stopping.signal = signal.SIGTERM


def test_told_to_stop(tmp_path, training, whole):
    """What was done is kept, and not done again: within an epoch, and where only its validation is
    left to do."""
    for batch, done in [(2, 3), (1, 5)]:  # the second batch after 3 is the last of its epoch
        with Stopping() as stopping, pytest.raises(Stopped) as stopped:
            training.run(tmp_path, [Signal(stopping, batch)], stopping)
        assert stopped.value.code == 143
        manifest, _ = Checkpoints(tmp_path).load()
        assert (manifest["progress"]["step"], manifest["progress"]["batches"]) == (done, done)
    resuming.assert_same(whole, training.run(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_before_there_is_a_checkpoint(number, tmp_path, monkeypatch, capsys):
    """It does not promise what --resume would refuse."""
    monkeypatch.setattr(run, "load_data", lambda settings: os.kill(os.getpid(), number))
    with pytest.raises(Stopped) as stopped:
        run.train(Settings(output=tmp_path))
    assert stopped.value.code == 128 + number
    assert "nothing was begun. Start it again" in capsys.readouterr().err


# A multi-scale model is two of the others.
KINDS = {c.name.split("-")[0]: c for c in reversed(conformance.MODELS)}
KINDS["multi_scale"] = pytest.param(KINDS["multi_scale"], marks=pytest.mark.slow)


@pytest.mark.every_model
@pytest.mark.parametrize("case", KINDS.values(), ids=str)
def test_the_state_is_everything(case, tmp_path):
    """Every variable of every kind of model and of its optimizer comes back from a checkpoint."""

    def make():
        model = case.make(dropout=0.3)
        model.compile(keras.optimizers.Adam(1e-3, use_ema=True))
        model.optimizer.build(model.trainable_variables)
        return model

    model, rng = make(), np.random.default_rng(0)
    for variable in [*model.variables, *model.optimizer.variables]:
        variable.assign(rng.integers(1, 99, variable.shape).astype(str(variable.dtype)))
    Checkpoints(tmp_path).save(1, {}, progress.capture(model))
    again = make()
    progress.restore(again, Checkpoints(tmp_path).load()[1])
    for a, b in zip(
        [*model.variables, *model.optimizer.variables],
        [*again.variables, *again.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b), err_msg=a.path)
    other = conformance.QUICK.make(units=6)
    other.compile("adam")
    other.optimizer.build(other.trainable_variables)
    with pytest.raises(ValueError, match="another model"):
        progress.restore(other, Checkpoints(tmp_path).load()[1])


def test_any_flipped_byte_is_seen(tmp_path):
    path = tmp_path / "state.npz"
    arrays = {"a": np.arange(5.0), "b": np.zeros((2, 3), np.uint32)}
    archive.write(path, {"epoch": 3}, arrays)
    manifest, found = archive.read(path)
    assert manifest == {"epoch": 3}
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(np.load(path)[name], array)
    good = path.read_bytes()
    for index in range(len(good)):
        bad = bytearray(good)
        bad[index] ^= 1 << (index % 8)
        path.write_bytes(bad)
        with pytest.raises(archive.Damaged, match=r"state\.npz"):
            archive.read(path)
    for size in (0, 10, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:size])
        with pytest.raises(archive.Damaged, match=r"state\.npz"):
            archive.read(path)


def test_a_damaged_checkpoint_is_refused_and_the_one_before_offered(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for batches in (1, 2, 3):
        checkpoints.save(batches, {"batches": batches}, {"a": np.zeros(3)})
    assert [path.name for path in checkpoints.paths()] == [
        "state-000000000002.npz",
        "state-000000000003.npz",
    ]
    newest = checkpoints.paths()[-1]
    newest.write_bytes(newest.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match=r"000003\.npz is damaged.*000002\.npz"):
        checkpoints.load()
    newest.unlink()
    assert checkpoints.load()[0] == {"batches": 2}


def test_a_damaged_history_decides_nothing(tmp_path, training, whole):
    """Which weights are best is in the checkpoint; the file is written anew."""
    with pytest.raises(resuming.Kill):
        training.run(tmp_path, [resuming.KillAt(7)])
    (tmp_path / "history.csv").write_bytes(b"epoch,loss,val_loss\n0,nan,-99\n\0half")
    resuming.assert_same(whole, training.run(tmp_path))
    assert b"-99" not in (tmp_path / "history.csv").read_bytes()


@pytest.mark.parametrize("text", ["", "{half", "7"])
def test_a_damaged_plan_of_the_results_is_named(text, tmp_path):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(ValueError, match=r"results\.json is damaged. Delete it"):
        results.finished_epochs(tmp_path)


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, {}, {"a": np.zeros(100)})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"Cannot write .*000000000002\.npz.*go on with --resume"):
            checkpoints.save(2, {}, {"a": np.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["state-000000000001.npz"]
    assert checkpoints.load() is not None


def test_one_training_in_a_folder(tmp_path):
    refused = pytest.raises(ValueError, match="Another process trains into")
    with only_one(tmp_path), refused, only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass
