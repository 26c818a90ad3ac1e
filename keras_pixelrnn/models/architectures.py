"""Architectures by name, without weights: the papers' sizes."""

from keras_pixelrnn.distributions import Bernoulli, Categorical, DiscretizedLogisticMixture

MNIST = {"image_shape": (28, 28, 1), "distribution": Bernoulli()}
CIFAR = {"image_shape": (32, 32, 3), "distribution": Categorical(256)}

# Name of the class, and its arguments.
ARCHITECTURES = {
    # Static binarized MNIST; van den Oord et al. 2016 (arXiv 1601.06759), section 5 and table 4.
    "diagonal_bilstm_1x32_mnist": (
        "PixelRNN",
        {**MNIST, "units": 32, "num_blocks": 1, "head_units": 32},
    ),
    "diagonal_bilstm_7x16_mnist": (
        "PixelRNN",
        {**MNIST, "units": 16, "num_blocks": 7, "head_units": 32},
    ),
    "row_lstm_7x16_mnist": (
        "PixelRNN",
        {
            **MNIST,
            "recurrence": "row",
            "units": 16,
            "num_blocks": 7,
            "head_units": 32,
        },
    ),
    # CIFAR-10 of 256 levels; the same paper, section 5 and table 5.
    "row_lstm_12x128_cifar10": (
        "PixelRNN",
        {
            **CIFAR,
            "recurrence": "row",
            "units": 128,
            "num_blocks": 12,
            "head_units": 1024,
            "skip": True,
        },
    ),
    "diagonal_bilstm_12x128_cifar10": (
        "PixelRNN",
        {
            **CIFAR,
            "units": 128,
            "num_blocks": 12,
            "head_units": 1024,
            "skip": True,
        },
    ),
    "pixelcnn_15x128_cifar10": (
        "PixelCNN",
        {**CIFAR, "units": 128, "num_blocks": 15, "head_units": 1024},
    ),
    # Van den Oord et al. 2016b (arXiv 1606.05328), section 3; 128 features in this table.
    "gated_pixelcnn_20x128_cifar10": (
        "GatedPixelCNN",
        {**CIFAR, "units": 128, "num_blocks": 20, "head_units": 1024},
    ),
    # Small enough for a laptop.
    "pixelcnn_small_cifar10": (
        "PixelCNN",
        {
            **CIFAR,
            "distribution": DiscretizedLogisticMixture(256, num_mixtures=10),
            "units": 48,
            "num_blocks": 6,
            "skip": True,
        },
    ),
}
