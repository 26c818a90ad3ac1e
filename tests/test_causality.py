"""No model sees the pixel it predicts or a later one; every model sees all it promises."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from tests import context_map
from tests.conformance import MODELS, given_of, random_images, randomised


def dependencies(model, bases=3):
    """`(n, m)` bool: does sub-pixel [source] move the parameters of [target]?

    Targets are sub-pixels, or pixels where the distribution orders the colours of a pixel itself.
    Perturbed and base image lie in the same slot of equal batches and are compared exactly, so that
    rounding cannot hide a leak nor feign one. A few base images: one may sit where a gate is shut.
    """
    shape, levels = model.image_shape, model.distribution.levels
    n = int(np.prod(shape))
    targets = n if model.distribution.masks_channels else n // shape[2]
    given = [tf.constant(value.repeat(n, axis=0)) for value in given_of(model, 1)]
    run = tf.function(lambda x: model([x, *given] if given else x, training=False), autograph=False)
    moved = np.zeros((n, targets), bool)
    for base in random_images(model, bases):
        images = np.repeat(base[None], n, axis=0)
        perturbed = images.reshape(n, n).copy()
        perturbed[np.arange(n), np.arange(n)] = (
            perturbed[np.arange(n), np.arange(n)] + levels // 2
        ) % levels
        changed = run(perturbed.reshape(images.shape)).numpy() != run(images).numpy()
        moved |= changed.reshape(n, targets, -1).any(-1)
    return moved


@pytest.mark.every_model
@pytest.mark.parametrize("case", MODELS, ids=str)
def test_sees_all_it_promises_and_nothing_else(case, model_of):
    model = model_of(case)
    height, width, channels = model.image_shape
    if model.distribution.masks_channels:
        expected = case.promised(model.image_shape)
    else:  # pixels see pixels; their colours are the distribution's business
        expected = case.promised((height, width, 1))
    if "multi_scale" not in case.name:  # which draws in another order
        assert not np.tril(expected).any()
    # Some weights leave all ReLUs of a small colour group shut; hardly all of them the same.
    if not model.distribution.masks_channels:
        expected = expected.repeat(channels, axis=0)
    moved = dependencies(model)
    for seed in range(1, 4):
        if (moved != expected).any():
            moved |= dependencies(randomised(case.make(), seed=seed))
    np.testing.assert_array_equal(moved, expected)


def test_what_each_architecture_sees():
    """Pictures of the promised context of the pixel `o`; 6x11 grey, two blocks."""
    shape = (6, 11, 1)

    def picture(block):
        return context_map.picture(context_map.stack(shape, [block] * 2), shape, 4, 4)

    # Everything but the last pixel of the row above: mask A hides it from the only features of that
    # row that stand under it. From column W - 4 on the 7x7 layer reaches it.
    assert picture(context_map.diagonal) == [
        "###########",
        "###########",
        "###########",
        "##########.",
        "####o......",
        "...........",
    ]
    # A triangle opening upwards.
    assert picture(context_map.row) == [
        "###########",
        "##########.",
        "#########..",
        "########...",
        "####o......",
        "...........",
    ]
    # PixelCNN has a blind spot to the right: each 3x3 layer reaches one row and one column further,
    # so with two of them no more than 3 + 2 columns; and bounded context: 3 + 2 rows.
    assert picture(context_map.convolution_3x3) == [
        "##########.",
        "##########.",
        "#########..",
        "########...",
        "####o......",
        "...........",
    ]


@pytest.mark.parametrize("recurrence", ["diagonal", "row"])
def test_causal_from_the_start_and_after_training(recurrence, tmp_path):
    model = kp.models.PixelRNN(
        (4, 3, 3), kp.distributions.Categorical(5), recurrence, units=4, num_blocks=1
    )
    assert not np.tril(dependencies(model)).any(), "at step 0"
    model.compile(keras.optimizers.Adam(0.1))
    model.fit(random_images(model, 8), epochs=1, verbose=0)
    trained = dependencies(model)
    assert not np.tril(trained).any(), "after training"
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(dependencies(reloaded), trained)


def test_causal_in_mixed_precision():
    model = kp.models.PixelRNN(
        (4, 3, 3),
        kp.distributions.Categorical(5),
        units=4,
        num_blocks=1,
        dtype="mixed_bfloat16",
    )
    moved = dependencies(randomised(model))
    assert not np.tril(moved).any()
    assert moved.sum() > 0.9 * np.triu(np.ones_like(moved), 1).sum()


def planted_leak(monkeypatch):
    """Makes every mask of type A one of type B."""
    from keras_pixelrnn import masks

    honest = masks.causal_mask
    monkeypatch.setattr(masks, "causal_mask", lambda *args: honest(*args[:-1], "B"))


def test_a_leak_is_seen(monkeypatch):
    planted_leak(monkeypatch)
    model = kp.models.PixelCNN((4, 3, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1)
    assert np.diag(dependencies(randomised(model))).all()


@pytest.mark.parametrize("leaky", [False, True], ids=["honest", "planted leak"])
def test_coin_flips(leaky, monkeypatch):
    """Fair coins cannot be predicted: below ln 2 a pixel the model has seen what it predicts."""
    if leaky:
        planted_leak(monkeypatch)
    keras.utils.set_random_seed(0)
    model = kp.models.PixelCNN(
        (4, 5, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1, kernel_size=3
    )
    flips = np.random.default_rng(1).integers(0, 2, (6000, 4, 5, 1)).astype(np.uint8)
    model.compile(keras.optimizers.Adam(0.02), jit_compile=True)
    model.fit(flips[:4000], batch_size=50, epochs=3, verbose=0)
    result = kp.evaluation.evaluate(model, flips[4000:])
    floor = 20 * np.log(2)
    if leaky:
        assert result.nats < 0.9 * floor
    else:
        assert result.nats > floor - 3 * result.standard_error
        assert result.nats < 1.02 * floor  # it has learnt that there is nothing to learn
