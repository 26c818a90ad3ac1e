"""Likelihood in use: which images does a model of binarized MNIST find strange?

    python -m benchmarks.anomaly binarized_mnist_diagonal_1x32

Scores 1,000 test images and as many of each kind of others, and prints how well nats per image tell them
apart (area under the ROC curve; 0.5 is chance, below it the others are *more* likely). Likelihood is no
measure of strangeness by itself: simple images are likely under any good model of images, empty ones
most of all (Nalisnick et al. 2019, arXiv 1810.09136). Writes saved_models/NAME/anomaly.png: images of
each kind, a row each, beside the nats of every pixel (white from 4 on).
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import keras_pixelrnn as kp


def auroc(usual, others):
    """Probability that one of `others` has more nats to pay than one of `usual`, ties half."""
    more, ties = others[:, None] > usual, others[:, None] == usual
    return float(more.mean() + ties.mean() / 2)


def kinds(images, data_dir):
    """`{kind: images}` that are not digits as they should be."""
    rng = np.random.default_rng(0)
    flat = images.reshape(len(images), -1)
    shuffled = rng.permuted(flat, axis=1).reshape(images.shape)
    upper_lower = np.concatenate([images[:, 14:], images[:, :14]], axis=1)
    objects = kp.data.load("cifar10", data_dir=data_dir)
    objects = np.asarray(next(iter(objects.evaluation("test", len(images)))))[:, 2:30, 2:30]
    grey = objects.mean(-1, keepdims=True)
    return {
        "inverted": 1 - images,
        "pixels shuffled": shuffled,
        "mirrored": images[:, :, ::-1],
        "upside down": images[:, ::-1],
        "halves swapped": upper_lower,
        "CIFAR-10, cut at its median": (grey > np.median(grey, (1, 2, 3), keepdims=True)).astype(
            np.uint8
        ),
        "noise, as much ink": (rng.random(images.shape) < images.mean()).astype(np.uint8),
        "empty": np.zeros_like(images),
    }


def measure(name, data_dir=None, count=1000):
    """AUROC of each kind, mean nats of each, and the pictures."""
    data = kp.data.load(
        kp.presets.facts(name)["training"]["settings"]["dataset"], data_dir=data_dir
    )
    model = kp.models.from_preset(name)
    folder = Path("saved_models") / name
    images = np.asarray(next(iter(data.evaluation("test", count))))

    def nats(images):
        return -np.concatenate([model.log_prob(part) for part in np.split(images, 10)])

    usual, rows = nats(images), {}
    shown = [images[:8]]
    for kind, others in kinds(images, data_dir).items():
        found = nats(others)
        rows[kind] = {"AUROC": auroc(usual, found), "nats": float(found.mean())}
        shown.append(others[:8])
    maps = [np.asarray(model.nats_graph(part)) for part in shown]
    pair = [
        kp.visualize.to_rgb(np.concatenate(shown), 2),
        kp.visualize.nats_map(np.concatenate(maps), top=4.0),
    ]
    pictures = np.stack(pair, axis=1).reshape(-1, *images.shape[1:3], 3)
    kp.visualize.save_png(folder / "anomaly.png", kp.visualize.grid(pictures, columns=16, scale=2))
    return float(usual.mean()), rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    fit = [name for name in kp.presets.names() if name.startswith("binarized_mnist")]
    parser.add_argument("name", metavar="NAME", choices=fit, help=f"one of: {', '.join(fit)}")
    parser.add_argument("--data-dir", help="folder of prepared TFDS data (default: $TFDS_DATA_DIR)")
    args = parser.parse_args()
    usual, rows = measure(args.name, args.data_dir)
    print(f"test images: {usual:.1f} nats\n\n| others | nats | AUROC |\n|---|---|---|")
    for kind, row in rows.items():
        print(f"| {kind} | {row['nats']:.1f} | {row['AUROC']:.3f} |")


if __name__ == "__main__":
    main()
