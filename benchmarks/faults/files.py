"""Damaged files: what is read from them is what was written, or an error names the file."""

import io
import json
import shutil
import zipfile

import numpy as np
from PIL import Image

import keras_pixelrnn as kp
from benchmarks.faults.bad import Bad
from keras_pixelrnn.training import archive


class Files:
    """Writes files that are good, damages copies of them and reads those.

    Args:
        folder: to work in.
    """

    def __init__(self, folder):
        self.folder = folder
        rng = np.random.default_rng(0)
        self.images = rng.integers(0, 17, (20, 8, 8, 1)).astype(np.uint8)
        self.good = folder / "good"
        self.good.mkdir(parents=True)
        digits = kp.distributions.Categorical(17)
        self.model = kp.models.PixelCNN((8, 8, 1), digits, units=4, num_blocks=1)
        self.model.save(self.good / "model.keras")
        self.model.save_to_preset(self.good / "preset")
        parts = {"train": self.images, "validation": self.images, "test": self.images}
        kp.data.pack(kp.data.load(parts, values="integers", levels=17), self.good / "packed.npz")
        np.save(self.good / "images.npy", self.images)
        archive.write(self.good / "state.npz", {"epoch": 3}, {"a": np.arange(99.0)})
        (self.good / "pictures").mkdir()
        for index, image in enumerate(self.images):
            Image.fromarray(image[..., 0] * 15).save(self.good / "pictures" / f"{index:02}.png")
        self.weights = self.model.get_weights()
        self.raw = {path: path.read_bytes() for path in self.good.rglob("*") if path.is_file()}
        self.pictures = self._pictures(self.good)

    READS = ("keras", "preset", "packed", "npy", "state", "picture", "facts", "other")

    def draw(self, rng):
        """A `Bad` reading of a damaged copy."""
        kind = self.READS[rng.integers(len(self.READS))]
        name = {
            "keras": "model.keras",
            "preset": f"preset/{['config.json', 'model.weights.h5'][rng.integers(2)]}",
            "packed": "packed.npz",
            "npy": "images.npy",
            "state": "state.npz",
            "picture": f"pictures/{rng.integers(20):02}.png",
            "facts": "preset/preset.json",
            "other": "images.npy",
        }[kind]
        data, how = damaged(rng, self.raw[self.good / name], header=128 if kind == "npy" else None)
        while kind == "facts" and "bits" in how + how.replace("zeros", "bits"):
            data, how = damaged(rng, self.raw[self.good / name])  # plain text has no check sum
        if kind == "other":
            data, how = hostile(rng)
        copy = self.folder / "copy"

        def run():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(self.good, copy)
            (copy / name).write_bytes(data)
            return getattr(self, f"_{kind}")(copy)

        return Bad(f"{name}: {how}", (name.split("/")[-1], "copy/preset"), run)

    def _same(self, model):
        theirs = model.get_weights()
        return model.get_config()["units"] == 4 and all(
            np.array_equal(a, b) for a, b in zip(self.weights, theirs, strict=True)
        )

    def _keras(self, folder):
        return self._same(kp.models.from_preset(folder / "model.keras"))

    def _preset(self, folder):
        return self._same(kp.models.from_preset(folder / "preset"))

    def _facts(self, folder):
        found = kp.presets.facts(folder / "preset")
        return isinstance(found, dict) and found == json.loads(
            self.raw[self.good / "preset/preset.json"]
        )

    def _packed(self, folder):
        data = kp.data.load(folder / "packed.npz")
        split = data.source.splits["train"]
        return np.array_equal(split.read(np.arange(20))[0], self.images)

    def _npy(self, folder):
        data = kp.data.load(folder / "images.npy", values="integers", levels=17)
        return sum(data.sizes.values()) == 20

    _other = _npy

    def _state(self, folder):
        manifest, arrays = archive.read(folder / "state.npz")
        return manifest == {"epoch": 3} and np.array_equal(arrays["a"], np.arange(99.0))

    def _picture(self, folder):
        return np.array_equal(self._pictures(folder), self.pictures)

    def _pictures(self, folder):
        data = kp.data.load(folder / "pictures", image_size=8, channels=1)
        return np.concatenate(
            [
                np.concatenate(
                    [data.source.splits[name].read(np.arange(data.sizes[name]))[0].ravel()]
                )
                for name in data.sizes
            ]
        )


def damaged(rng, good, header=None):
    """Bytes that are not the good ones, and how they came about; only the first `header` are flipped."""
    data, end = bytearray(good), header or len(good)
    kind = rng.integers(5)
    if kind == 0:
        size = int(rng.integers(0, len(data)))
        return bytes(data[:size]), f"cut off at {size}"
    if kind == 1:
        return rng.bytes(int(rng.integers(0, 2000))), "other bytes"
    if kind == 2:
        first = int(rng.integers(0, end))
        last = min(end, first + int(rng.integers(1, 300)))
        data[first:last] = bytes(last - first)
        return bytes(data), f"zeros from {first} to {last}"
    places = rng.integers(0, end, 1 if kind == 3 else int(rng.integers(2, 20)))
    for place in places:
        data[place] ^= 1 << int(rng.integers(8))
    return bytes(data), f"flipped bits at {sorted(map(int, places))[:5]}"


def hostile(rng):
    """Bytes that would run code, fill the memory or lie about themselves."""
    kind = rng.integers(3)
    if kind == 0:
        file = io.BytesIO()
        np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
        return file.getvalue(), "a pickle"
    if kind == 1:
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 8, 8, 1)}
        )
        return file.getvalue(), "terabytes promised"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("../../outside.npy", b"x")
    return file.getvalue(), "a zip file"
