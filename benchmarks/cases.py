"""The models that are timed, everything they are used for, and printing."""

import keras
import numpy as np
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn import backend, noise

BINARY = {"image_shape": (28, 28, 1), "units": 16, "num_blocks": 7, "head_units": 32}
COLOR = {"image_shape": (32, 32, 3), "units": 48, "num_blocks": 4}
MAKE = {
    "diagonal": lambda **o: kp.models.PixelRNN(recurrence="diagonal", **o),
    "row": lambda **o: kp.models.PixelRNN(recurrence="row", **o),
    "pixelcnn": kp.models.PixelCNN,
    "gated": kp.models.GatedPixelCNN,
}
HEADS = {
    "bernoulli": kp.distributions.Bernoulli(),
    "categorical": kp.distributions.Categorical(256),
    "logistic": kp.distributions.DiscretizedLogisticMixture(256, num_mixtures=10),
}


def make(architecture, sizes=BINARY, head="bernoulli"):
    return MAKE[architecture](distribution=HEADS[head], **sizes)


def images_for(model, batch):
    rng = np.random.default_rng(0)
    shape = (batch, *model.image_shape)
    return rng.integers(0, model.distribution.levels, shape).astype(np.uint8)


def operations(model, batch, xla):
    """`{name: function}` of everything a model is used for.

    With XLA images are drawn as users draw them, in parts on all cores; "one loop" draws them in one,
    which is how a server does it, without XLA.
    """
    images = images_for(model, batch)
    known = np.zeros(images.shape, bool)
    known[:, : model.image_shape[0] // 2] = True
    seeds = np.arange(batch)
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=xla)
    graphs = {
        name: backend.compiled(getattr(model, f"{name}_graph"), model.variables, xla)
        for name in ("log_prob", "sample", "complete")
    }
    tensor, mask = tf.constant(images), tf.constant(known)

    def uniform():
        return noise.uniform(seeds, model.image_shape)

    functions = {
        "forward": forward_pass(model, images, xla),
        "log_prob": lambda: graphs["log_prob"](tensor).numpy(),
        "one loop": lambda: graphs["sample"](uniform())[0].numpy(),
        "train": lambda: float(model.train_on_batch(images)),
    }
    if xla:
        functions["sample"] = lambda: model.sample(batch, seed=seeds)
        functions["complete"] = lambda: model.complete(images, known, seed=seeds)
    else:
        functions["complete"] = lambda: graphs["complete"](tensor, mask, uniform())[0].numpy()
    return functions


def forward_pass(model, images, xla=True):
    """A function that runs one forward pass and waits for it."""
    forward = tf.function(
        lambda x: tf.reduce_sum(model(x, training=False)), jit_compile=xla, autograph=False
    )
    tensor = tf.constant(images)
    return lambda: forward(tensor).numpy()


def table(rows):
    """Print dicts as an aligned table and return them."""
    columns = list(rows[0])
    lines = [columns] + [
        [f"{row[c]:.4g}" if isinstance(row[c], float) else str(row[c]) for c in columns]
        for row in rows
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        print("| " + " | ".join(cell.rjust(width) for cell, width in zip(line, widths)) + " |")
    print(flush=True)
    return rows
