"""Reading images: memory whatever their number, and images a second against Keras' own reader.

    python -m benchmarks.data                    # some minutes on two cores
    python -m benchmarks.data --files 20000      # fewer files, for a quick look

Files are JPEGs of 128x128x3 with few distinct contents under many names (hard links); every reader
decodes all of them. An array of 5 GB is a sparse .npy file; `fit` trains on another of 32x32x3, of which
it takes some steps. Peaks are of a process of its own for each, which reads every image of an epoch of
training in shuffled batches of 64. Readers are timed in turns, over the same folder, each decoding and
shuffling, without a cache; the ratio is that of their medians.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

SIDE, BATCH, DISTINCT = 128, 64, 200
PER_FOLDER = 1000


def write_files(folder, count):
    """`count` JPEG files under `folder/images`, of `DISTINCT` contents that look like photographs."""
    from PIL import Image

    rng = np.random.default_rng(0)
    originals = []
    (folder / "originals").mkdir()
    for number in range(min(DISTINCT, count)):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
        smooth = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.int16)
        noisy = np.clip(smooth + rng.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)
        originals.append(folder / "originals" / f"{number}.jpg")
        Image.fromarray(noisy).save(originals[-1], quality=90)
    for number in range(count):
        part = folder / "images" / f"part{number // PER_FOLDER:04}"
        part.mkdir(parents=True, exist_ok=True)
        os.link(originals[number % len(originals)], part / f"{number:07}.jpg")
    return folder / "images"


def write_array(folder, size, side=SIDE):
    """A sparse .npy file of `size` bytes of images."""
    path = folder / f"images{side}.npy"
    count = size // (side * side * 3)
    array = np.lib.format.open_memmap(path, "w+", np.uint8, (count, side, side, 3))
    array[:: max(1, count // 100), 0, 0, 0] = 255
    array.flush()
    return path


def ours(path):
    """Shuffled training batches, and how many of them make an epoch."""
    import keras_pixelrnn as kp

    files = {"image_size": SIDE, "cache": None} if Path(path).is_dir() else {}
    data = kp.data.load(path, **files)
    return data.training(BATCH), data.steps_per_epoch(BATCH)


def keras_reader(path):
    """The same of `keras.utils.image_dataset_from_directory`."""
    import keras

    data = keras.utils.image_dataset_from_directory(
        path, labels=None, batch_size=BATCH, image_size=(SIDE, SIDE), shuffle=True, verbose=False
    )
    return data, len(data)


READERS = {"keras_pixelrnn": ours, "keras": keras_reader}


def peak(reader, path, steps=0):
    """Peak memory, MiB, of a process that reads an epoch, or trains so many steps."""
    out = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.data",
            "--peak",
            reader,
            str(path),
            "--steps",
            str(steps),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(out.stdout.split()[-1])


def read_epoch(reader, path):
    from benchmarks import timing

    batches, steps = READERS[reader](path)
    for _ in batches.take(steps):
        pass
    return timing.peak_memory_mib()


def fit(path, steps):
    """`fit` a small model to a memory-mapped array in shuffled batches of 256."""
    import keras_pixelrnn as kp
    from benchmarks import timing

    images = np.load(path, mmap_mode="r")
    head = kp.distributions.DiscretizedLogisticMixture(256, num_mixtures=1)
    model = kp.models.PixelCNN(images.shape[1:], head, units=1, num_blocks=1, kernel_size=3)
    model.compile("adam")
    model.fit(images, batch_size=256, steps_per_epoch=steps, verbose=0)
    return timing.peak_memory_mib()


def rates(path, runs, images):
    """`{reader: images a second}`, in turns of `images` images, after a turn to warm up.

    Each turn begins anew: a reader left open would fill its buffers in the other's turn.
    """
    from benchmarks import timing

    steps = images // BATCH

    def turn(batches):
        for _ in batches.take(steps):
            pass

    made = {name: make(path)[0] for name, make in READERS.items()}
    turns = {name: lambda batches=batches: turn(batches) for name, batches in made.items()}
    seconds, _ = timing.interleaved(turns, runs)
    return {name: steps * BATCH / median for name, median in seconds.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--turn", type=int, default=8192, help="images of a timed turn")
    parser.add_argument("--only", choices=["files", "array", "fit", "speed"])
    parser.add_argument("--steps", type=int, default=200, help="of fit")
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak:
        reader, path = args.peak
        return print(fit(path, args.steps) if reader == "fit" else read_epoch(reader, path))
    from benchmarks import timing

    print(timing.machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="pixelrnn-") as folder:
        folder = Path(folder)
        if args.only not in ("array", "fit"):
            path = write_files(folder, args.files)
        if args.only in (None, "files"):
            for reader in READERS:
                mib = peak(reader, path)
                print(f"{args.files} files, peak of {reader}: {mib:.0f} MiB", flush=True)
        if args.only in (None, "array"):
            array = write_array(folder, int(args.gigabytes * 1e9))
            print(f"{args.gigabytes} GB array: {peak('keras_pixelrnn', array):.0f} MiB", flush=True)
        if args.only in (None, "fit"):
            array = write_array(folder, int(args.gigabytes * 1e9), side=32)
            mib = peak("fit", array, args.steps)
            print(
                f"fit to a {args.gigabytes} GB array, {args.steps} steps: {mib:.0f} MiB", flush=True
            )
        if args.only in (None, "speed"):
            found = rates(path, args.runs, args.turn)
            ratio = found["keras_pixelrnn"] / found["keras"]
            told = ", ".join(f"{name} {rate:.0f}" for name, rate in found.items())
            print(f"images a second: {told}; ratio {ratio:.2f}", flush=True)
    return None


if __name__ == "__main__":
    main()
