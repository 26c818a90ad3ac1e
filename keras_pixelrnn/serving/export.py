"""A SavedModel that loads without this package and that stock TensorFlow Serving runs."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_pixelrnn import checks, noise
from keras_pixelrnn.completion import smc
from keras_pixelrnn.completion.lookahead import check_fits
from keras_pixelrnn.metrics import bits_per_dim
from keras_pixelrnn.serving import warmup

# Drawing takes long and hardly longer for more images: wait a little for a batch to fill.
BATCHING = """\
max_batch_size { value: 64 }
batch_timeout_micros { value: 20000 }
max_enqueued_batches { value: 64 }
num_batch_threads { value: 2 }
allowed_batch_sizes: 1
allowed_batch_sizes: 4
allowed_batch_sizes: 16
allowed_batch_sizes: 64
"""


def save_for_serving(model, directory, version=None, *, n_particles=None, lookahead=None):
    """Write `<directory>/<version>/saved_model.pb`, complete in one move.

    A server that polls `directory` never sees half a model: everything is written beside it and then
    moved into place. Signatures, all with the batch as dimension 0 of every input and output:

    - `sample(seed)` -> `image`, `png_bytes`, `log_prob`; also `serving_default`
    - `sample_with(seed, temperature, top_k, top_p)` -> the same, under sampling controls
    - `complete(image, known, seed)` -> `image`, `png_bytes`, `log_prob`
    - `log_prob(image)` -> `log_prob`, `bits_per_dim`
    - `nats_map(image)` -> `nats`
    - where `n_particles` is given, `complete_smc(image, known, seed)` -> `image`, `png_bytes`,
      `log_prob`, `log_z`, `ess`, `mean`, as of `complete(..., method="smc")`

    Those of a conditional model also take `label (batch,)` int32, or `context` float32.

    With them go warm-up requests for each signature and `batching_params.pbtxt`.
    `seed` is int64, `temperature` and `top_p` float32, `top_k` int32, one per image; `image` uint8;
    `known` boolean shaped like `image`. `log_prob` are nats of the values drawn, -inf in the row of an
    image with a value outside the model's levels, of a label that is no class, of a control outside
    its range; other rows do not notice.

    Args:
        model: a `PixelModel`.
        directory: folder of all versions of the model; made where missing.
        version: positive int; the next free one if None.
        n_particles: particles of the signature `complete_smc`; None leaves it out. A server takes
            memory and time for so many images, for each image of a request.
        lookahead: of `fit_lookahead`, for that signature.

    Returns:
        `pathlib.Path` of the version folder.

    Raises:
        ValueError: `version` is taken or not positive, or `n_particles` is not; a look-ahead
            without particles, or of another kind of model.
        OSError: the folder cannot be written; nothing is left behind.

    Example:

    >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
    >>> path = save_for_serving(model, directory)
    >>> sample = tf.saved_model.load(path).signatures["sample"]
    >>> sample(seed=tf.constant([7, 8], tf.int64))["image"].shape
    TensorShape([2, 8, 8, 1])
    """
    particles = _particles(model, n_particles, lookahead)
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
        _write(model, scratch / "model", particles)
        os.rename(scratch / "model", target)
    except tf.errors.OpError as error:  # TensorFlow's own words for a full disk, say
        raise OSError(f"Cannot write {target}. Nothing is left behind. {error.message}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _next_version(directory):
    taken = [int(entry.name) for entry in directory.iterdir() if entry.name.isdecimal()]
    return max(taken, default=0) + 1


def _particles(model, n_particles, lookahead):
    """The constants of `complete_smc`, or None where it is not wanted."""
    if lookahead is not None:
        check_fits(lookahead, model)
        if n_particles is None:
            raise ValueError("A `lookahead` is for `complete_smc`: pass `n_particles`, too.")
    if n_particles is None:
        return None
    options = {"n_particles": checks.positive_int("n_particles", n_particles)}
    return options if lookahead is None else {**options, "lookahead": lookahead}


def _write(model, path, particles=None):
    module = tf.Module()
    others = [particles["lookahead"]] if particles and "lookahead" in particles else []
    module.weights = [variable.value for x in (model, *others) for variable in x.variables]
    concrete = {
        name: tf.function(function, autograph=False).get_concrete_function(*inputs)
        for name, (function, inputs) in signatures(model, particles).items()
    }
    concrete["serving_default"] = concrete["sample"]
    tf.saved_model.save(module, str(path), signatures=concrete)
    warmup.write(path, warmup_requests(model, particles))
    (path / "batching_params.pbtxt").write_text(BATCHING)


def warmup_requests(model, particles=None):
    """One request of one image to every signature, and one of two to the default."""
    neutral = {"temperature": 1.0, "top_k": model.distribution.levels, "top_p": 1.0}

    def inputs(specs, count):
        return {
            spec.name: np.full(
                [count, *spec.shape[1:]], neutral.get(spec.name, 0), spec.dtype.as_numpy_dtype
            )
            for spec in specs
        }

    described = signatures(model, particles)
    requests = [(name, inputs(specs, 1)) for name, (_, specs) in described.items()]
    return [*requests, ("serving_default", inputs(described["sample"][1], 2))]


def signatures(model, particles=None):
    """`{name: (function, input specs)}` of everything that an export of `model` can do; `particles` are
    the constants of `complete_smc`."""
    shape, levels, context = model.image_shape, model.distribution.levels, model.context
    seed = tf.TensorSpec([None], tf.int64, name="seed")
    image = tf.TensorSpec([None, *shape], tf.uint8, name="image")
    known = tf.TensorSpec([None, *shape], tf.bool, name="known")
    temperature = tf.TensorSpec([None], tf.float32, name="temperature")
    top_k = tf.TensorSpec([None], tf.int32, name="top_k")
    top_p = tf.TensorSpec([None], tf.float32, name="top_p")
    given = []
    if context.given:
        given = [tf.TensorSpec([None, *context.shape], context.dtype, name=context.name)]

    def only_valid(nats, fits, *context_of):
        """`nats (batch, ...)`, -inf where a row's input is outside what the model knows."""
        for label in context_of:
            fits = tf.logical_and(fits, context.valid(label))
        fits = tf.reshape(fits, [-1] + [1] * (len(nats.shape) - 1))
        return tf.where(fits, nats, -np.inf)

    def always(rows):
        return tf.ones_like(rows, tf.bool)

    def drawn(image, nats, fits, *context_of):
        return {
            "image": image,
            "png_bytes": png_bytes(image, levels),
            "log_prob": only_valid(tf.reduce_sum(nats, axis=(1, 2, 3)), fits, *context_of),
        }

    def exactly(tensor, shape=shape):
        # A server checks no shapes and TensorFlow drops a check that the signature seems to
        # make needless, so the shape is forgotten first.
        forgotten = tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(None))
        return tf.ensure_shape(forgotten, [None, *shape])

    def checked(given):
        return [exactly(tensor, context.shape) for tensor in given]

    def sample(seed, *given):
        given = checked(given)
        uniform = noise.uniform(exactly(seed, ()), shape)
        return drawn(*model.sample_graph(uniform, *given), always(seed), *given)

    def sample_with(seed, temperature, top_k, top_p, *given):
        given = checked(given)
        seed, temperature, top_p = (exactly(x, ()) for x in (seed, temperature, top_p))
        top_k = tf.cast(exactly(top_k, ()), tf.float32)
        fits = (temperature > 0) & (top_k >= 1) & (top_k <= levels) & (top_p > 0) & (top_p <= 1)
        fits = fits & tf.math.is_finite(temperature)
        controls = (tf.where(fits, x, 1.0) for x in (temperature, top_k, top_p))
        uniform = noise.uniform(seed, shape)
        return drawn(*model.sample_with_graph(uniform, *controls, *given), fits, *given)

    def complete(image, known, seed, *given):
        given = checked(given)
        uniform = noise.uniform(exactly(seed, ()), shape)
        filled = model.complete_graph(exactly(image), exactly(known), uniform, *given)
        return drawn(*filled, always(seed), *given)

    def complete_smc(image, known, seed, *given):
        given = checked(given)
        seed = exactly(seed, ())
        count = smc.count_of_numbers(shape, particles["n_particles"])
        numbers = noise.uniform(seed, (count,))
        threshold = tf.fill(tf.shape(seed), 0.5)
        found = model.complete_smc_graph(
            exactly(image), exactly(known), numbers, threshold, *given, **particles
        )
        log_prob, log_z = (
            only_valid(x, always(seed), *given) for x in (found["log_prob"][:, 0], found["log_z"])
        )
        image = found["image"][:, 0]
        more = {"log_z": log_z, "ess": found["ess"], "mean": found["mean"]}
        return {"image": image, "png_bytes": png_bytes(image, levels), "log_prob": log_prob, **more}

    def log_prob(image, *given):
        given = checked(given)
        image = exactly(image)
        nats = model.log_prob_graph(image, *given)
        nats = only_valid(nats, always(nats), *given)
        return {"log_prob": nats, "bits_per_dim": -bits_per_dim(nats, shape)}

    def nats_map(image, *given):
        given = checked(given)
        nats = model.nats_graph(exactly(image), *given)
        return {"nats": only_valid(nats, always(nats[:, 0, 0, 0]), *given)}

    more = {"complete_smc": (complete_smc, [image, known, seed, *given])} if particles else {}
    return {
        "sample": (sample, [seed, *given]),
        "sample_with": (sample_with, [seed, temperature, top_k, top_p, *given]),
        "complete": (complete, [image, known, seed, *given]),
        "log_prob": (log_prob, [image, *given]),
        "nats_map": (nats_map, [image, *given]),
        **more,
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
