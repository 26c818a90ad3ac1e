"""Weights of one model for another, and what is said of those that do not fit."""

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.models import from_preset, transfer
from keras_pixelrnn.models.variables import values_by_path
from tests.test_presets import same_weights


@pytest.fixture(scope="module")
def digits():
    return from_preset("digits")


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"num_classes": 10}, "context_kernel"),
        ({"image_shape": (5, 9, 1)}, None),
        ({"distribution": kp.distributions.Categorical(9)}, "params"),
        ({"num_blocks": 3}, "block_2"),
        ({"units": 16}, "network"),
    ],
)
def test_transfer(change, left, digits):
    target = from_preset("digits", load_weights=False, **change)
    before = {key: value.numpy().copy() for key, value in values_by_path(target).items()}
    report = transfer(digits, target)
    source, now = values_by_path(digits), values_by_path(target)
    for key, variable in now.items():
        fits = key in source and source[key].shape == variable.shape
        expected = source[key].numpy() if fits else before[key]
        np.testing.assert_array_equal(variable.numpy(), expected)
    expected = [key for key in now if key in source and source[key].shape == now[key].shape]
    assert report.copied == [path for path, _ in expected]
    if left is None:
        assert not report.left
    else:
        assert report.left
        assert all(left in sentence for sentence in report.left)
        assert report.left[0] in str(report)


def test_transfer_to_other_classes():
    source = from_preset("digits_conditional")
    target = from_preset("digits_conditional", load_weights=False, num_classes=4)
    report = transfer(source, target)
    assert report.left
    assert all("context_kernel" in sentence for sentence in report.left)
    assert all("of the source" in sentence for sentence in report.left)


def test_a_model_of_one_scale_gives_its_weights_to_both_networks():
    sizes = {"units": 4, "num_blocks": 1, "kernel_size": 3}
    source = kp.models.PixelRNN((6, 8, 1), kp.distributions.Bernoulli(), **sizes)
    target = kp.models.MultiScalePixelRNN((6, 8, 1), kp.distributions.Bernoulli(), **sizes)
    report = transfer(source, target)
    ours = {path: value.numpy() for (path, _), value in values_by_path(source).items()}
    theirs = values_by_path(target)
    assert {number for path, number in theirs if path in ours} == {0, 1}
    for (path, _), value in theirs.items():
        if path in ours:
            np.testing.assert_array_equal(value.numpy(), ours[path])
    assert len(report.copied) == 2 * len(ours)
    assert all("only the target has it" in sentence for sentence in report.left)
    assert len(report.copied) + len(report.left) == len(theirs)


def test_transfer_keeps_the_two_networks_of_a_multi_scale_model_apart():
    source = from_preset("digits_multi_scale")
    target = from_preset("digits_multi_scale", load_weights=False)
    assert not transfer(source, target).left
    assert same_weights(source, target)


def test_what_cannot_be_transferred(digits):
    other = kp.models.GatedPixelCNN((8, 8, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1)
    with pytest.raises(ValueError, match="No variable"):
        transfer(digits, other)
    with pytest.raises(TypeError, match="target="):
        transfer(digits, keras.Sequential())


def test_weights_that_are_no_numbers_are_not_transferred():
    make = lambda: kp.models.PixelCNN(  # noqa: E731
        (3, 4, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1
    )
    source, target = make(), make()
    before = target.get_weights()
    source.weights[-1].assign(np.nan * source.weights[-1])
    with pytest.raises(ValueError, match="are no numbers"):
        transfer(source, target)
    for old, new in zip(before, target.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
