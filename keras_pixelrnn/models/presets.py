"""Named configurations, the papers' sizes among them."""

from keras_pixelrnn.distributions import Bernoulli, Categorical, DiscretizedLogisticMixture
from keras_pixelrnn.models.gated_pixel_cnn import GatedPixelCNN
from keras_pixelrnn.models.multi_scale import MultiScalePixelRNN
from keras_pixelrnn.models.pixel_cnn import PixelCNN
from keras_pixelrnn.models.pixel_rnn import PixelRNN

MNIST, CIFAR = (28, 28, 1), (32, 32, 3)

PRESETS = {
    # Static binarized MNIST; van den Oord et al. 2016 (arXiv 1601.06759), section 5 and table 4.
    "diagonal_bilstm_1x32_mnist": (
        PixelRNN,
        {"image_shape": MNIST, "units": 32, "num_blocks": 1, "head_units": 32},
    ),
    "diagonal_bilstm_7x16_mnist": (
        PixelRNN,
        {"image_shape": MNIST, "units": 16, "num_blocks": 7, "head_units": 32},
    ),
    "row_lstm_7x16_mnist": (
        PixelRNN,
        {
            "image_shape": MNIST,
            "recurrence": "row",
            "units": 16,
            "num_blocks": 7,
            "head_units": 32,
        },
    ),
    # CIFAR-10 of 256 levels; the same paper, section 5 and table 5.
    "row_lstm_12x128_cifar10": (
        PixelRNN,
        {
            "image_shape": CIFAR,
            "recurrence": "row",
            "units": 128,
            "num_blocks": 12,
            "head_units": 1024,
            "skip": True,
        },
    ),
    "diagonal_bilstm_12x128_cifar10": (
        PixelRNN,
        {
            "image_shape": CIFAR,
            "units": 128,
            "num_blocks": 12,
            "head_units": 1024,
            "skip": True,
        },
    ),
    "pixelcnn_15x128_cifar10": (
        PixelCNN,
        {"image_shape": CIFAR, "units": 128, "num_blocks": 15, "head_units": 1024},
    ),
    # Van den Oord et al. 2016b (arXiv 1606.05328), section 3; 128 features in this table.
    "gated_pixelcnn_20x128_cifar10": (
        GatedPixelCNN,
        {"image_shape": CIFAR, "units": 128, "num_blocks": 20, "head_units": 1024},
    ),
    # Small enough for a laptop.
    "digits": (
        PixelRNN,
        {"image_shape": (8, 8, 1), "units": 32, "num_blocks": 2, "dropout": 0.3},
    ),
    "digits_multi_scale": (
        MultiScalePixelRNN,
        {"image_shape": (8, 8, 1), "units": 32, "num_blocks": 2, "dropout": 0.3},
    ),
    "pixelcnn_small_cifar10": (
        PixelCNN,
        {
            "image_shape": CIFAR,
            "distribution": DiscretizedLogisticMixture(256, num_mixtures=10),
            "units": 48,
            "num_blocks": 6,
            "skip": True,
        },
    ),
}
LEVELS = {MNIST: 2, CIFAR: 256, (8, 8, 1): 17}


def from_preset(name, **overrides):
    """A new, untrained model of a named configuration.

    Args:
        name: one of `PRESETS`.
        **overrides: arguments of the model that replace those of the preset, for example
            `distribution`, `image_shape`, `num_classes` or `dropout`.

    Returns:
        A `PixelModel`.

    Raises:
        ValueError: unknown name.

    Example:

    >>> from_preset("digits", num_classes=10).count_params()
    90107
    """
    if name not in PRESETS:
        raise ValueError(
            f"Unknown preset. Expected one of: {', '.join(PRESETS)}. Received: {name!r}"
        )
    model, settings = PRESETS[name]
    settings = {**settings, **overrides}
    if "distribution" not in settings:
        levels = LEVELS[PRESETS[name][1]["image_shape"]]
        settings["distribution"] = Bernoulli() if levels == 2 else Categorical(levels)
    return model(**settings)
