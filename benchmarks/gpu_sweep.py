"""One LSTM layer on a GPU, forward and backward: the kernel beside the loop of XLA.

    KERAS_BACKEND=jax python -m benchmarks.gpu_sweep

Batch 64. Times are means of ten calls; errors are the largest of output and gradients, each relative to
the loop with float32 products. Without a GPU there is no kernel to measure.
"""

import os
import time

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import numpy as np

from keras_pixelrnn.backend.fused_sweep import SWITCH, fused_sweep
from keras_pixelrnn.layers import DiagonalBiLSTM, RowLSTM

BATCH, RUNS = 64, 10
CASES = [  # layer, h, side of the map
    (DiagonalBiLSTM, 16, 28),
    (DiagonalBiLSTM, 32, 28),
    (RowLSTM, 16, 28),
    (DiagonalBiLSTM, 16, 14),
    (DiagonalBiLSTM, 32, 32),
    (DiagonalBiLSTM, 64, 32),
    (RowLSTM, 64, 32),
]
WAYS = [("0", "float32"), ("0", "tensorfloat32"), ("1", "float32"), ("1", "tensorfloat32")]


def compiled(kind, units, side, switch, precision):
    """A function giving the layer's output and gradients on random maps."""
    os.environ[SWITCH] = switch  # read while tracing
    rng = np.random.default_rng(0)
    layer = kind(units)
    layer.build((None, side, side, 2 * units))
    x = jnp.asarray(rng.normal(size=(BATCH, side, side, 2 * units)), jnp.float32)
    asked = jnp.asarray(rng.normal(size=(BATCH, side, side, units)), jnp.float32)
    weights = [
        jnp.asarray(rng.normal(size=variable.shape) * 0.2, jnp.float32)
        for variable in layer.trainable_variables
    ]

    def loss(weights, x):
        out, _ = layer.stateless_call(weights, [], x)
        return jnp.sum(asked * out), out

    gradients = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
    with jax.default_matmul_precision(precision):
        run = jax.jit(gradients).lower(weights, x).compile()
    return lambda: jax.block_until_ready(run(weights, x))


def milliseconds(function):
    function()
    start = time.perf_counter()
    for _ in range(RUNS):
        function()
    return 1e3 * (time.perf_counter() - start) / RUNS


def error(found, wanted):
    """The largest relative error of output and gradients."""
    pairs = zip(
        jax.tree.leaves((found[0][1], found[1])), jax.tree.leaves((wanted[0][1], wanted[1]))
    )
    return max(float(jnp.linalg.norm(a - b) / jnp.linalg.norm(b)) for a, b in pairs)


def main():
    if fused_sweep(16, 28) is None:
        raise SystemExit("There is no kernel here: it needs JAX and one NVIDIA GPU.")
    print(jax.devices()[0].device_kind, "JAX", jax.__version__)
    for kind, units, side in CASES:
        functions = {way: compiled(kind, units, side, *way) for way in WAYS}
        wanted = functions["0", "float32"]()
        for (switch, precision), function in functions.items():
            print(
                f"{kind.__name__} h={units} {side}x{side}, {'kernel' if switch == '1' else 'loop'}, "
                f"{precision}: {milliseconds(function):.2f} ms, error {error(function(), wanted):.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
