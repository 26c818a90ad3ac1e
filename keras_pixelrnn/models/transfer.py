"""Weights of one model for another that differs a little."""

from typing import NamedTuple

from keras_pixelrnn.models.pretrained import Pretrained
from keras_pixelrnn.models.variables import check_finite, told_apart, values_by_path


class Transfer(NamedTuple):
    """What a transfer did.

    Attributes:
        copied: paths of the variables that now have the source's values.
        left: a sentence for each variable that was not copied.
    """

    copied: list[str]
    left: list[str]

    def __str__(self) -> str:
        head = f"copied {len(self.copied)} variables, {len(self.left)} left as they were"
        return "\n  ".join([head + (":" if self.left else ""), *self.left])


def transfer(source: Pretrained, target: Pretrained) -> Transfer:
    """Copy every variable whose path and shape agree, and report what was not copied.

    To go on from a trained model with other classes, levels, sizes or a condition: an unconditional
    model gives all but the context kernels to a conditional one, one of other levels all but its
    parameters' layer, one of another size everything; a model of one scale gives its weights to both
    networks of a multi-scale one. Call it before `fit`: averaged weights of an
    optimizer that is already built stay what they were.

    Args:
        source: a `PixelModel`, unchanged.
        target: a `PixelModel`, changed.

    Returns:
        A `Transfer`; print it.

    Raises:
        ValueError: nothing agrees, or the source's weights are no numbers; the target is as it was.
        TypeError: one of the two is no `PixelModel`.

    Example:

    >>> told = PixelModel.from_preset("digits", load_weights=False, num_classes=10)
    >>> report = transfer(PixelModel.from_preset("digits"), told)
    >>> len(report.copied), len(report.left)
    (22, 8)
    """
    for name, model in (("source", source), ("target", target)):
        if not isinstance(model, Pretrained):
            raise TypeError(f"`{name}` must be a PixelModel. Received: {name}={model!r}")
    ours, theirs = values_by_path(source), values_by_path(target)
    ours |= {key: ours[key[0], 0] for key in theirs if key not in ours and (key[0], 0) in ours}
    copied = [key for key, variable in theirs.items() if _fits(ours.get(key), variable)]
    if not copied:
        raise ValueError(
            "No variable of the two models agrees in path and shape. Transfer between models of one "
            f"architecture. Received: source={source!r}, target={target!r}"
        )
    check_finite(source, f"the source {source.name!r}")
    for key in copied:
        theirs[key].assign(ours[key].value)
    return Transfer([path for path, _ in copied], told_apart(ours, theirs))


def _fits(ours, theirs):
    return ours is not None and ours.shape == theirs.shape
