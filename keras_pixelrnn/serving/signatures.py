"""What an export can do: its signatures as functions of tensors."""

import functools

import numpy as np
import tensorflow as tf

from keras_pixelrnn import backend, noise
from keras_pixelrnn.codec.fingerprint import fingerprint
from keras_pixelrnn.completion import smc
from keras_pixelrnn.data.values import Values
from keras_pixelrnn.metrics import bits_per_dim
from keras_pixelrnn.serving.inputs import MARKS, Rows, exactly

# A name of operations, which stands in the error of someone who compiles what draws.
NO_XLA = "what_draws_in_an_export_runs_without_XLA.To_compile_it_load_the_model_itself"

XLA = "_xla"  # ending of the names of signatures that XLA compiles


def signatures(model, particles=None, rows_at_once=None, xla=False):
    """`{name: (function, input specs)}` of everything that an export of `model` can do; `particles` are
    the constants of `complete_smc`, `rows_at_once` how many rows `sample_rows` draws; with `xla`, all of
    it a second time, for XLA, under names that end in `XLA`."""
    made = _signatures(model, particles, rows_at_once, without_xla, lambda function: function)
    if xla:
        compiled = functools.partial(backend.compiled, variables=model.variables)
        again = _signatures(model, particles, rows_at_once, compiled, compiled, xla)
        made |= {name + XLA: parts for name, parts in again.items()}
    return made


def _signatures(model, particles, rows_at_once, drawing, scoring, xla=False):
    """The same once; `drawing` and `scoring` wrap what the model does. Checks of inputs and PNG files
    stay outside: XLA has no strings."""
    shape, context, head = model.image_shape, model.context, model.distribution
    seed = tf.TensorSpec([None], tf.int64, name="seed")
    # TensorFlow Serving's REST has no uint16.
    served = head.dtype if head.dtype == "uint8" else "int32"
    image = tf.TensorSpec([None, *shape], served, name="image")
    known = tf.TensorSpec([None, *shape], tf.bool, name="known")
    temperature = tf.TensorSpec([None], tf.float32, name="temperature")
    top_k = tf.TensorSpec([None], tf.int32, name="top_k")
    top_p = tf.TensorSpec([None], tf.float32, name="top_p")
    given = []
    if context.given:
        given = [tf.TensorSpec([None, *context.shape], context.dtype, name=context.name)]

    def checked(given, **inputs):
        """The rows, the inputs and what is given, shapes and context checked."""
        shapes = {"image": shape, "known": shape}
        if "state" in inputs:
            shapes["state"] = (inputs["state"].shape[1],)
        described = {name: (x, shapes.get(name, ())) for name, x in inputs.items()}
        if given:
            described[context.name] = (given[0], context.shape)
        tensors = exactly(described)
        rows = Rows(model, tensors[0])
        return rows, *tensors[: len(inputs)], rows.context(tensors[len(inputs) :])

    def drawn(rows, image, nats):
        return {
            "image": tf.cast(image, served),
            "png_bytes": png_bytes(image, head),
            "log_prob": rows.marked(tf.reduce_sum(nats, axis=(1, 2, 3))),
        }

    def sample(seed, *given):
        rows, seed, given = checked(given, seed=seed)
        uniform = noise.uniform(rows.seed(seed), shape)
        return drawn(rows, *drawing(model.sample_graph)(uniform, *given))

    def sample_rows(seed, row, state, *given):
        rows, seed, row, state, given = checked(given, seed=seed, row=row, state=state)
        row, state = rows.place(row, state, shape[0], number)
        places = tf.minimum(row[:, None] + tf.range(rows_at_once), shape[0] - 1)
        uniform = tf.gather(noise.uniform(rows.seed(seed), shape), places, batch_dims=1)
        image, nats, state = drawing(model.sample_rows_graph)(uniform, row, state, *given)
        drawn = (
            row[:, None] + tf.range(rows_at_once) < shape[0]
        )  # rows below the image count nothing
        nats = tf.where(drawn, tf.reduce_sum(nats, axis=(2, 3)), 0.0)
        log_prob = rows.marked(tf.reduce_sum(nats, axis=1))
        state = rows.state_for(row + rows_at_once, state, number, log_prob)
        return {"image": tf.cast(image, served), "log_prob": log_prob, "state": state}

    def sample_with(seed, temperature, top_k, top_p, *given):
        rows, seed, temperature, top_k, top_p, given = checked(
            given, seed=seed, temperature=temperature, top_k=top_k, top_p=top_p
        )
        controls = rows.controls(temperature, top_k, top_p)
        uniform = noise.uniform(rows.seed(seed), shape)
        return drawn(rows, *drawing(model.sample_with_graph)(uniform, *controls, *given))

    def complete(image, known, seed, *given):
        rows, image, known, seed, given = checked(given, image=image, known=known, seed=seed)
        image, known = rows.known(image, known)
        uniform = noise.uniform(rows.seed(seed), shape)
        return drawn(rows, *drawing(model.complete_graph)(image, known, uniform, *given))

    def complete_smc(image, known, seed, *given):
        rows, image, known, seed, given = checked(given, image=image, known=known, seed=seed)
        image, known = rows.known(image, known)
        count = smc.count_of_numbers(shape, particles["n_particles"])
        numbers = noise.uniform(rows.seed(seed), (count,))
        threshold = tf.fill(tf.shape(seed), 0.5)
        steered = functools.partial(model.complete_smc_graph, **particles)
        found = drawing(steered)(image, known, numbers, threshold, *given)
        log_prob, log_z = rows.marked(found["log_prob"][:, 0]), rows.marked(found["log_z"])
        image = found["image"][:, 0]
        more = {"log_z": log_z, "ess": found["ess"], "mean": found["mean"]}
        return {
            "image": tf.cast(image, served),
            "png_bytes": png_bytes(image, head),
            "log_prob": log_prob,
            **more,
        }

    def log_prob(image, *given):
        rows, image, given = checked(given, image=image)
        image, inside = rows.image(image)
        nats = scoring(model.log_prob_graph)(image, *given)
        nats = rows.marked(tf.where(tf.reduce_all(inside, axis=(1, 2, 3)), nats, -np.inf))
        return {"log_prob": nats, "bits_per_dim": -bits_per_dim(nats, shape)}

    def nats_map(image, *given):
        rows, image, given = checked(given, image=image)
        image, inside = rows.image(image)
        nats = rows.marked(scoring(model.nats_graph)(image, *given))
        return {"nats": tf.where(inside, nats, -np.inf)}

    more = {"complete_smc": (complete_smc, [image, known, seed, *given])} if particles else {}
    if rows_at_once:
        row = tf.TensorSpec([None], tf.int32, name="row")
        number = number_of(model)
        size = MARKS + model.row_state_size_for(xla)
        state = tf.TensorSpec([None, size], tf.float32, name="state")
        more["sample_rows"] = (sample_rows, [seed, row, state, *given])
    return {
        "sample": (sample, [seed, *given]),
        "sample_with": (sample_with, [seed, temperature, top_k, top_p, *given]),
        "complete": (complete, [image, known, seed, *given]),
        "log_prob": (log_prob, [image, *given]),
        "nats_map": (nats_map, [image, *given]),
        **more,
    }


def number_of(model):
    """A number of the model, 1 or more and exact in float32, by which states of others are known."""
    return float(int.from_bytes(fingerprint(model), "big") % (2**24 - 1) + 1)


def png_bytes(image, distribution):
    """Images `(batch, height, width, channels)` as `(batch,)` strings of PNG files.

    Values are spread over 0..255, over 0..65535 where there are more than 256 levels, as by
    `visualize.to_picture`; codes are as they are. Two channels, which PNG would take for grey and alpha,
    are shown by their first.
    """
    if image.shape[-1] == 2:
        image = image[..., :1]
    levels, numbers = distribution.levels, np.arange(distribution.levels)
    if distribution.embedding_size is None:
        numbers = Values("intensities", 0, 255 if levels <= 256 else 65535, levels).numbers()
    image = tf.gather(numbers.astype(distribution.dtype), tf.cast(image, tf.int32))
    spec = tf.TensorSpec([], tf.string)
    return without_xla(tf.map_fn)(tf.io.encode_png, image, fn_output_signature=spec)


def without_xla(function):
    """`function` whose operations say that XLA does not compile them: it has no strings, and an LSTM
    step that is one operation is a kernel of TensorFlow's own."""

    def named(*args, **options):
        with tf.name_scope(NO_XLA):
            return function(*args, **options)

    return named
