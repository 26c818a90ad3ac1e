"""A SavedModel that loads without this package and that stock TensorFlow Serving runs."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_pixelrnn import checks
from keras_pixelrnn.completion.lookahead import check_fits
from keras_pixelrnn.models.variables import check_finite
from keras_pixelrnn.serving import warmup
from keras_pixelrnn.serving.signatures import XLA, signatures

NOTHING_LEFT = "Nothing is left behind."
BATCH_SIZES = (1, 4, 16, 64)
# Drawing takes long and hardly longer for more images: wait a little for a batch to fill.
BATCHING = f"""\
max_batch_size {{ value: {BATCH_SIZES[-1]} }}
batch_timeout_micros {{ value: 20000 }}
max_enqueued_batches {{ value: 64 }}
num_batch_threads {{ value: 2 }}
""" + "".join(f"allowed_batch_sizes: {size}\n" for size in BATCH_SIZES)


def save_for_serving(
    model: keras.Model,
    directory: str | Path,
    version: int | None = None,
    *,
    n_particles: int | None = None,
    lookahead: keras.Model | None = None,
    rows_at_once: int | None = None,
    xla: bool = False,
) -> Path:
    """Write `<directory>/<version>/saved_model.pb`, complete in one move.

    A server that polls `directory` never sees half a model: everything is written beside it and then
    moved into place. Signatures, all with the batch as dimension 0 of every input and output:

    - `sample(seed)` -> `image`, `png_bytes`, `log_prob`; also `serving_default`
    - `sample_with(seed, temperature, top_k, top_p)` -> the same, under sampling controls
    - `complete(image, known, seed)` -> `image`, `png_bytes`, `log_prob`
    - `log_prob(image)` -> `log_prob`, `bits_per_dim`
    - `nats_map(image)` -> `nats`
    - where `rows_at_once` is given, `sample_rows(seed, row, state)` -> `image`, `log_prob`, `state`: so
      many rows of the images of `sample`, from `row` int32 on. `state` float32 is that of the call
      before, of the same seed; at row 0 zeros do. It says for which row it is and of which weights.
      Rows below the image mean nothing
    - where `n_particles` is given, `complete_smc(image, known, seed)` -> `image`, `png_bytes`,
      `log_prob`, `log_z`, `ess`, `mean`, as of `complete(..., method="smc")`

    - where `xla` is True, each of them a second time, `sample_xla` and so on, compiled by XLA: for a
      server that runs XLA, whose warm-up compiles them for all batch sizes. A stock server has XLA
      off, and refuses to load such a version

    Those of a conditional model also take `label (batch,)` int32, or `context` float32.

    With them go warm-up requests for each signature and `batching_params.pbtxt`.
    `seed` is int64, `temperature` and `top_p` float32, `top_k` int32, one per image; `image` uint8,
    int32 beyond 256 levels, since TensorFlow Serving's REST has no uint16;
    `known` boolean shaped like `image`. `log_prob` are nats of the values drawn.

    A row with an input that Python would refuse is marked, and other rows do not notice:

    - by what: a negative seed, a label that is no class, a context that is not finite, a control
      outside its range, a value outside the model's levels (in a completion: where `known`), a state
      of another row or of other weights
    - where: `log_prob` is -inf in all signatures that have it, and with it `bits_per_dim` inf and
      `log_z` -inf; `nats` is -inf, at the value that is outside, or all over a row of another fault
    - what its image shows means nothing; it holds none of the values outside the levels

    A wrong shape, an empty batch and inputs of different numbers of rows fail, in one sentence.

    Args:
        model: a `PixelModel`.
        directory: folder of all versions of the model; made where missing.
        version: positive int; the next free one if None.
        n_particles: particles of the signature `complete_smc`; None leaves it out. A server takes
            memory and time for so many images, for each image of a request.
        lookahead: of `fit_lookahead`, for that signature.
        rows_at_once: rows that a call of `sample_rows` draws; None leaves it out.
        xla: also write the signatures for servers that run XLA. Images are those of the other set up
            to draws that rounding decides.

    Returns:
        `pathlib.Path` of the version folder.

    Raises:
        ValueError: `rows_at_once` is not positive, or rows do not depend on rows above alone (a context
            map, a multi-scale model); `version` is taken or not positive, or `n_particles` is not; a
            look-ahead without particles, or of another kind of model; a `directory` such as
            gs://bucket, which is none of this machine.
        OSError: the folder cannot be written; nothing is left behind.

    Example:

    >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
    >>> path = save_for_serving(model, directory)
    >>> sample = tf.saved_model.load(path).signatures["sample"]
    >>> sample(seed=tf.constant([7, 8], tf.int64))["image"].shape
    TensorShape([2, 8, 8, 1])
    """
    check_finite(checks.pixel_model("model", model), f"the model {model.name!r}")
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "Set KERAS_BACKEND=tensorflow, which makes exports, and load the model. "
            f"Received: the backend {keras.backend.backend()}"
        )
    more = (
        _particles(model, n_particles, lookahead),
        _rows_at_once(model, rows_at_once),
        checks.switch("xla", xla),
    )
    directory = checks.local("directory", directory)
    with checks.writing(directory, NOTHING_LEFT):
        directory.mkdir(parents=True, exist_ok=True)
    version = _next_version(directory) if version is None else version
    target = directory / str(version)
    if not checks.is_whole(version) or not 1 <= version <= checks.MOST_VERSION or target.exists():
        raise ValueError(
            f"`version` must be a positive int, below 2**63 as servers have it, that is still free in "
            f"{directory}. Leave it out for the next free one. Received: version={version!r}"
        )
    with checks.writing(target, NOTHING_LEFT):
        scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=directory))
        try:
            _write(model, scratch / "model", *more)
            os.rename(scratch / "model", target)
        except tf.errors.OpError as error:  # TensorFlow's own words for a full disk, say
            raise OSError(error.message) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def _next_version(directory):
    taken = [checks.version_of(entry) or 0 for entry in directory.iterdir()]
    return max(taken, default=0) + 1


def _particles(model, n_particles, lookahead):
    """The constants of `complete_smc`, or None where it is not wanted."""
    if lookahead is not None:
        check_fits(lookahead, model)
        check_finite(lookahead, "the look-ahead")
        if n_particles is None:
            raise ValueError("A `lookahead` is for `complete_smc`: pass `n_particles`, too.")
    if n_particles is None:
        return None
    options = {"n_particles": checks.drawn(n_particles, model.image_shape, "n_particles")}
    return options if lookahead is None else {**options, "lookahead": lookahead}


def _rows_at_once(model, rows):
    """How many rows `sample_rows` draws, or None where it is not wanted."""
    if rows is None:
        return None
    rows = checks.positive_int("rows_at_once", rows)
    if not model.has_rows:
        raise ValueError(
            "`rows_at_once` is for models whose rows depend on the rows above alone: not for context "
            f"maps, nor for multi-scale models. Received: rows_at_once={rows}"
        )
    return min(rows, model.image_shape[0])


def _write(model, path, particles=None, rows_at_once=None, xla=False):
    module = tf.Module()
    others = [particles["lookahead"]] if particles and "lookahead" in particles else []
    module.weights = [variable.value for x in (model, *others) for variable in x.variables]
    concrete = {
        name: tf.function(function, autograph=False).get_concrete_function(*inputs)
        for name, (function, inputs) in signatures(model, particles, rows_at_once, xla).items()
    }
    concrete["serving_default"] = concrete["sample"]
    tf.saved_model.save(module, str(path), signatures=concrete)
    warmup.write(path, warmup_requests(model, particles, rows_at_once, xla))
    (path / "batching_params.pbtxt").write_text(BATCHING)


def warmup_requests(
    model: keras.Model, particles: Any = None, rows_at_once: int | None = None, xla: bool = False
) -> list[tuple[str, dict[str, np.ndarray]]]:
    """One request of one image to every signature, and one of two to the default; to those that XLA
    compiles, which it does for each batch size, one of each."""
    neutral = {"temperature": 1.0, "top_k": model.distribution.levels, "top_p": 1.0}

    def inputs(specs, count):
        return {
            spec.name: np.full(
                [count, *spec.shape[1:]], neutral.get(spec.name, 0), spec.dtype.as_numpy_dtype
            )
            for spec in specs
        }

    described = signatures(model, particles, rows_at_once, xla)
    requests = [
        (name, inputs(specs, count))
        for name, (_, specs) in described.items()
        for count in (BATCH_SIZES if name.endswith(XLA) else (1,))
    ]
    return [*requests, ("serving_default", inputs(described["sample"][1], 2))]
