"""A SavedModel that loads without this package and that stock TensorFlow Serving runs."""

import os
import shutil
import tempfile
from pathlib import Path

import tensorflow as tf

from keras_pixelrnn import noise
from keras_pixelrnn.metrics import bits_per_dim


def save_for_serving(model, directory, version=None):
    """Write `<directory>/<version>/saved_model.pb`, complete in one move.

    A server that polls `directory` never sees half a model: everything is written beside it and then
    moved into place. Signatures, all with the batch as dimension 0 of every input and output:

    - `sample(seed)` -> `image`, `png_bytes`, `log_prob`; also `serving_default`
    - `complete(image, known, seed)` -> `image`, `png_bytes`, `log_prob`
    - `log_prob(image)` -> `log_prob`, `bits_per_dim`
    - `nats_map(image)` -> `nats`

    `seed` is int64, one per image; `image` uint8; `known` boolean shaped like `image`; `log_prob` nats
    (of the values drawn), -inf for an image with a value outside the model's levels.

    Args:
        model: a `PixelModel`.
        directory: folder of all versions of the model; made where missing.
        version: positive int; the next free one if None.

    Returns:
        `pathlib.Path` of the version folder.

    Raises:
        ValueError: `version` is taken or not positive.
        OSError: the folder cannot be written; nothing is left behind.

    Example:

    >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
    >>> path = save_for_serving(model, directory)
    >>> sample = tf.saved_model.load(path).signatures["sample"]
    >>> sample(seed=tf.constant([7, 8], tf.int64))["image"].shape
    TensorShape([2, 8, 8, 1])
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    version = _next_version(directory) if version is None else version
    target = directory / str(version)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1 or target.exists():
        raise ValueError(
            f"`version` must be a positive int that is still free in {directory}. Leave it out for "
            f"the next free one. Received: version={version!r}"
        )
    scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=directory))
    try:
        _write(model, scratch / "model")
        os.rename(scratch / "model", target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _next_version(directory):
    taken = [int(entry.name) for entry in directory.iterdir() if entry.name.isdecimal()]
    return max(taken, default=0) + 1


def _write(model, path):
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    concrete = {
        name: tf.function(function, autograph=False).get_concrete_function(*inputs)
        for name, (function, inputs) in signatures(model).items()
    }
    concrete["serving_default"] = concrete["sample"]
    tf.saved_model.save(module, str(path), signatures=concrete)


def signatures(model):
    """`{name: (function, input specs)}` of everything that an export of `model` can do."""
    shape = model.image_shape
    seed = tf.TensorSpec([None], tf.int64, name="seed")
    image = tf.TensorSpec([None, *shape], tf.uint8, name="image")
    known = tf.TensorSpec([None, *shape], tf.bool, name="known")

    def drawn(image, nats):
        return {
            "image": image,
            "png_bytes": png_bytes(image, model.distribution.levels),
            "log_prob": tf.reduce_sum(nats, axis=(1, 2, 3)),
        }

    def sample(seed):
        return drawn(*model.sample_graph(noise.uniform(seed, shape)))

    def complete(image, known, seed):
        return drawn(*model.complete_graph(image, known, noise.uniform(seed, shape)))

    def log_prob(image):
        nats = model.log_prob_graph(image)
        return {"log_prob": nats, "bits_per_dim": -bits_per_dim(nats, shape)}

    def nats_map(image):
        return {"nats": model.nats_graph(image)}

    return {
        "sample": (sample, [seed]),
        "complete": (complete, [image, known, seed]),
        "log_prob": (log_prob, [image]),
        "nats_map": (nats_map, [image]),
    }


def png_bytes(image, levels):
    """Images `(batch, height, width, channels)` as `(batch,)` strings of PNG files.

    Values are spread over 0..255. Two channels, which PNG would take for grey and alpha, are shown by
    their first.
    """
    if image.shape[-1] == 2:
        image = image[..., :1]
    image = tf.cast(tf.round(tf.cast(image, tf.float32) * (255.0 / (levels - 1))), tf.uint8)
    return tf.map_fn(tf.io.encode_png, image, fn_output_signature=tf.TensorSpec([], tf.string))
