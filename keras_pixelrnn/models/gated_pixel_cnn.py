"""Gated PixelCNN."""

from typing import Any

import keras

from keras_pixelrnn._types import Shape
from keras_pixelrnn.distributions.base import PixelDistribution
from keras_pixelrnn.layers import GatedStacks
from keras_pixelrnn.models.recipe import RecipeModel


@keras.saving.register_keras_serializable("keras_pixelrnn")
class GatedPixelCNN(RecipeModel):
    """Gated PixelCNN: two stacks of gated convolutions, which see every earlier pixel in reach.

    Van den Oord et al. 2016, "Conditional Image Generation with PixelCNN Decoders" (arXiv 1606.05328).

    Args:
        image_shape: `(height, width, channels)`, any height and width, 1 to 4 channels.
        distribution: a `PixelDistribution`.
        units: features p of each stack.
        num_blocks: number of layers of each stack.
        kernel_size: of the first layer, odd, 3 or more.
        dropout: rate inside the blocks.
        **kwargs: `head_units`, features of the two 1x1 layers before the parameters (2p if None);
            `num_classes` or `context_shape` of a conditional model; and those of `keras.Model`:
            `name`, and `dtype` as a policy such as "mixed_bfloat16".

    Raises:
        ValueError: shapes and sizes that do not fit.

    Example:

    >>> model = GatedPixelCNN((8, 8, 1), Categorical(17), units=8, num_classes=10)
    >>> model.sample(2, seed=0, context=[3, 7]).shape
    (2, 8, 8, 1)
    """

    def __init__(
        self,
        image_shape: Shape,
        distribution: PixelDistribution,
        units: int = 32,
        num_blocks: int = 4,
        kernel_size: int = 7,
        dropout: float = 0.0,
        **kwargs: Any,
    ):
        def body(colors, dtype):
            options = {"colors": colors, "kernel_size": kernel_size, "dropout": dropout}
            return [GatedStacks(units, num_blocks, **options, dtype=dtype, name="stacks")]

        own = {"kernel_size": kernel_size, "dropout": dropout}
        super().__init__(image_shape, distribution, body, own, units, num_blocks, **kwargs)
