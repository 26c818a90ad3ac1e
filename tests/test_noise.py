"""The same bits everywhere."""

import numpy as np
import pytest
import tensorflow as tf

from keras_pixelrnn import noise


@pytest.mark.parametrize("seed", [0, 1, 12345678901234567, 2**63 - 1])
def test_numpy_philox_has_the_bits_of_tensorflow(seed):
    expected = tf.random.stateless_uniform(
        [1001], [seed, 0], minval=None, maxval=None, dtype=tf.uint32, alg="philox"
    )
    np.testing.assert_array_equal(noise.philox_bits(seed, 1001), expected)


def test_eager_graph_and_xla_agree():
    seeds = tf.constant([3, 2**40, 0], tf.int64)
    eager = noise.uniform(seeds, (4, 5, 3))
    for jit in (False, True):
        function = tf.function(lambda s: noise.uniform(s, (4, 5, 3)), jit_compile=jit)
        np.testing.assert_array_equal(function(seeds), eager)
    bits = noise.philox_bits(2**40, 60) >> 8
    np.testing.assert_array_equal(np.asarray(eager)[1].ravel(), bits * np.float32(2**-24))


def test_jax_has_the_same_bits_and_none_of_no_seeds():
    seeds = np.array([3, 2**40, 0], np.uint64)
    words = [(seeds & np.uint64(2**32 - 1)).astype(np.uint32), (seeds >> 32).astype(np.uint32)]
    found = noise._jax_function(61)(*words)
    expected = [noise.philox_bits(int(seed), 61) >> 8 for seed in seeds]
    np.testing.assert_array_equal(found, np.array(expected) * np.float32(2**-24))
    assert noise._jax_function(61)(*(word[:0] for word in words)).shape == (0, 61)


def test_range_and_mean():
    u = np.asarray(noise.uniform(np.arange(100), (30, 30, 1)))
    assert u.min() >= 0.0
    assert u.max() < 1.0
    assert abs(u.mean() - 0.5) < 5 / np.sqrt(12 * u.size)


def test_image_seeds():
    seeds = noise.image_seeds(7, 100)
    assert seeds.dtype == np.int64
    assert (seeds >= 0).all()
    assert len(set(seeds.tolist())) == 100
    np.testing.assert_array_equal(noise.image_seeds(7, 50), seeds[:50])
    np.testing.assert_array_equal(noise.image_seeds([1, 2], 2), [1, 2])


@pytest.mark.parametrize("bad", [-1, 1.5, None, True, [[1, 2]], "a", b"a"])
def test_bad_seeds(bad):
    with pytest.raises(
        ValueError, match="`seed` must be a non-negative integer, or an array of one"
    ):
        noise.image_seeds(bad, 2)


def test_seeds_of_other_images():
    with pytest.raises(ValueError, match=r"for each of the 2 images.*Received: shape \(3,\)"):
        noise.image_seeds([1, 2, 3], 2)


def test_seeds_that_do_not_fit_an_int64():
    """They would wrap to other seeds, or overflow, by backend."""
    for bad in (np.array([2**63, 1], np.uint64), [2**63, 1], [2**70, 1], [1.0, 2.0]):
        with pytest.raises(ValueError, match="seed="):
            noise.image_seeds(bad, 2)
    for bad in ([[1], [1, 2]], tf.ragged.constant([[1], [1, 2]])):
        with pytest.raises(ValueError, match="seed="):
            noise.image_seeds(bad, 2)
    with pytest.raises(ValueError, match="_graph"):
        tf.function(lambda seed: noise.image_seeds(seed, 2), autograph=False)(tf.constant([1, 2]))
    np.testing.assert_array_equal(noise.image_seeds(np.array([2**63 - 1], np.uint64)), 2**63 - 1)
    assert len({noise.image_seeds(seed, 1)[0] for seed in (5, 2**64 + 5, 2**128 + 5)}) == 3
