"""Lossless files: bytes beside the model's nats and beside other formats, and the time of both ways.

    python -m benchmarks.codec                       # 1,000 MNIST and 200 CIFAR-10 test images
    python -m benchmarks.codec --set mnist --images 1000 --mutations 1000
    python -m benchmarks.codec encode --set mnist --images 10000 --file digits.kpz
    python -m benchmarks.codec decode --set mnist --images 10000 --file digits.kpz --no-xla

Needs the test images as TFDS has them (TFDS_DATA_DIR). `encode` and `decode` are for two processes
that compute differently: other machines, backends (KERAS_BACKEND), numbers of threads.
"""

import argparse
import bz2
import io
import sys
import time
import zlib

import numpy as np
from PIL import Image

from keras_pixelrnn import codec, models

SETS = {  # the data, and the model that comes along
    "mnist": ("binarized_mnist", "binarized_mnist_diagonal_1x32"),
    "cifar10": ("cifar10", "cifar10_gated"),
}


def images_of(name, count):
    """The first test images, as uint8."""
    import tensorflow_datasets as tfds

    data = tfds.load(name, split=f"test[:{count}]")
    return np.stack([example["image"] for example in tfds.as_numpy(data)]).astype(np.uint8)


def picture(image, levels):
    if levels == 2:
        return Image.fromarray(image[..., 0] * 255).convert("1")
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def others(images, levels):
    """`{format: (bytes, seconds to code, seconds to decode)}`, a file for each image; bzip2 of all at
    once, binary ones as bits."""
    formats = {
        "PNG": ("PNG", {"optimize": True}),
        "WebP": ("WEBP", {"lossless": True, "quality": 100}),
    }
    try:
        import pillow_jxl  # noqa: F401

        formats["JPEG XL"] = ("JXL", {"lossless": True, "effort": 9})
    except ImportError:
        print("JPEG XL left out: pip install pillow-jxl-plugin", file=sys.stderr)
    found = {}
    for name, (kind, options) in formats.items():
        start, files = time.perf_counter(), []
        for image in images:
            files.append(io.BytesIO())
            shown = picture(image, levels)
            (shown if kind == "PNG" else shown.convert("RGB")).save(files[-1], kind, **options)
        middle = time.perf_counter()
        for file in files:
            with Image.open(file) as opened:
                opened.load()
        size = sum(len(file.getvalue()) for file in files)
        found[name] = (size, middle - start, time.perf_counter() - middle)
    plain = (np.packbits(images) if levels == 2 else images).tobytes()
    start = time.perf_counter()
    packed = bz2.compress(plain)
    middle = time.perf_counter()
    bz2.decompress(packed)
    found["bzip2, all in one"] = (len(packed), middle - start, time.perf_counter() - middle)
    return found


def mutations(model, images, count, seed=0):
    """How many of `count` damaged files are refused, and how many decode to the images all the same; one
    that decodes to anything else is an error."""
    random = np.random.default_rng(seed)
    data = codec.compress(model, images, block_size=4)
    refused = {"as it is": 0, "check sum of the file mended": 0}
    for trial in range(count):
        broken = bytearray(data)
        place = int(random.integers(len(data)))
        kind = trial % 3
        if kind == 0:
            broken[place] ^= 1 << int(random.integers(8))
        elif kind == 1:
            del broken[place:]
        else:
            broken.insert(place, int(random.integers(256)))
        for mended in (False, True):
            if mended and trial % 10:  # each of these runs the network
                continue
            if mended:
                broken[4:8] = zlib.crc32(broken[8:]).to_bytes(4, "little")
            try:
                found = codec.decompress(model, bytes(broken), batch_size=4, xla=False)
            except ValueError:
                refused[list(refused)[mended]] += 1
            else:
                assert np.array_equal(found, images), "a damaged file was decoded to other images"
    return refused


def table(name, count):
    data, preset = SETS[name]
    model, images = models.from_preset(preset), images_of(data, count)
    levels = model.distribution.levels
    bound = -model.log_prob(images).sum(dtype=np.float64) / np.log(2) / 8
    start = time.perf_counter()
    packed = codec.compress(model, images)
    middle = time.perf_counter()
    found = codec.decompress(model, packed)
    end = time.perf_counter()
    assert np.array_equal(found, images)
    print(f"\n{count} test images, {data}; model {preset}, nats {bound:.0f} bytes")
    print(f"{len(packed) / bound - 1:+.2%} against the nats; {codec.header(packed)}")
    print("| | bytes | an image | code, s | decode, s |\n|---|---|---|---|---|")
    rows = {"keras_pixelrnn": (len(packed), middle - start, end - middle), **others(images, levels)}
    for kind, (size, code, decode) in rows.items():
        print(f"| {kind} | {size:,} | {size / count:.1f} | {code:.2f} | {decode:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=["table", "encode", "decode"], default="table")
    parser.add_argument("--set", choices=SETS, help="default: both")
    parser.add_argument("--images", type=int)
    parser.add_argument("--mutations", type=int, default=0, help="damaged files to try")
    parser.add_argument("--file", default="images.kpz")
    parser.add_argument("--block-size", type=int)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--no-xla", action="store_true")
    args = parser.parse_args()
    counts = {"mnist": 1000, "cifar10": 200}
    for name in [args.set] if args.set else SETS:
        count = args.images or counts[name]
        data, preset = SETS[name]
        if args.what == "table":
            table(name, count)
        else:
            model, images = models.from_preset(preset), images_of(data, count)
        start = time.perf_counter()
        if args.what == "encode":
            options = {"block_size": args.block_size, "batch_size": args.batch_size}
            print(codec.write(args.file, model, images, **options), "bytes", end=" ")
        elif args.what == "decode":
            options = {"batch_size": args.batch_size, "xla": not args.no_xla}
            found = codec.read(args.file, model, **options)
            print(f"{(found == images).all(axis=(1, 2, 3)).sum()} of {count} equal", end=" ")
        if args.what != "table":
            print(f"in {time.perf_counter() - start:.1f} s")
        if args.mutations:
            model = models.from_preset(preset)
            print(mutations(model, images_of(data, 8), args.mutations))


if __name__ == "__main__":
    main()
