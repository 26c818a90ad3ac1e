"""The two-dimensional Ising model: free energy and energy from a PixelRNN, beside the exact ones.

    python examples/ising.py                    # 3x3, 4x4 and 8x8 spins at three temperatures
    KERAS_BACKEND=jax python examples/ising.py

Wu, Wang and Zhang 2019, "Solving statistical mechanics using variational autoregressive networks"
(arXiv 1809.10606). No data: the model q is trained on its own samples so that its variational free
energy, E_q[E + T log q], falls; it lies above -T log Z by T times the Kullback-Leibler divergence from q
to exp(-E / T) / Z. The gradient is REINFORCE's: mean of (E / T + log q - baseline) grad log q, which
`train_on_batch` computes when each sample gets the factor as its weight. Temperatures fall from one to
the next. The samples, weighted by exp(-E / T) / q, then give free energy and energy without bias.

The exact values come from the transfer matrix, for up to 4x4 spins also from all configurations.
Boundaries are periodic, the coupling is 1, energies are per spin.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_pixelrnn as kp

TEMPERATURES = (4.0, 2.269, 1.5)  # above, at and below the transition of the infinite lattice


def energy(images):
    """Energy `(n,)` of configurations `(n, height, width, 1)` of 0 and 1."""
    spins = 2.0 * images[..., 0].astype(np.float64) - 1.0
    neighbours = np.roll(spins, 1, axis=1) + np.roll(spins, 1, axis=2)
    return -(spins * neighbours).sum(axis=(1, 2))


def log_z(size, beta):
    """log Z of size x size spins by the transfer matrix between rows, float64."""
    rows = 2.0 * (np.arange(2**size)[:, None] >> np.arange(size) & 1) - 1.0
    inside = (rows * np.roll(rows, 1, axis=1)).sum(axis=1)
    exponent = beta * (rows @ rows.T + (inside[:, None] + inside) / 2)
    top = exponent.max()
    eigenvalues = np.linalg.eigvalsh(np.exp(exponent - top))
    return size * top + np.log((eigenvalues**size).sum())


def exact(size, temperature, step=1e-4):
    """Free energy and mean energy per spin."""
    beta, spins = 1.0 / temperature, size**2
    slope = (log_z(size, beta + step) - log_z(size, beta - step)) / (2 * step)
    return -temperature * log_z(size, beta) / spins, -slope / spins


def enumerated(size, temperature):
    """The same from all 2 ** (size * size) configurations."""
    numbers = np.arange(2 ** (size**2))[:, None] >> np.arange(size**2) & 1
    energies = energy(numbers.reshape(-1, size, size, 1))
    weights = -energies / temperature
    total = np.logaddexp.reduce(weights)
    mean = (np.exp(weights - total) * energies).sum()
    return -temperature * total / size**2, mean / size**2


def train(model, begin, temperature, steps, batch_size, seed):
    """Lower the variational free energy of `model`, from one temperature down to another in the first
    half of the steps: what gets unlikely at once is not sampled any more and never learned."""
    for step in range(steps):
        part = step / steps
        now = begin + (temperature - begin) * min(1.0, 2 * part)
        model.optimizer.learning_rate = 0.01 * min(1.0, 10 * part + 0.1) * np.cos(part * np.pi / 2)
        images = model.sample(batch_size, seed=np.arange(batch_size) + batch_size * (seed + step))
        cost = energy(images) / now + model.log_prob(images)
        weight = -(cost - cost.mean())  # the loss is -log q, so its sign turns
        model.train_on_batch(images, images, sample_weight=weight.astype(np.float32))


def measure(model, temperature, precision, seed, batch_size=8192, least=2**15, most=2**18):
    """Variational free energy, free energy, and mean energy with its standard error, per spin.

    The last two weigh each sample by exp(-E / T) / q, which makes up for what q has not learned (Nicoli
    et al. 2020, arXiv 1910.13496). Samples are drawn until the standard error is below a share
    `precision` of the energy.
    """
    spins = np.prod(model.image_shape)
    energies, cost = np.zeros(0), np.zeros(0)
    mean, error = 0.0, np.inf
    while len(cost) < least or (error > precision * abs(mean) and len(cost) < most):
        images = model.sample(batch_size, seed=seed + len(cost) + np.arange(batch_size))
        energies = np.append(energies, energy(images))
        cost = np.append(cost, energies[len(cost) :] / temperature + model.log_prob(images))
        weights = np.exp(cost.min() - cost)
        weights /= weights.sum()
        mean = (weights * energies).sum()
        error = np.sqrt((weights**2 * (energies - mean) ** 2).sum())
    log_z = np.logaddexp.reduce(-cost) - np.log(len(cost))
    return (
        temperature * cost.mean() / spins,
        -temperature * log_z / spins,
        mean / spins,
        error / spins,
    )


def number(kind, low, high):
    """A type of arguments: numbers from `low` to `high`."""

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            word = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"must be {word} from {low} to {high}. Received: {text}"
            )
        return value

    return read


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    size, most = number(int, 2, 12), 10**6  # the transfer matrix of 12x12 spins has 4,096 rows
    parser.add_argument("--sizes", type=size, nargs="+", default=[3, 4, 8], help="rows of spins")
    parser.add_argument(
        "--steps", type=number(int, 1, most), default=240, help="of training, at each temperature"
    )
    parser.add_argument(
        "--batch-size", type=number(int, 2, most), default=256, help="samples of a step"
    )
    parser.add_argument(
        "--precision", type=number(float, 1e-6, 1), default=0.003, help="of the measured energy"
    )
    args = parser.parse_args(arguments)
    start, worst = time.perf_counter(), 0.0
    print("| spins | T | variational F | F | exact | off by | energy | exact | off by |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for size in args.sizes:
        keras.utils.set_random_seed(size)
        model = kp.models.PixelRNN(
            (size, size, 1), kp.distributions.Bernoulli(), units=12, num_blocks=1, kernel_size=3
        )
        model.compile(keras.optimizers.Adam(0.01, global_clipnorm=10.0), jit_compile=True)
        begin = 2 * TEMPERATURES[0]
        for turn, temperature in enumerate(TEMPERATURES):
            train(model, begin, temperature, args.steps, args.batch_size, 10**6 * turn)
            begin = temperature
            bound, free, mean, error = measure(model, temperature, args.precision, seed=10**10)
            truth = exact(size, temperature)
            off = [abs(x - y) / abs(y) for x, y in zip((free, mean), truth, strict=True)]
            worst = max(worst, *off)
            print(
                f"| {size}x{size} | {temperature:g} | {bound:.4f} | {free:.4f} | {truth[0]:.4f} | "
                f"{off[0]:.2%} | {mean:.4f} ± {error:.4f} | {truth[1]:.4f} | {off[1]:.2%} |",
                flush=True,
            )
    print(f"largest difference {worst:.2%}, {time.perf_counter() - start:.0f} s", flush=True)
    return worst


if __name__ == "__main__":
    main()
