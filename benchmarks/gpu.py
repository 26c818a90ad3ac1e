"""Whole models on a GPU: a training step, a forward pass, drawing 16 and 1,024 images, under JAX.

    KERAS_BACKEND=jax python -m benchmarks.gpu [--seconds 60] [--output FILE.json]

Images of 28x28, Bernoulli, 7 blocks of 16 units; batch 128 for training and forward passes. A training
step is loss, gradients and Adam, compiled as one; its time is that of 20 in a row, waited for once.
Medians of five, after a warm-up. What `--seconds` leaves no time to begin is left out.
"""

import argparse
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np

import keras_pixelrnn as kp

BATCH, STEPS, RUNS = 128, 20, 5
SIZES = {"image_shape": (28, 28, 1), "units": 16, "num_blocks": 7, "head_units": 32}
MODELS = {
    "diagonal": lambda: kp.models.PixelRNN(distribution=kp.distributions.Bernoulli(), **SIZES),
    "row": lambda: kp.models.PixelRNN(
        distribution=kp.distributions.Bernoulli(), recurrence="row", **SIZES
    ),
    "pixelcnn": lambda: kp.models.PixelCNN(distribution=kp.distributions.Bernoulli(), **SIZES),
    "gated": lambda: kp.models.GatedPixelCNN(distribution=kp.distributions.Bernoulli(), **SIZES),
}


def lowered(model):
    """The training step and the forward pass of a model, traced, with their arguments."""
    images = jax.device_put(np.random.default_rng(0).integers(0, 2, (BATCH, 28, 28, 1), np.uint8))
    loss_of = kp.losses.NegativeLogLikelihood(model.distribution)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)
    kept = [variable.value for variable in model.non_trainable_variables]

    def loss(weights, images):
        return loss_of(images, model.stateless_call(weights, kept, images, training=True)[0])

    def step(weights, slots, images):
        value, gradients = jax.value_and_grad(loss)(weights, images)
        return *optimizer.stateless_apply(slots, gradients, weights), value

    def forward(weights, images):
        return model.stateless_call(weights, kept, images, training=False)[0]

    weights = [variable.value for variable in model.trainable_variables]
    slots = [variable.value for variable in optimizer.variables]
    return (
        (jax.jit(step).lower(weights, slots, images), (weights, slots, images)),
        (jax.jit(forward).lower(weights, images), (weights, images)),
    )


def training(step, weights, slots, images):
    def run():
        state = weights, slots
        for _ in range(STEPS):
            *state, value = step(*state, images)
        jax.block_until_ready(value)

    return median(run) / STEPS


def median(function):
    function()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args(argv)
    end = time.monotonic() + args.seconds
    rows = {"device": jax.devices()[0].device_kind, "jax": jax.__version__}

    def record(name, what, milliseconds):
        rows.setdefault(name, {})[what] = milliseconds
        print(f"{name:10} {what:14} {milliseconds:9.3f} ms", flush=True)
        if args.output:
            args.output.write_text(json.dumps(rows, indent=2) + "\n")

    models = {name: make() for name, make in MODELS.items()}
    traced = {name: lowered(model) for name, model in models.items()}
    with ThreadPoolExecutor() as pool:  # XLA compiles without holding Python up
        parts = [part for both in traced.values() for part, _ in both]
        ready = list(pool.map(lambda part: part.compile(), parts))
    for (name, both), step, forward in zip(traced.items(), ready[::2], ready[1::2]):
        record(name, "train step", 1000 * training(step, *both[0][1]))
        weights, images = both[1][1]
        run = lambda: jax.block_until_ready(forward(weights, images))  # noqa: B023, E731
        record(name, "forward", 1000 * median(run))
    for count in (16, 1024):
        for name, model in models.items():
            if time.monotonic() < end:
                seconds = median(lambda: model.sample(count, seed=0))  # noqa: B023
                record(name, f"sample {count}", 1000 * seconds)


if __name__ == "__main__":
    main()
