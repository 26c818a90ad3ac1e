"""A training of any Keras model goes on as the one that was begun, alone, or is refused by name."""

import threading

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.training.begun import check_same, facts
from keras_pixelrnn.training.progress import Progress
from keras_pixelrnn.training.resumable import resumable_fit

SGD, D = keras.optimizers.SGD, kp.distributions
X = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)


def made(optimizer=None, **options):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])
    model.compile(optimizer or SGD(0.1), loss=options.pop("loss", "mse"), **options)
    return model


def batches(seen):
    while True:
        yield X, X[:, :1]


def fit(model, folder, **given):
    given = {
        "epochs": 1,
        "steps_per_epoch": 4,
        "validation_data": (lambda *_: {"loss": 1.0}),
        **given,
    }
    return resumable_fit(model, given.pop("batches", batches), folder=folder, verbose=0, **given)


class Kill(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 2:
            raise KeyboardInterrupt


def drawn(distribution):
    model = made()
    model.distribution = distribution
    return model


def of_layers(**options):
    """A model of all kinds of settings that no variable tells of."""
    options = {"rate": 0.5, "dtype": "float32", "frozen": False, "nested": 0.1, **options}
    inner = keras.Sequential([keras.layers.GaussianNoise(options["nested"])])
    x = inputs = keras.Input((2,))
    for layer in (
        *([keras.layers.ReLU()] * ("relu" in options)),
        keras.layers.Dense(2, dtype=options["dtype"]),
        keras.layers.Dropout(options["rate"]),
        inner,
    ):
        x = layer(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.layers[1].trainable = not options["frozen"]
    model.compile(SGD(0.1), options.get("loss", "mse"))
    return model


SCALED = keras.optimizers.LossScaleOptimizer
OTHERS = {
    "monitor": ((made(), "loss"), (made(), "mae")),
    "optimizer": ((made(SGD(momentum=0.9)), ""), (made(keras.optimizers.RMSprop()), "")),
    "SGD.momentum": ((made(SGD(momentum=0.9)), ""), (made(SGD(momentum=0.5)), "")),
    "SGD.nesterov": (
        (made(SCALED(SGD(momentum=0.9))), ""),
        (made(SCALED(SGD(momentum=0.9, nesterov=True))), ""),
    ),
    "distribution": (
        (drawn(D.DiscretizedLogisticMixture(5, num_mixtures=2)), ""),
        (drawn(D.DiscretizedNormalMixture(5, num_mixtures=2)), ""),
    ),
    "loss": ((of_layers(), ""), (of_layers(loss="mae"), "")),
    "Dropout.rate": ((of_layers(), ""), (of_layers(rate=0.25), "")),
    "Dense.dtype": ((of_layers(), ""), (of_layers(dtype="mixed_bfloat16"), "")),
    "frozen_weights": ((of_layers(), ""), (of_layers(frozen=True), "")),
    "GaussianNoise.stddev": ((of_layers(), ""), (of_layers(nested=0.2), "")),
}


def same(before, now, execution=1, **given):
    progress = Progress(begun=facts(*before), steps=8, lowest=1.0, **given)
    options = {"epochs": 9, "steps": 8, "settings": None, "folder": "runs/mine"}
    check_same(progress, None, execution=execution, made=facts(*now), **options)


@pytest.mark.parametrize("name", OTHERS)
def test_what_variables_do_not_tell_is_compared(name):
    before, now = OTHERS[name]
    same(before, before)
    same((of_layers(), ""), (of_layers(), ""))  # names and seeds that Keras makes up
    with pytest.raises(ValueError, match=rf"Received: .*{name}=.*, begun with {name}="):
        same(before, now)


@pytest.mark.parametrize(
    ("name", "without", "having"),
    [("loss", made(loss=None), made()), ("layers", of_layers(), of_layers(relu=True))],
)
def test_what_comes_or_goes_is_seen(name, without, having):
    for before, now in ((without, having), (having, without)):
        with pytest.raises(ValueError, match=rf"Received: .*{name}=.*, begun with {name}="):
            same((before, ""), (now, ""))


def test_a_rate_planned_for_more_epochs_goes_on():
    plans = [keras.optimizers.schedules.CosineDecay(0.1, n) for n in (10, 20)]
    same(*((made(SGD(plan)), "loss") for plan in plans))


def test_an_epoch_in_progress_ends_with_its_steps():
    model = (made(), "loss")
    same(model, model, step=2, execution=3)
    with pytest.raises(ValueError, match=r"steps_per_execution=4, with 6 steps of an epoch"):
        same(model, model, step=2, execution=4)


def test_sums_of_other_metrics_are_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(made(), tmp_path, callbacks=[Kill()], minutes=1e-9)
    with pytest.raises(ValueError, match="metrics variables of another model"):
        fit(made(metrics=["mae"]), tmp_path)


def test_metrics_may_be_added_between_epochs(tmp_path):
    fit(made(), tmp_path)
    fit(made(metrics=["mae"]), tmp_path, epochs=2)
    first, *rows = (tmp_path / "history.csv").read_text().splitlines()
    assert "mae" in first
    assert len(rows) == 2


@pytest.mark.parametrize(
    "found", [np.float32(1), np.ones(1), keras.ops.convert_to_tensor(1.0), np.ones((1, 1))]
)
def test_metrics_of_any_type_are_kept(found, tmp_path):
    reached = fit(made(), tmp_path, validation_data=lambda *_: {"loss": found, "each": np.ones(3)})
    assert (reached.lowest, reached.rows[0]["val_each"]) == (1.0, [1.0] * 3)
    seen = []
    fit(made(), tmp_path, batches=lambda at: seen.append(at) or batches(at))
    assert not seen, "the epoch was lost"


@pytest.mark.parametrize(
    "found", [3.0, None, {"loss": None}, {"loss": "low"}, {"loss": np.ones(2)}]
)
def test_what_is_no_judgement_keeps_the_epoch(found, tmp_path):
    with pytest.raises(ValueError, match=r"The epoch is kept.*Received"):
        fit(made(), tmp_path, validation_data=lambda *_: found)
    assert fit(made(), tmp_path).batches == 4


@pytest.mark.parametrize("execution", [1, 2])
def test_batches_that_end_are_no_whole_epoch(execution, tmp_path):
    def ends(seen):
        yield from [(X, X[:, :1])] * 2

    with pytest.raises(ValueError, match=r"`batches` must .*ended in epoch 0 after 2 of 6 batches"):
        fit(made(steps_per_execution=execution), tmp_path, steps_per_epoch=6, batches=ends)


def test_two_in_one_folder(tmp_path):
    entered, left, found = threading.Event(), threading.Event(), []

    def wait(*_):
        entered.set()
        assert left.wait(60)
        return {"loss": 1.0}

    def first():
        found.append(fit(made(), tmp_path / "deep" / "er", validation_data=wait))

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(60)
    try:
        with pytest.raises(ValueError, match=r"trains into .*deep/er"):
            fit(made(), tmp_path / "deep" / "er")
    finally:
        left.set()
        thread.join()
    assert found[0].batches == 4
    assert fit(made(), tmp_path / "deep" / "er", epochs=2).batches == 8
