"""Random numbers, one seed per image, with the same bits on every backend and with or without XLA."""

import functools

import numpy as np

from keras_pixelrnn import backend, checks

WORD = 0xFFFFFFFF
MOST = 2**63 - 1  # of a seed
# Of Philox4x32-10: what the words of a counter are multiplied by, and what a round adds to the key.
ROUNDS, FACTORS, STEPS = 10, (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)
SCRAMBLE = (
    0x3EC8F720,
    0x02461E29,
)  # TensorFlow first scrambles a seed with one block under this key


def image_seeds(seed, count=None):
    """One non-negative int64 seed per image.

    Args:
        seed: an int of any size, spread over `count` images by `numpy.random.SeedSequence`, or an
            integer array `(count,)` of one seed per image, each below 2**63, returned as it is.
        count: number of images.

    Returns:
        `(count,)` int64 array.

    Raises:
        ValueError: `seed` is no integer, is negative, does not fit, or has the wrong shape.

    Example:

    >>> image_seeds([3, 4], 2)
    array([3, 4])
    """
    whole = checks.is_whole(seed)
    scalar = whole or seed is None or isinstance(seed, (str, bytes))
    array = None if scalar else checks.as_array("seed", seed)
    single = array is None or array.ndim == 0
    fits = whole if scalar else array.dtype.kind in "iu" and array.ndim <= 1
    if not fits or np.any((seed if array is None else array) < 0):
        raise ValueError(
            "`seed` must be a non-negative integer, or an array of one non-negative integer per "
            f"image. Pass for example seed=0. Received: seed={checks.shown(seed)}"
        )
    if single:
        seed = int(seed if array is None else array)
        return (np.random.SeedSequence(seed).generate_state(count, np.uint64) >> 1).astype(
            np.int64  # one bit less, so that the seed also fits a signed JSON integer
        )
    if count is not None and array.shape != (count,):
        raise ValueError(
            f"An array `seed` must hold one seed for each of the {count} images: expected shape "
            f"({count},). Received: shape {array.shape}"
        )
    if (array > MOST).any():
        raise ValueError(
            f"An array `seed` must hold seeds up to 2**63 - 1, which fit an int64. Received: "
            f"seed={checks.shown(seed)}"
        )
    return array.astype(np.int64)


def uniform(seeds, shape):
    """Uniform float32 numbers in [0, 1) with 24 random bits, drawn from each image's own seed.

    The integers are Philox4x32-10's, the same in eager mode, in a graph, under XLA and in NumPy;
    floats drawn by TensorFlow directly are not (they differ with and without XLA).

    Args:
        seeds: `(batch,)` int64, one seed per image.
        shape: shape of one image's numbers, static.

    Returns:
        `(batch, *shape)` float32.
    """
    count = int(np.prod(shape))
    if backend.name() == "jax":
        seeds = np.asarray(seeds, np.uint64)
        low, high = (seeds & np.uint64(WORD)).astype(np.uint32), (seeds >> 32).astype(np.uint32)
        return _jax_function(count)(low, high).reshape(-1, *shape)

    import tensorflow as tf

    bits = _bits_function(count)(tf.convert_to_tensor(seeds, tf.int64))
    bits = tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32)
    return tf.reshape(bits * 2.0**-24, [-1, *shape])


@functools.cache
def _bits_function(count):
    """Traced once per number of draws: tracing takes longer than drawing."""
    import tensorflow as tf

    def draw(seed):
        return tf.random.stateless_uniform(
            [count], [seed, 0], minval=None, maxval=None, dtype=tf.uint32, alg="philox"
        )

    def bits(seeds):
        return tf.map_fn(draw, seeds, fn_output_signature=tf.TensorSpec([count], tf.uint32))

    # TensorFlow warns of code that is traced often, as it is for images of many sizes.
    own, signature = functools.partial(bits), [tf.TensorSpec([None], tf.int64)]
    return tf.function(own, input_signature=signature, autograph=False)


@functools.cache
def _jax_function(count):
    """Uniform numbers `(batch, count)` of seeds given as their low and high words, on the device."""
    import jax
    import jax.numpy as jnp

    def high_word(a, b):
        # Of a product of 64 bits, from halves of 16: JAX has no 64-bit integers unless asked for them.
        a0, a1, b0, b1 = a & 0xFFFF, a >> 16, b & 0xFFFF, b >> 16
        middle = a1 * b0 + (a0 * b0 >> 16)
        return a1 * b1 + (middle >> 16) + ((a0 * b1 + (middle & 0xFFFF)) >> 16)

    def blocks(c0, c1, c2, c3, key0, key1):
        factor0, factor1 = jnp.uint32(FACTORS[0]), jnp.uint32(FACTORS[1])
        for _ in range(ROUNDS):
            c0, c1, c2, c3 = (
                high_word(c2, factor1) ^ c1 ^ key0,
                c2 * factor1,
                high_word(c0, factor0) ^ c3 ^ key1,
                c0 * factor0,
            )
            key0, key1 = key0 + jnp.uint32(STEPS[0]), key1 + jnp.uint32(STEPS[1])
        return c0, c1, c2, c3

    @jax.jit
    def uniform(low, high):
        zero, (key0, key1) = jnp.zeros_like(low), (jnp.uint32(key) for key in SCRAMBLE)
        mixed = (word[:, None] for word in blocks(low, high, zero, zero, key0, key1))
        key0, key1, c2, c3 = mixed
        counter = jnp.arange(-(-count // 4), dtype=jnp.uint32)[None, :]
        bits = jnp.stack(blocks(counter, jnp.zeros_like(counter), c2, c3, key0, key1), axis=-1)
        bits = bits.reshape(len(low), 4 * counter.shape[1])[:, :count]  # -1 is none of no seeds
        return (bits >> 8).astype(jnp.float32) * jnp.float32(2**-24)

    return uniform


def philox_bits(seed, count):
    """`count` uint32 from Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
    1, 2, 3"), keyed as `tf.random.stateless_uniform(..., seed=[seed, 0], alg="philox")` keys it."""
    low, high = seed & WORD, seed >> 32
    mixed = _philox(np.array([[low, high, 0, 0]], np.uint64), *SCRAMBLE)[0]
    counters = np.zeros((-(-count // 4), 4), np.uint64)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 2:] = mixed[2:]
    blocks = _philox(counters, int(mixed[0]), int(mixed[1]))
    return blocks.reshape(-1)[:count].astype(np.uint32)


def _philox(counters, key0, key1):
    """All rounds on each row `(n, 4)` of 32-bit words held in uint64."""
    word = np.uint64(WORD)
    c0, c1, c2, c3 = counters.T
    for _ in range(ROUNDS):
        product0 = c0 * np.uint64(FACTORS[0])
        product1 = c2 * np.uint64(FACTORS[1])
        c0, c1, c2, c3 = (
            (product1 >> np.uint64(32)) ^ c1 ^ np.uint64(key0),
            product1 & word,
            (product0 >> np.uint64(32)) ^ c3 ^ np.uint64(key1),
            product0 & word,
        )
        key0, key1 = (key0 + STEPS[0]) & WORD, (key1 + STEPS[1]) & WORD
    return np.stack([c0, c1, c2, c3], axis=1)
