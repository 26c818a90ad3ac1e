"""The small product: the same numbers whichever way it is computed."""

import numpy as np
import pytest
import tensorflow as tf

from keras_pixelrnn import backend


@pytest.mark.parametrize("xla", [True, False])
@pytest.mark.parametrize("sizes", [(7,), (3, 4), (1, 2, 5)], ids=str)
@pytest.mark.parametrize("limit", [0, 1 << 30], ids=["library", "sums"])
def test_product(xla, sizes, limit, rng, monkeypatch):
    monkeypatch.setattr(backend, "SMALL_PRODUCT", limit)
    parts = [rng.normal(size=(3, size)).astype(np.float32) for size in sizes]
    kernel = rng.normal(size=(sum(sizes), 5)).astype(np.float32)
    run = backend.compiled(lambda parts, kernel: backend.product(parts, kernel), [], xla)
    parts, kernel = [tf.constant(part) for part in parts], tf.constant(kernel)
    expected = np.concatenate(parts, axis=1) @ kernel.numpy()
    np.testing.assert_allclose(run(parts, kernel).numpy(), expected, atol=1e-5)
    if xla:
        program = run.experimental_get_compiler_ir(parts, kernel)(stage="hlo")
        assert ("dot(" in program) == (limit == 0)


def test_a_batch_of_unknown_size_takes_the_library():
    run = tf.function(
        lambda x, kernel: backend.product([x], kernel),
        input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([3, 2])],
    )
    token = backend._XLA.set(True)
    try:
        assert run(tf.ones((4, 3)), tf.ones((3, 2))).shape == (4, 2)
    finally:
        backend._XLA.reset(token)
