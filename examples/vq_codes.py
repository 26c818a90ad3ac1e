"""Pictures from codes: a small VQ-VAE, a prior over its codes, and one SavedModel of both.

    python examples/vq_codes.py --dataset digits --out codes        # no network, a few minutes
    python examples/vq_codes.py --dataset mnist --out codes         # TFDS_DATA_DIR says where it lies

Van den Oord et al. 2017, "Neural Discrete Representation Learning" (arXiv 1711.00937). `codes/1` then
has the signature `draw(seed, label) -> codes, image, log_prob` and loads without this package.
"""

import argparse

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import keras_pixelrnn as kp


class Codebook(keras.layers.Layer):
    """Replaces each vector by the nearest of `count` learned ones; gradients pass straight through."""

    def __init__(self, count, **kwargs):
        super().__init__(**kwargs)
        self.count = count

    def build(self, shape):
        self.vectors = self.add_weight(
            name="vectors",
            shape=(self.count, shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def codes(self, z):
        """Number of the nearest vector, `(batch, height, width)` int32."""
        distance = ops.sum(self.vectors**2, axis=1) - 2.0 * ops.matmul(
            z, ops.transpose(self.vectors)
        )
        return ops.argmin(distance, axis=-1)

    def look_up(self, codes):
        """The vectors of codes."""
        return ops.take(self.vectors, codes, axis=0)

    def call(self, z):
        found = self.look_up(self.codes(z))
        self.add_loss(ops.mean((found - ops.stop_gradient(z)) ** 2))  # moves the vectors
        self.add_loss(0.25 * ops.mean((ops.stop_gradient(found) - z) ** 2))  # commits the encoder
        return z + ops.stop_gradient(found - z)


def make_vq_vae(image_shape, count, features=16, width=32):
    """Encoder to a quarter of the height and width (half, of tiny images), codebook, decoder."""
    halvings = 1 if image_shape[0] < 16 else 2
    conv = lambda n, strides=1: keras.layers.Conv2D(n, 3, strides, "same", activation="relu")  # noqa: E731
    back = lambda n: keras.layers.Conv2DTranspose(n, 4, 2, "same", activation="relu")  # noqa: E731
    encoder = keras.Sequential(
        [keras.Input(image_shape), *(conv(width, 2) for _ in range(halvings)), conv(width)]
        + [keras.layers.Conv2D(features, 1), keras.layers.BatchNormalization()]
    )
    decoder = keras.Sequential(
        [keras.Input((*encoder.output_shape[1:3], features)), conv(width)]
        + [*(back(width) for _ in range(halvings))]
        + [keras.layers.Conv2D(image_shape[2], 3, padding="same", activation="sigmoid")]
    )
    return encoder, Codebook(count), decoder


def centres(vectors, count, rounds=10):
    """Centres of `count` clusters of vectors `(n, features)` by k-means: where a codebook starts well,
    for vectors that are never nearest to anything never learn."""
    rng = np.random.default_rng(0)
    vectors = vectors[rng.permutation(len(vectors))[:20000]]
    found = vectors[:count].copy()
    for _ in range(rounds):
        nearest = np.argmin((found**2).sum(1) - 2.0 * vectors @ found.T, axis=1)
        for code in range(count):
            own = vectors[nearest == code]
            found[code] = own.mean(0) if len(own) else vectors[rng.integers(len(vectors))]
    return found


def arrays(data, split):
    """Images in [0, 1] and labels of a split."""
    parts = list(data.evaluation(split, batch_size=500, labels=True))
    images = np.concatenate([np.asarray(images) for images, _ in parts])
    return images.astype("float32") / (data.levels - 1), np.concatenate(
        [np.asarray(y) for _, y in parts]
    )


def save(prior, codebook, decoder, path):
    """One SavedModel that draws codes by the prior and decodes them."""
    module = tf.Module()
    module.parts = [v.value for part in (prior, codebook, decoder) for v in part.variables]

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None], tf.int64, name="seed"),
            tf.TensorSpec([None], tf.int32, name="label"),
        ],
    )
    def draw(seed, label):
        same = tf.debugging.assert_equal(tf.shape(seed), tf.shape(label), "one label for each seed")
        with tf.control_dependencies([same]):
            uniform = kp.noise.uniform(seed, prior.image_shape)
        codes, nats = prior.sample_graph(uniform, label)
        vectors = codebook.look_up(tf.cast(codes[..., 0], tf.int32))
        image = decoder(vectors, training=False)
        good = (seed >= 0) & prior.context.valid(label)  # other rows are marked, as in all exports
        return {
            "codes": tf.where(good[:, None, None, None], codes, 0),
            "image": tf.where(good[:, None, None, None], image, 0),
            "log_prob": tf.where(good, tf.reduce_sum(nats, axis=[1, 2, 3]), -np.inf),
        }

    tf.saved_model.save(module, path, signatures={"serving_default": draw, "draw": draw})


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="digits", help="digits, or a labelled TFDS name")
    parser.add_argument("--out", default="codes", help="folder; the SavedModel is its subfolder 1")
    parser.add_argument("--codes", type=int, default=64, help="vectors of the codebook")
    parser.add_argument("--vq-epochs", type=int, default=None)
    parser.add_argument("--prior-epochs", type=int, default=None)
    given = parser.parse_args(arguments)
    small = given.dataset == "digits"
    keras.utils.set_random_seed(0)
    data = kp.data.load(given.dataset)
    (train, labels), (test, test_labels) = arrays(data, "train"), arrays(data, "test")

    encoder, codebook, decoder = make_vq_vae(data.image_shape, given.codes)
    # First without the codebook, which is then laid where the encoder's vectors are.
    auto_encoder = keras.Sequential([encoder, decoder])
    auto_encoder.compile(keras.optimizers.Adam(2e-3), loss="mse")
    auto_encoder.fit(train, train, batch_size=64, epochs=10 if small else 1, verbose=2)
    vq_vae = keras.Sequential([encoder, codebook, decoder])
    vectors = encoder.predict(train[:5000], verbose=0)
    vq_vae(train[:1])
    codebook.vectors.assign(centres(vectors.reshape(-1, vectors.shape[-1]), given.codes))
    vq_vae.compile(keras.optimizers.Adam(2e-3), loss="mse")
    epochs = given.vq_epochs or (30 if small else 2)
    vq_vae.fit(train, train, batch_size=64, epochs=epochs, verbose=2)

    def encode(images):
        codes = [
            codebook.codes(encoder(part, training=False)) for part in np.array_split(images, 20)
        ]
        return np.concatenate(codes)[..., None].astype("uint16")

    codes, test_codes = encode(train), encode(test)
    error = np.mean((vq_vae.predict(test, verbose=0) - test) ** 2)
    print(f"{len(np.unique(codes))} of {given.codes} codes in use; test squared error {error:.4f}")

    prior = kp.models.GatedPixelCNN(
        codes.shape[1:],
        kp.distributions.Categorical(given.codes, embedded=True),
        units=48,
        num_blocks=4,
        kernel_size=5,
        dropout=0.2,
        num_classes=data.num_classes,
    )
    prior.compile(keras.optimizers.Adam(2e-3))
    pairs = tf.data.Dataset.from_tensor_slices((codes, labels.astype("int32")))
    pairs = pairs.shuffle(len(codes), seed=0).batch(64, drop_remainder=True)
    prior.fit(pairs, epochs=given.prior_epochs or (20 if small else 3), verbose=2)
    nats = -prior.log_prob(test_codes[:1000], context=test_labels[:1000]).mean()
    print(
        f"{nats:.2f} nats an image of codes; uniform codes: {codes[0].size * np.log(given.codes):.2f}"
    )
    save(prior, codebook, decoder, f"{given.out}/1")


if __name__ == "__main__":
    main()
