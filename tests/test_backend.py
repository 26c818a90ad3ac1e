"""The small product and the scan: the same numbers whichever way they are computed."""

import numpy as np
import pytest
import tensorflow as tf

from keras_pixelrnn import backend


@pytest.mark.parametrize("xla", [True, False])
@pytest.mark.parametrize("sizes", [(7,), (3, 4), (1, 2, 5)], ids=str)
@pytest.mark.parametrize("limit", [0, 1 << 30], ids=["library", "sums"])
def test_product(xla, sizes, limit, rng, monkeypatch):
    monkeypatch.setattr(backend.products, "SMALL_PRODUCT", limit)
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
    token = backend.compiling._XLA.set(True)
    try:
        assert run(tf.ones((4, 3)), tf.ones((3, 2))).shape == (4, 2)
    finally:
        backend.compiling._XLA.reset(token)


@pytest.mark.parametrize("way", ["eager", "graph", "xla"])
@pytest.mark.parametrize("unroll", [1, 2, 3, 4, 7, 9])  # of 7: with and without steps left over
def test_scan(way, unroll, rng):
    start, inputs = rng.normal(size=2), rng.normal(size=(7, 2))
    weight = tf.constant(0.5, tf.float64)  # captured from outside

    def step(carry, x):
        return {"h": weight * carry["h"] + x["x"]}, (carry["h"], x["x"][:1])

    def run(start, inputs):
        return backend.scan(step, {"h": start}, {"x": inputs}, unroll=unroll)

    run = run if way == "eager" else backend.compiled(run, [], xla=way == "xla")
    carry, (before, firsts) = run(tf.constant(start), tf.constant(inputs))
    h, expected = start, []
    for x in inputs:
        expected.append(h)
        h = 0.5 * h + x
    np.testing.assert_allclose(carry["h"], h)
    np.testing.assert_allclose(before, expected)
    np.testing.assert_array_equal(firsts, inputs[:, :1])


def test_a_turn_is_one_operation_in_one_thread():
    def run(x):
        return backend.scan(lambda h, x: (h + x, h), tf.zeros_like(x[0]), x, unroll=8)

    run = tf.function(run, input_signature=[tf.TensorSpec([16, None])])
    graph = run.get_concrete_function().graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    assert sum("While" in node.op for node in nodes) == 1
    executors = [n.attr["executor_type"].s for n in nodes if n.op == "PartitionedCall"]
    assert executors.count(b"SINGLE_THREADED_EXECUTOR") == 1


def test_functions_that_are_traced_once_each_are_no_warning(caplog):
    """TensorFlow counts tracings by code, and warned of the ten functions of a decoder."""
    caplog.set_level("WARNING", "tensorflow")
    tf.get_logger().addHandler(caplog.handler)
    try:
        for number in range(12):
            backend.compiled(lambda x, number=number: x + number, [], xla=False)(tf.zeros(()))
        assert not caplog.records
        once = backend.compiled(lambda x: x + 1, [], xla=False)
        for size in range(12):  # a planted fault, which TensorFlow shall go on to tell
            once(tf.zeros(size))
        assert "retracing" in caplog.text
    finally:
        tf.get_logger().removeHandler(caplog.handler)
