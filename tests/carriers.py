"""What brings images to `fit`: arrays, data sets, generators, sequences of batches."""

import keras
import numpy as np
import tensorflow as tf

import keras_pixelrnn as kp

LEVELS = kp.distributions.Categorical(5)
IMAGES = np.random.default_rng(0).integers(0, 5, (6, 4, 5, 1)).astype(np.uint8)
LABELS = np.arange(6) % 3
ONES = np.ones(6, np.float32)


def made(**options):
    model = kp.models.PixelCNN((4, 5, 1), LEVELS, units=4, num_blocks=1, head_units=6, **options)
    # Nothing is learned, so that every number can be compared; no graph, as most of this is refused.
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    return model


class Batches(keras.utils.PyDataset):
    """Batches of three of some arrays."""

    def __init__(self, parts, **options):
        super().__init__(**options)
        self.parts = parts

    def __len__(self):
        return 2

    def __getitem__(self, number):
        return keras.tree.map_structure(lambda a: a[3 * number : 3 * number + 3], self.parts)


def as_dataset(parts):
    return tf.data.Dataset.from_tensor_slices(parts).batch(3)


def as_dataset_of_any_shape(parts):
    specs = keras.tree.map_structure(lambda a: tf.TensorSpec(None, a.dtype), parts)
    return tf.data.Dataset.from_generator(lambda: iter(Batches(parts)), output_signature=specs)


def as_generator(parts):
    return (Batches(parts)[n] for n in range(2))


STREAMS = [as_dataset, as_dataset_of_any_shape, as_generator, Batches]
