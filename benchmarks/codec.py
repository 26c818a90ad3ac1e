r"""Lossless files: bytes beside the model's nats and beside other formats, and the time of both ways.

    python -m benchmarks.codec sizes --set mnist              # 1,000 test images
    python -m benchmarks.codec sizes --set cifar10            # 200, some ten minutes; or in two parts:
    python -m benchmarks.codec sizes --set cifar10 --file small.kpz --no-decode
    python -m benchmarks.codec decode --set cifar10 --file small.kpz --batch-size 256
    python -m benchmarks.codec mutate --set digits --count 1000
    python -m benchmarks.codec encode --set mnist --images 10000 --file digits.kpz --cores 2
    KERAS_BACKEND=jax python -m benchmarks.codec decode --set mnist --images 10000 --file digits.kpz \
        --batch-size 7 --cores 1
    python -m benchmarks.codec decode --set mnist --first 2000 --images 1000 --file digits.kpz \
        --batch-size 7 --cores 1 --no-xla         # images 2,000 to 2,999 of it

Needs the test images as TFDS has them (TFDS_DATA_DIR). `encode` and `decode` are for two processes
that compute differently: other machines, backends, batches, numbers of cores, with XLA and without.
"""

import argparse
import bz2
import io
import os
import sys
import time
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

import keras_pixelrnn as kp
from keras_pixelrnn import codec, models

SETS = {  # the data, and the model that comes along
    "mnist": ("binarized_mnist", "binarized_mnist_diagonal_1x32"),
    "cifar10": ("cifar10", "cifar10_gated"),
    "digits": ("digits", "digits"),  # needs no other data
}


def images_of(name, count):
    """The first test images, as uint8."""
    if name == "digits":
        return next(iter(kp.data.load(name).evaluation("test", count)))
    import tensorflow_datasets as tfds

    examples = tfds.load(name, split=f"test[:{count}]")
    return np.stack([example["image"] for example in tfds.as_numpy(examples)]).astype(np.uint8)


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


def sizes(name, count, batch_size, file=None):
    """Prints the table; with a `file`, the code is written there and left to be decoded by another."""
    data, preset = SETS[name]
    model, images = models.from_preset(preset), images_of(data, count)
    levels = model.distribution.levels
    bound = -model.log_prob(images).sum(dtype=np.float64) / np.log(2) / 8
    start = time.perf_counter(), time.process_time()
    packed = codec.compress(model, images, batch_size=batch_size)
    middle = time.perf_counter(), time.process_time()
    print(f"\n{count} test images, {data}; model {preset}, nats {bound:.0f} bytes")
    print(f"{len(packed) / bound - 1:+.2%} against the nats; {codec.header(packed)}", flush=True)
    found = images
    if file is None:
        found = codec.decompress(model, packed)
    else:
        Path(file).write_bytes(packed)
    end = time.perf_counter(), time.process_time()
    assert np.array_equal(found, images)
    print(f"processor: {middle[1] - start[1]:.1f} s to code, {end[1] - middle[1]:.1f} s to decode")
    print("| | bytes | an image | code, s | decode, s |\n|---|---|---|---|---|")
    own = (len(packed), middle[0] - start[0], end[0] - middle[0])
    for kind, row in {"keras_pixelrnn": own, **others(images, levels)}.items():
        size, code, decode = row
        print(f"| {kind} | {size:,} | {size / count:.1f} | {code:.2f} | {decode:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["sizes", "encode", "decode", "mutate"])
    parser.add_argument("--set", choices=SETS, required=True)
    parser.add_argument(
        "--images", type=int, help="default: 1,000 of mnist, 200 of cifar10, 360 of digits"
    )
    parser.add_argument("--first", type=int, default=0, help="of decode: number of the first image")
    parser.add_argument("--count", type=int, default=1000, help="damaged files")
    parser.add_argument("--file", default="images.kpz")
    parser.add_argument("--block-size", type=int)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--no-xla", action="store_true")
    parser.add_argument("--no-decode", action="store_true", help="of sizes: write --file instead")
    parser.add_argument("--cores", type=int, help="use so many")
    args = parser.parse_args()
    if args.cores:  # before a backend counts them
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    data, preset = SETS[args.set]
    count = args.images or {"mnist": 1000, "cifar10": 200, "digits": 360}[args.set]
    if args.what == "sizes":
        sizes(args.set, count, args.batch_size, args.file if args.no_decode else None)
        return
    model = models.from_preset(preset)
    images = images_of(data, 8 if args.what == "mutate" else args.first + count)[args.first :]
    start = time.perf_counter(), time.process_time()
    if args.what == "mutate":
        print(args.count, "damaged files, all refused or whole:", end=" ")
        print(mutations(model, images, args.count), end=" ")
    elif args.what == "encode":
        options = {"block_size": args.block_size, "batch_size": args.batch_size}
        print(codec.write(args.file, model, images, **options), "bytes", end=" ")
    else:
        options = {"batch_size": args.batch_size, "xla": not args.no_xla}
        options["indices"] = range(args.first, args.first + count)
        found = codec.read(args.file, model, **options)
        print(f"{(found == images).all(axis=(1, 2, 3)).sum()} of {count} equal", end=" ")
    wall, processor = time.perf_counter() - start[0], time.process_time() - start[1]
    print(f"in {wall:.1f} s, {processor:.1f} s of processor")


if __name__ == "__main__":
    main()
