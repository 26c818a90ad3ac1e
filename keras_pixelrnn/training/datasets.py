"""What a card says of the data sets that models here are trained on."""

from typing import Any

# Name in `Settings.dataset`: title, licence, source.
KNOWN = {
    "digits": (
        "UCI Optical Recognition of Handwritten Digits",
        "CC BY 4.0",
        "https://doi.org/10.24432/C50P49",
    ),
    "binarized_mnist": (
        "MNIST, binarized by Larochelle (Salakhutdinov and Murray 2008; Larochelle and Murray 2011)",
        "CC BY-SA 3.0 (MNIST, Y. LeCun and C. Cortes)",
        "https://www.tensorflow.org/datasets/catalog/binarized_mnist",
    ),
    "mnist": (
        "MNIST (LeCun et al. 1998)",
        "CC BY-SA 3.0 (Y. LeCun and C. Cortes)",
        "https://www.tensorflow.org/datasets/catalog/mnist",
    ),
    "cifar10": (
        "CIFAR-10 (Krizhevsky 2009)",
        "none stated by its authors, who ask to cite the report",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
}


def described(dataset: dict[str, Any]) -> dict[str, Any]:
    """Title, licence and source of a data set; of one that is not known here what it says itself.

    Args:
        dataset: its "name", and perhaps its "licence".
    """
    if dataset["name"] not in KNOWN:
        return {"licence": "not stated", **dataset}
    title, licence, source = KNOWN[dataset["name"]]
    return {"name": dataset["name"], "title": title, "licence": licence, "source": source}
