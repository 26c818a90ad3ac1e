"""Which images does a model find strange, by each score, and where does it find faults?

    python -m benchmarks.scores digits --background saved_models/my-background
    python -m benchmarks.scores binarized_mnist_diagonal_1x32 --count 300
    python -m benchmarks.scores cifar10_gated --count 100 --faults 0 --background small.keras --steps 300

For test images of the data that the model was trained on, and as many images of each of some other
kinds, all made from what is there offline: the area under the ROC curve (0.5 is chance, below it others
are found *less* strange) by nats, complexity and, with a background model, likelihood ratio; and the
share of test images above the threshold that validation images set for 5% of false alarms. A background
model that is not there is trained: a PixelCNN of two blocks of 16 units on noised data. Then,
where `--faults` are asked for: faults are planted in that many test images, and the area under the ROC
curve over pixels is that of the plain map of nats, and of the two maps of `model.restore`.

Writes into benchmarks/results.json, and with `--picture` a picture of faults, maps and restored images.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_pixelrnn as kp
from benchmarks import timing
from benchmarks.anomaly import auroc

RESULTS = Path(__file__).parent / "results.json"
RATE = 0.05
SHARE = 0.2  # of sub-pixels that are noise to a background model


def data_of(name, data_dir):
    """What a shipped model was trained on."""
    settings = kp.presets.facts(name)["training"]["settings"]
    return kp.data.load(
        settings["dataset"],
        data_dir=data_dir,
        levels=settings.get("levels"),
        binarization=settings.get("binarization"),
    )


def load(name, data_dir, split, count):
    """Images of a split of it."""
    data = data_of(name, data_dir)
    return np.asarray(next(iter(data.evaluation(split, min(count, data.sizes[split])))))


def others(images, levels, data_dir):
    """`{kind: images}` of other kinds, shaped like `images`."""
    rng = np.random.default_rng(0)
    top = levels - 1
    flat = images.reshape(len(images), -1)
    shade = rng.integers(0, levels, (len(images), 1, 1, images.shape[-1]))
    kinds = {
        "inverted": top - images,
        "transposed": images.transpose(0, 2, 1, 3),
        "upside down": images[:, ::-1],
        "one value each": np.broadcast_to(shade, images.shape),
        "blank": np.zeros_like(images),
        "values of the image shuffled": rng.permuted(flat, axis=1).reshape(images.shape),
        "noise, all values alike": rng.integers(0, levels, images.shape),
        "half the contrast": (images.astype(int) + top // 2) // 2 if levels > 2 else None,
    }
    size = images.shape[1:]
    if size == (28, 28, 1):
        kinds["garments, filled"] = top * garments(rng, len(images))
    if data_dir is not None and size == (28, 28, 1):
        objects = load("cifar10_diagonal", data_dir, "test", len(images))[:, 2:30, 2:30]
        grey = objects.mean(-1, keepdims=True)
        kinds["CIFAR-10, cut at its median"] = grey > np.median(grey, (1, 2, 3), keepdims=True)
    if data_dir is not None and size == (32, 32, 3):
        digits = kp.data.load("mnist", data_dir=data_dir)
        digits = np.asarray(next(iter(digits.evaluation("test", len(images))))).astype(int)
        ink = np.pad(digits, ((0, 0), (2, 2), (2, 2), (0, 0))) / 255
        colours = rng.integers(0, 256, (2, len(images), 1, 1, 3))
        kinds["MNIST digits, one colour on another"] = ink * colours[0] + (1 - ink) * colours[1]
    return {k: np.asarray(x).astype(images.dtype) for k, x in kinds.items() if x is not None}


def garments(rng, n):
    """Booleans `(n, 28, 28, 1)`: large filled outlines like those of Fashion-MNIST: shirts, trousers,
    dresses, bags, shoes."""
    found = np.zeros((n, 28, 28, 1), bool)
    rows, columns = np.mgrid[:28, :28] + 0.5
    for image, kind in zip(found[..., 0], rng.integers(0, 5, n), strict=True):
        top, bottom = rng.uniform(1, 5), rng.uniform(23, 27)
        off, wide = np.abs(columns - 14), rng.uniform(5, 8)
        along = (rows - top) / (bottom - top)
        if kind == 0:  # a shirt: a body, and sleeves that hang from the shoulders
            slope, reach = rng.uniform(0.2, 1.5), rng.uniform(9, 13)
            sleeve = (off < reach) & (np.abs(rows - top - slope * (off - wide) - 3) < 3)
            image[:] = (off < wide) | ((off > wide) & sleeve)
        elif kind == 1:  # trousers: two legs
            image[:] = (off < wide) & ((off > 1 + 2 * along) | (along < rng.uniform(0.1, 0.3)))
        elif kind == 2:  # a dress: wider from the waist down
            image[:] = off < wide * (0.6 + 0.5 * np.abs(along - rng.uniform(0.2, 0.4)))
        elif kind == 3:  # a bag: a box with a handle
            top = rng.uniform(9, 13)
            ring = np.hypot(off / wide, (rows - top) / (top - 3))
            image[:] = ((off < 12) & (rows > top)) | ((ring > 0.7) & (ring < 1) & (rows <= top))
        else:  # a shoe: a sole, low at the toe
            top = rng.uniform(8, 14)
            toe = np.clip((20 - columns) / rng.uniform(8, 16), 0, 1)
            image[:] = (off < 13) & (rows > 22 - (22 - top) * np.maximum(toe, 0.3))
            bottom = 24
        image[:] &= (rows > (3 if kind == 3 else top)) & (rows < bottom)
    return found


def background_of(path, model, data, steps, batch_size=32):
    """The background model at `path`, trained on `data` with noise where there is none."""
    if not Path(path).exists():
        head = type(model.distribution).from_config(model.distribution.get_config())
        small = kp.models.PixelCNN(model.image_shape, head, units=16, num_blocks=2)
        small.compile(keras.optimizers.Adam(3e-3, global_clipnorm=20.0), jit_compile=True)
        noised = data.noised(SHARE).training(batch_size)
        small.fit(noised, steps_per_epoch=steps, epochs=1, verbose=2)
        small.save(path)
    return kp.models.from_preset(path)


def strangeness(model, images, validation, data_dir, background):
    """`{kind: {score: AUROC}}`, and the share of test images above the threshold by each score."""
    methods = {"nats": {}, "complexity": {}}
    if background is not None:
        methods["ratio"] = {"background": background}
    usual = {m: model.score(images, method=m, **told) for m, told in methods.items()}
    alarms = {}
    for method, told in methods.items():
        limit = kp.scores.threshold(model.score(validation, method=method, **told), RATE)
        alarms[method] = float((usual[method] > limit).mean())
    rows = {}
    for kind, strange in others(images, model.distribution.levels, data_dir).items():
        rows[kind] = {
            method: auroc(usual[method], model.score(strange, method=method, **told))
            for method, told in methods.items()
        }
        print(kind, {key: round(value, 3) for key, value in rows[kind].items()}, flush=True)
    return rows, alarms


def planted(images, levels):
    """`{fault: images}`, each image with one fault at a place of its own."""
    rng = np.random.default_rng(1)
    height, width, _ = images.shape[1:]
    side, thick = max(2, height // 5), max(1, height // 14)
    found = {
        name: images.copy() for name in ("a square inverted", "a line", "a part erased", "dust")
    }
    for index in range(len(images)):
        square, line, erased, dust = (copy[index] for copy in found.values())
        row, column = rng.integers(side // 2, height - side - side // 2 + 1, 2)
        part = square[row : row + side, column : column + side]
        part[:] = levels - 1 - part
        row = rng.integers(height // 4, 3 * height // 4 - thick + 1)
        line[row : row + thick, width // 7 : width - width // 7] = levels - 1
        row = rng.integers(height // 3, height // 2 + 1)
        erased[row : row + thick + 2] = 0
        spots = rng.choice(height * width, max(2, height * width // 65), replace=False)
        flat = dust.reshape(height * width, -1)
        flat[spots] = levels - 1 - flat[spots]
    return found


def faults(model, images, nats_threshold, **options):
    """`{fault: {map: AUROC over pixels}}`, and what the picture shows of each."""
    rows, shown = {}, {}
    for fault, given in planted(images, model.distribution.levels).items():
        at = (given != images).any(axis=-1)
        plain = -np.concatenate(list(model.nats_batches(given))).sum(axis=-1)
        found = model.restore(given, nats_threshold=nats_threshold, seed=0, **options)
        maps = {
            "nats": plain,
            "score_map": found.score_map,
            "anomaly_map": found.anomaly_map,
        }
        rows[fault] = {key: auroc_of_pixels(x, at) for key, x in maps.items()}
        rows[fault] |= {
            "wrong pixels before": float(at.sum(axis=(1, 2)).mean()),
            "after": float((found.images != images).any(-1).sum(axis=(1, 2)).mean()),
        }
        shown[fault] = (given, plain, found)
        print(fault, {key: round(value, 3) for key, value in rows[fault].items()}, flush=True)
    return rows, shown


def auroc_of_pixels(values, at):
    """Probability that a pixel `at` a fault has the higher value, ties half: by ranks."""
    values, at = values.ravel(), at.ravel()
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    inside = at.sum()
    return float((rank[at].sum() - inside * (inside + 1) / 2) / (inside * (~at).sum()))


def picture(shown, levels, each=4):
    """A row for each fault: given, plain nats, score map, restored, several times side by side."""
    tiles = []
    for given, plain, found in shown.values():
        parts = [
            kp.visualize.to_rgb(given[:each], levels),
            kp.visualize.nats_map(-plain[:each, ..., None], top=6.0),
            kp.visualize.nats_map(-found.score_map[:each, ..., None], top=6.0),
            kp.visualize.to_rgb(found.images[:each], levels),
        ]
        tiles.append(np.stack(parts, axis=1).reshape(-1, *parts[0].shape[1:]))
    return kp.visualize.grid(np.concatenate(tiles), columns=4 * each, scale=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    names = kp.presets.names()
    parser.add_argument("name", metavar="NAME", choices=names, help=f"one of: {', '.join(names)}")
    parser.add_argument("--data-dir", default=os.environ.get("TFDS_DATA_DIR"))
    parser.add_argument(
        "--background", help="model for the likelihood ratio, or .keras file to write"
    )
    parser.add_argument("--steps", type=int, default=1000, help="to train it, of 32 images")
    parser.add_argument("--count", type=int, default=300, help="images of each kind")
    parser.add_argument("--faults", type=int, default=32, help="images with faults")
    parser.add_argument("--nats-threshold", type=float, default=4.0)
    parser.add_argument("--particles", type=int, default=32)
    parser.add_argument("--picture", help="PNG file to write")
    args = parser.parse_args()
    model = kp.models.from_preset(args.name)
    background = None
    if args.background:
        data = data_of(args.name, args.data_dir)
        background = background_of(args.background, model, data, args.steps)
    images = load(args.name, args.data_dir, "test", args.count)
    facts = {"machine": timing.machine(), "images": len(images), "faulty": args.faults}
    validation = load(args.name, args.data_dir, "validation", args.count)
    rows, alarms = strangeness(model, images, validation, args.data_dir, background)
    print(f"test images above the threshold for {RATE:.0%}: {alarms}", flush=True)
    facts |= {"AUROC": rows, "false alarms": alarms}
    if args.faults:
        facts["pixel AUROC"], shown = faults(
            model, images[: args.faults], args.nats_threshold, n_particles=args.particles
        )
        if args.picture:
            kp.visualize.save_png(args.picture, picture(shown, model.distribution.levels))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results.setdefault("scores", {})[args.name] = facts
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
