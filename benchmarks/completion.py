"""Completion that heeds what comes later: ancestral, by particles, and by particles with a look-ahead.

    python -m benchmarks.completion binarized_mnist_diagonal_7x16   # the one shipped
    python -m benchmarks.completion binarized_mnist_diagonal_7x16 --lookahead lookahead.keras   # another
    python -m benchmarks.completion binarized_mnist_diagonal_7x16 --hidden "8x8 hole" --particles 256 \
        --images 256 --at-a-time 1

Hides the upper half, the right half and a hole of 8x8 pixels of test images of binarized MNIST, and
counts the wrong pixels of what is drawn there, and of the expected image rounded (`mean`), which is the
answer where as few wrong pixels as possible are wanted. Times are of all images in one call, or of so
many as are asked for `--at-a-time`, compiled before:
medians over turns in which every method runs once, and ancestral ones several times around it, as
multiples of those. The second row of particles without a look-ahead has as many as take the time of
those with one. Trains one where the named file is missing, as the one shipped was trained.
Writes a picture and `completion` in benchmarks/results.json.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_pixelrnn as kp
from benchmarks import timing

RESULTS = Path(__file__).parent / "results.json"
PICTURE = Path(__file__).parents[1] / "docs" / "how-to" / "complete.png"
DRAWS = 8


def masks():
    """`{what is hidden: what is known}` of 28x28 images."""
    rows, columns = np.mgrid[:28, :28]
    hole = (abs(rows - 13.5) < 4) & (abs(columns - 13.5) < 4)
    return {"upper half": rows >= 14, "right half": columns < 14, "8x8 hole": ~hole}


def load(name, data_dir, split, count):
    dataset = kp.presets.facts(name)["training"]["settings"]["dataset"]
    data = kp.data.load(dataset, data_dir=data_dir)
    return np.asarray(next(iter(data.evaluation(split, count))))


def wrong(images, drawn):
    """Mean number of wrong pixels, and its standard error over images."""
    errors = (drawn != images[:, None]).sum(axis=(2, 3, 4)).mean(axis=1)
    return float(errors.mean()), float(errors.std() / np.sqrt(len(errors)))


def measure(model, lookahead, images, known, n_particles, runs, at_a_time):
    """A row for each way to complete, and what each drew."""

    def ancestral(images=images[:at_a_time]):
        return model.complete(images, known, seed=1)

    def by_particles(size, **options):
        return lambda images=images[:at_a_time]: model.complete(
            images, known, seed=1, method="smc", n_particles=size, n=DRAWS, **options
        )

    def row_of(label, size, found, seconds, times):
        row = {"method": label, "particles": size, "seconds": seconds, "times": times}
        row["wrong"], row["se"] = wrong(images, found.images)
        row["wrong, mean"], row["se, mean"] = wrong(images, (found.mean > 0.5)[:, None])
        row["ess"] = float(np.median(found.ess.min(axis=1)))
        return row

    plain = ancestral(images)
    error, deviation = wrong(images, plain[:, None])
    methods = [by_particles(n_particles), by_particles(n_particles, lookahead=lookahead)]
    shown = [plain, *(method(images) for method in methods)]
    if at_a_time < len(images):  # of another size, so compiled anew
        for method in (ancestral, *methods):
            method()
    timed = in_turns(ancestral, methods, runs)
    row = {"method": "ancestral", "particles": 1, "seconds": timed[0][0]}
    rows = [{**row, "times": 1.0, "wrong": error, "se": deviation}]
    for label, found, (seconds, times) in zip(
        ("smc", "smc + look-ahead"), shown[1:], timed[1:], strict=True
    ):
        rows.append(row_of(label, n_particles, found, seconds, times))
    equal = max(1, round(n_particles * timed[2][1] / timed[1][1]))
    if equal != n_particles:
        method = by_particles(equal)
        found = method(images)
        method()
        rows.append(
            row_of("smc, equal time", equal, found, *in_turns(ancestral, [method], runs)[1])
        )
    return rows, shown


def in_turns(base, methods, runs):
    """Of `base` and each of the methods: median seconds, and the median over turns of the multiple of
    what `base` took in the same turn, just before and after."""
    seconds, times = [], []
    for _ in range(runs):
        around = [seconds_of(base, 5)]
        found = []
        for method in methods:
            found.append(seconds_of(method))
            around.append(seconds_of(base, 5))
        base_seconds = np.convolve(around, [0.5, 0.5], "valid")
        seconds.append([np.mean(around), *found])
        times.append([1.0, *(found / base_seconds)])
    return np.median([seconds, times], axis=1).T.tolist()


def seconds_of(function, runs=1):
    start = time.perf_counter()
    for _ in range(runs):
        function()
    return (time.perf_counter() - start) / runs


def picture(images, known, shown, levels, count=8):
    """Of each image a column: itself, what is known, ancestral, particles, with look-ahead, the mean."""
    plain, alone, guided = (x if isinstance(x, np.ndarray) else x.images for x in shown[:3])
    rgb = [kp.visualize.to_rgb(images[:count], levels)]
    rgb.append(np.where(known[None, ..., None], rgb[0], kp.visualize.UNKNOWN))
    rgb.append(kp.visualize.to_rgb(plain[:count], levels))
    rgb += [kp.visualize.to_rgb(x[:count, 0], levels) for x in (alone, guided)]
    grey = np.round(255 * shown[2].mean[:count] / (levels - 1)).astype(np.uint8)
    rgb.append(np.broadcast_to(grey, rgb[0].shape))
    return np.concatenate(rgb)


def about_half(rng, n, height, width):
    """What is left to see: two thirds of the images lack about a half, mostly the upper or the right
    one, where there is most to heed; others what `random_known` hides."""
    known = kp.completion.random_known(rng, n, height, width)
    for one in known:
        if rng.random() > 0.65:
            continue
        side = rng.choice(4, p=[0.4, 0.4, 0.1, 0.1])  # top, right, bottom, left
        size = round((width if side % 2 else height) * rng.uniform(0.4, 0.6))
        one[:] = True
        np.rot90(one, side)[:size] = False
    return known


def train(model, images, epochs):
    """A look-ahead for whatever is hidden, and then for halves above all."""
    options = {"epochs": epochs, "batch_size": 32, "verbose": 2}
    lookahead = kp.completion.fit_lookahead(model, images, **options)
    return kp.completion.fit_lookahead(
        model,
        images,
        known=about_half,
        lookahead=lookahead,
        learning_rate=2e-3,
        seed=3,
        **options,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    names = [name for name in kp.presets.names() if name.startswith("binarized_mnist")]
    parser.add_argument("name", metavar="NAME", choices=names, help=f"one of: {', '.join(names)}")
    parser.add_argument("--lookahead", type=Path, help=".keras file (default: the one shipped)")
    parser.add_argument("--hidden", choices=masks(), help="only these; nothing is written then")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument(
        "--at-a-time", type=int, help="images of a call that is timed (default: all)"
    )
    parser.add_argument("--particles", type=int, default=44)
    parser.add_argument("--runs", type=int, default=5, help="turns of which times are medians")
    parser.add_argument("--train-images", type=int, default=40_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--split", default="test", help="of which images")
    parser.add_argument("--data-dir", help="folder of prepared TFDS data (default: $TFDS_DATA_DIR)")
    args = parser.parse_args()
    model = kp.models.from_preset(args.name)
    if args.lookahead is None:
        lookahead = kp.completion.Lookahead.from_preset(args.name)
    elif args.lookahead.exists():
        lookahead = keras.saving.load_model(args.lookahead, compile=False)
    else:
        examples = load(args.name, args.data_dir, "train", args.train_images)
        lookahead = train(model, examples, args.epochs)
        lookahead.save(args.lookahead)
    images = load(args.name, args.data_dir, args.split, args.images)
    table, pictures = [], []
    for hidden, known in masks().items():
        if args.hidden not in (None, hidden):
            continue
        rows, shown = measure(
            model,
            lookahead,
            images,
            known,
            args.particles,
            args.runs,
            args.at_a_time or args.images,
        )
        table += [{"hidden": hidden, **row} for row in rows]
        for row in rows:
            print(hidden, {k: round(v, 2) if isinstance(v, float) else v for k, v in row.items()})
        pictures.append(picture(images, known, shown, model.distribution.levels))
    if args.hidden:
        return
    kp.visualize.save_png(
        PICTURE, kp.visualize.grid(np.concatenate(pictures), columns=len(pictures[0]) // 6, scale=2)
    )
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    facts = {
        "machine": timing.machine(),
        "images": args.images,
        "at a time": args.at_a_time or args.images,
        "split": args.split,
        "model": args.name,
    }
    results["completion"] = {**facts, "rows": table}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
