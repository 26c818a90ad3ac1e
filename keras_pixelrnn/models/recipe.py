"""The recipe of the PixelRNN paper that all architectures here share."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn._types import Policy, Shape
from keras_pixelrnn.distributions import check_distribution
from keras_pixelrnn.distributions.base import PixelDistribution
from keras_pixelrnn.layers import (
    CausalStack,
    EmbeddedCodes,
    MaskedConv2D,
    Pointwise,
    ResidualBlock,
)
from keras_pixelrnn.models.base import PixelModel


def residual_body(block, units, num_blocks, kernel_size, dropout, skip):
    """A masked 7x7 convolution of type A to 2h features, then residual blocks.

    Args:
        block: function `(colors, dtype)` to the inner layer of a `ResidualBlock`.
        units, num_blocks, kernel_size, dropout, skip: as for the models.

    Returns:
        A `body` for `RecipeModel`.
    """

    def body(colors, dtype):
        first = MaskedConv2D(
            2 * units, kernel_size, mask_type="A", colors=colors, dtype=dtype, name="first"
        )
        blocks = []
        for index in range(num_blocks):
            options = {"colors": colors, "dropout": dropout, "dtype": dtype}
            blocks.append(ResidualBlock(block(colors, dtype), **options, name=f"block_{index}"))
        return [first, CausalStack(blocks, skip=skip, colors=colors, dtype=dtype, name="blocks")]

    return body


class RecipeModel(PixelModel):
    """A body that sees the image; twice ReLU and 1x1; the parameters.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), table 1.

    Args:
        image_shape, distribution, num_classes, context_shape: as for `PixelModel`.
        body: function `(colors, dtype)` to a list of causal layers, the first of type A.
        options: the arguments of the architecture's own, for `get_config`.
        units, num_blocks, head_units: as for the models.
        dtype, name, trainable: of `keras.Model`.
        **kwargs: what the architecture does not take; a `TypeError` names it.
    """

    def __init__(
        self,
        image_shape: Shape,
        distribution: PixelDistribution,
        body: Callable,
        options: dict[str, Any],
        units: int,
        num_blocks: int,
        head_units: int | None = None,
        num_classes: int | None = None,
        context_shape: Shape | None = None,
        dtype: Policy | None = None,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ):
        checks.unknown(type(self), kwargs, self.arguments())
        name, trainable = checks.layer_name(name), checks.switch("trainable", trainable)
        image_shape = checks.image_shape(image_shape)
        distribution = check_distribution(distribution)
        units = checks.positive_int("units", units, checks.MOST_UNITS)
        num_blocks = checks.positive_int("num_blocks", num_blocks, checks.MOST_BLOCKS)
        colors = image_shape[2] if distribution.masks_channels else 1
        dtype = checks.dtype_policy(dtype)
        head_units = 2 * units if head_units is None else head_units
        head_units = checks.positive_int("head_units", head_units, checks.MOST_FEATURES)

        def head(filters, name, dtype=dtype, activation="relu"):
            return MaskedConv2D(
                filters,
                1,
                mask_type="B",
                colors=colors,
                activation=activation,
                dtype=dtype,
                name=name,
            )

        size = distribution.params_size(image_shape[2])
        network = CausalStack(
            [
                *body(colors, dtype),
                Pointwise("relu", dtype=dtype),
                head(head_units, "head_0"),
                head(head_units, "head_1"),
                # The parameters stay float32 under any policy: so does what is made of them.
                head(size, "params", dtype="float32", activation=None),
            ],
            dtype=dtype,
            name="network",
        )
        if distribution.embedding_size is not None:
            network = EmbeddedCodes(
                network, distribution.levels, distribution.embedding_size, name="codes"
            )
        super().__init__(
            image_shape,
            distribution,
            network,
            num_classes,
            context_shape,
            dtype=dtype,
            name=name,
            trainable=trainable,
        )
        self._config = {
            "image_shape": image_shape,
            "units": units,
            "num_blocks": num_blocks,
            "head_units": head_units,
            **{key: _plain(value) for key, value in options.items()},
            "num_classes": num_classes,
            "context_shape": self.context.config_shape,
            "dtype": dtype.name,
        }

    @classmethod
    def arguments(cls) -> set[str]:
        """Names of the arguments that the constructor takes."""
        shared = checks.taken_by(RecipeModel, PixelModel) - {"body", "options"}
        return shared | checks.taken_by(cls, RecipeModel)


def _plain(value):
    """`value` as JSON can hold it."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
