"""Architectures by name, without weights: the papers' sizes. Reading them needs no Keras;
`keras_pixelrnn.models.ARCHITECTURES` has the arguments whole."""

# Name of the class, what the images are, and the other arguments.
ARCHITECTURES = {
    # Static binarized MNIST; van den Oord et al. 2016 (arXiv 1601.06759), section 5 and table 4.
    "diagonal_bilstm_1x32_mnist": (
        "PixelRNN",
        "mnist",
        {"units": 32, "num_blocks": 1, "head_units": 32},
    ),
    "diagonal_bilstm_7x16_mnist": (
        "PixelRNN",
        "mnist",
        {"units": 16, "num_blocks": 7, "head_units": 32},
    ),
    "row_lstm_7x16_mnist": (
        "PixelRNN",
        "mnist",
        {"recurrence": "row", "units": 16, "num_blocks": 7, "head_units": 32},
    ),
    # CIFAR-10 of 256 levels; the same paper, section 5 and table 5.
    "row_lstm_12x128_cifar10": (
        "PixelRNN",
        "cifar10",
        {"recurrence": "row", "units": 128, "num_blocks": 12, "head_units": 1024, "skip": True},
    ),
    "diagonal_bilstm_12x128_cifar10": (
        "PixelRNN",
        "cifar10",
        {"units": 128, "num_blocks": 12, "head_units": 1024, "skip": True},
    ),
    "pixelcnn_15x128_cifar10": (
        "PixelCNN",
        "cifar10",
        {"units": 128, "num_blocks": 15, "head_units": 1024},
    ),
    # Van den Oord et al. 2016b (arXiv 1606.05328), section 3; 128 features in this table.
    "gated_pixelcnn_20x128_cifar10": (
        "GatedPixelCNN",
        "cifar10",
        {"units": 128, "num_blocks": 20, "head_units": 1024},
    ),
    # Small enough for a laptop.
    "pixelcnn_small_cifar10": (
        "PixelCNN",
        "cifar10 by mixtures",
        {"units": 48, "num_blocks": 6, "skip": True},
    ),
}
