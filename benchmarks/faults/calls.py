"""Bad calls: constructors, methods, `data.load` and exported signatures."""

import numpy as np

import keras_pixelrnn as kp
from benchmarks.faults.bad import Bad
from benchmarks.faults.constructors import CONSTRUCTORS
from benchmarks.faults.values import either, never, number, optional, random_value, whole

LEVELS, COUNT = 5, 2
OF_FILES = optional(lambda x: isinstance(x, str))


def each_of(fits):
    """What `fits`, or one such number for each of the images drawn."""

    def one(x):
        shaped = isinstance(x, (list, tuple)) and len(x) == COUNT and all(map(fits, x))
        return fits(x) or shaped

    return one


def seeds(x):
    """An int, or one for each image."""
    return each_of(whole(0, 2**63 - 1))(x) or (whole(0, 2**200)(x))


SAMPLE = {
    "n": whole(1, 2**20),
    "seed": seeds,
    "context": either(None),
    "temperature": each_of(number(2e-38, 3e38)),
    "top_k": lambda x: (
        x is None or each_of(lambda v: number(1, LEVELS + 0.1)(v) and v == v // 1)(x)
    ),
    "top_p": each_of(lambda x: number(2e-38, 1.0)(x) or either(1, 1.0)(x)),
}
LOAD = {
    "values": optional(either("intensities", "integers", "codes", "binary", "spins")),
    "value_range": lambda x: x is None or (isinstance(x, (list, tuple)) and len(x) == 2),
    "levels": optional(whole(2, 65536)),
    "binarization": optional(either("static", "dynamic", "threshold")),
    "image_size": OF_FILES,
    "background": OF_FILES,
    "on_error": either("raise", "skip"),
    "class_names": lambda x: x is None or isinstance(x, (list, tuple, dict, set, np.ndarray, str)),
}


class Calls:
    """Draws bad calls; holds the models that they are made on.

    Args:
        folder: for an export.
    """

    def __init__(self, folder):
        shape, levels = (4, 5, 1), kp.distributions.Categorical(LEVELS)
        self.model = kp.models.PixelCNN(shape, levels, units=4, num_blocks=1)
        self.told = kp.models.PixelCNN(shape, levels, units=4, num_blocks=1, num_classes=3)
        self.folder, self._signatures = folder, None
        self.images = np.zeros((COUNT, *shape), np.uint8)

    def draw(self, rng, kind):
        """A `Bad` call of a kind: "constructor", "method", "load" or "signature"."""
        return getattr(self, kind)(rng)

    def constructor(self, rng):
        each = CONSTRUCTORS[rng.integers(len(CONSTRUCTORS))]
        argument, value = self._unfit(rng, each.fits)
        given = {**each.good, argument: value}
        what = f"{each.make.__name__}({argument}={value!r})"
        return Bad(what, (argument,), lambda: each.make(**given) and None)

    def method(self, rng):
        kinds = (self._sample, self._log_prob, self._complete, self._from_preset, self._write)
        return kinds[rng.integers(len(kinds))](rng)

    def load(self, rng):
        argument, value = self._unfit(rng, LOAD)
        call = {argument: value}
        return Bad(
            f"load({argument}={value!r})", (argument,), lambda: kp.data.load(**call) and None
        )

    def signature(self, rng):
        import tensorflow as tf

        if self._signatures is None:
            path = kp.export.save_for_serving(self.model, self.folder)
            self._loaded = tf.saved_model.load(str(path))
            self._signatures = self._loaded.signatures
        good = {
            "log_prob": {"image": self.images},
            "nats_map": {"image": self.images},
            "sample": {"seed": np.arange(COUNT)},
            "complete": {
                "image": self.images,
                "known": self.images > 0,
                "seed": np.arange(COUNT),
            },
        }
        name = list(good)[rng.integers(len(good))]
        inputs = {key: tf.constant(value) for key, value in good[name].items()}
        key = list(inputs)[rng.integers(len(inputs))]
        shape = tuple(int(x) for x in rng.integers(0, 6, int(rng.integers(0, 6))))
        dtype = [inputs[key].dtype.as_numpy_dtype, "float32", "int32"][rng.integers(3)]
        value = tf.constant(np.zeros(shape, dtype))
        if value.dtype == inputs[key].dtype and value.shape[1:] == inputs[key].shape[1:]:
            value = tf.constant("text")
        inputs[key] = value
        what = f"{name}({key}: {value.dtype.name}{shape})"
        # Of a wrong dtype TensorFlow itself speaks, and says which input by its number.
        names = (key, f"input #{sorted(inputs).index(key)}")
        return Bad(what, names, lambda: self._signatures[name](**inputs) and None)

    def _unfit(self, rng, fits):
        argument, value = list(fits)[rng.integers(len(fits))], None
        value = random_value(rng)
        while fits[argument](value):
            value = random_value(rng)
        return argument, value

    def _sample(self, rng):
        argument, value = self._unfit(rng, SAMPLE)
        given = {"n": COUNT, "seed": 0, argument: value}
        what = f"sample({argument}={value!r})"
        return Bad(what, (argument,), lambda: self.model.sample(**given).size and None)

    def _log_prob(self, rng):
        if rng.integers(2):
            _, value = self._unfit(rng, {"context": never})
            if either(0, 1, 2)(value) or each_of(whole(0, 2))(value):
                value = "text"
            what = f"log_prob(context={value!r})"
            names = ("context", "conditional")
            return Bad(what, names, lambda: self.told.log_prob(self.images, context=value) is None)
        value = [
            random_value(rng),
            self.images / 2,
            self.images + LEVELS,
            self.images.astype(np.int64) - 1,
            self.images.astype(bool),
            self.images.astype(complex),
            np.moveaxis(self.images, 1, 2),
            self.images[0],
        ][rng.integers(8)]
        what = f"log_prob(images={value!r})"[:200]
        return Bad(what, ("images",), lambda: self.model.log_prob(value) is None)

    def _complete(self, rng):
        fits = {"known": never, "seed": seeds, "method": either("ancestral"), "images": never}
        argument, value = self._unfit(rng, fits)
        given = {"images": self.images, "known": self.images > 0, "seed": 0, argument: value}
        what = f"complete({argument}={value!r})"
        return Bad(what, (argument,), lambda: self.model.complete(**given) is None)

    def _from_preset(self, rng):
        if rng.integers(2):
            value = random_value(rng)
            names = ("preset", str(value) if isinstance(value, str) else "preset")
            what = f"from_preset({value!r})"
            return Bad(what, names, lambda: kp.models.from_preset(value) and None)
        each = CONSTRUCTORS[0]
        argument, value = self._unfit(rng, each.fits)
        what = f"from_preset('digits', {argument}={value!r})"
        given = {argument: value, "load_weights": False}
        return Bad(what, (argument,), lambda: kp.models.from_preset("digits", **given) and None)

    def _write(self, rng):
        fits = {
            "directory": lambda x: isinstance(x, str),
            "version": lambda x: x is None or whole(1, 2**80)(x),
            "n_particles": lambda x: x is None or whole(1, 2**80)(x),
        }
        argument, value = self._unfit(rng, fits)
        given = {"directory": self.folder / "unused", argument: value}
        what = f"save_for_serving({argument}={value!r})"
        return Bad(
            what,
            (argument,),
            lambda: kp.export.save_for_serving(self.model, **given) is None,
        )
