"""Masks and skewed maps, drawn."""

import numpy as np
import pytest

from keras_pixelrnn import geometry, masks


def test_masks_of_one_colour():
    a = masks.causal_mask((3, 3), [0], [0], "A")[..., 0, 0]
    b = masks.causal_mask((3, 3), [0], [0], "B")[..., 0, 0]
    np.testing.assert_array_equal(a, [[1, 1, 1], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(b, [[1, 1, 1], [1, 1, 0], [0, 0, 0]])


def test_masks_between_colours():
    colors = [0, 1, 2]
    a = masks.causal_mask((1, 1), colors, colors, "A")[0, 0]
    b = masks.causal_mask((1, 1), colors, colors, "B")[0, 0]
    # rows: input R, G, B; columns: output R, G, B
    np.testing.assert_array_equal(a, [[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(b, [[1, 1, 1], [0, 1, 1], [0, 0, 1]])


def test_colour_groups_are_laid_over_each_gate():
    np.testing.assert_array_equal(masks.color_of_features(5, 3), [0, 0, 1, 1, 2])
    np.testing.assert_array_equal(masks.color_of_features(20, 3, gates=4), [0, 0, 1, 1, 2] * 4)
    assert np.bincount(masks.color_of_features(128, 3)).tolist() == [43, 43, 42]


@pytest.mark.parametrize(("features", "colors", "gates"), [(2, 3, 1), (8, 3, 4), (6, 1, 4)])
def test_too_few_features(features, colors, gates):
    with pytest.raises(ValueError, match="at least"):
        masks.color_of_features(features, colors, gates)


def test_mask_type_is_checked():
    with pytest.raises(ValueError, match="Received: mask_type='C'"):
        masks.causal_mask((3, 3), [0], [0], "C")


def test_skew():
    x = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32)[..., None]
    skewed = np.asarray(geometry.skew(x))[..., 0].T  # drawn as in the paper: rows stay rows
    np.testing.assert_array_equal(skewed, [[1, 2, 3, 4, 0], [0, 5, 6, 7, 8]])
    np.testing.assert_array_equal(np.asarray(geometry.unskew(geometry.skew(x), 4)), x)


@pytest.mark.parametrize("shape", [(5, 3), (1, 4), (4, 1), (3, 3)])
def test_unskew_undoes_skew(shape, rng):
    x = rng.normal(size=(*shape, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(geometry.unskew(geometry.skew(x), shape[1])), x)


def test_shift():
    x = np.arange(1, 5, dtype=np.float32)
    np.testing.assert_array_equal(geometry.shift(x, 1, 0), [0, 1, 2, 3])
    np.testing.assert_array_equal(geometry.shift(x, -2, 0), [3, 4, 0, 0])
    np.testing.assert_array_equal(geometry.shift(x, 9, 0), [0, 0, 0, 0])


def test_windows():
    row = np.array([1, 2, 3], np.float32).reshape(3, 1, 1)
    windows = np.asarray(geometry.windows(row, 3))[:, 0]
    np.testing.assert_array_equal(windows, [[0, 1, 2], [1, 2, 3], [2, 3, 0]])


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 4), (2, 1), (5, 3), (3, 5), (17, 2), (16, 16)], ids=str
)
def test_skewed_spans_hold_every_pixel(shape, monkeypatch):
    monkeypatch.setattr(geometry, "ROWS_WORTH_CUTTING", 3)
    height, width = shape
    skewed = np.asarray(geometry.skew(np.ones((height, width)))) == 1
    computed, end = np.zeros_like(skewed), 0
    for diagonals, rows in geometry.skewed_spans(height, width):
        assert diagonals.start == end < diagonals.stop, "in order, without gaps"
        end = diagonals.stop
        computed[diagonals, rows] = True
    assert end == len(skewed)
    assert computed[skewed].all()
    assert height < 3 or not computed.all()
