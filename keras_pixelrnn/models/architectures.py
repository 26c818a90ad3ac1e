"""Architectures by name, without weights, with all their arguments."""

from keras_pixelrnn.distributions import Bernoulli, Categorical, DiscretizedLogisticMixture
from keras_pixelrnn.presets import architectures

IMAGES = {
    "mnist": {"image_shape": (28, 28, 1), "distribution": Bernoulli()},
    "cifar10": {"image_shape": (32, 32, 3), "distribution": Categorical(256)},
    "cifar10 by mixtures": {
        "image_shape": (32, 32, 3),
        "distribution": DiscretizedLogisticMixture(256, num_mixtures=10),
    },
}

# Name of the class, and its arguments.
ARCHITECTURES = {
    name: (kind, {**IMAGES[images], **sizes})
    for name, (kind, images, sizes) in architectures.ARCHITECTURES.items()
}
