"""PixelCNN."""

from typing import Any

import keras

from keras_pixelrnn._types import Shape
from keras_pixelrnn.distributions.base import PixelDistribution
from keras_pixelrnn.layers import CausalStack, MaskedConv2D, Pointwise
from keras_pixelrnn.models.recipe import RecipeModel, residual_body


@keras.saving.register_keras_serializable("keras_pixelrnn")
class PixelCNN(RecipeModel):
    """PixelCNN: residual blocks of masked 3x3 convolutions, the parallel relative of PixelRNN.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), section 3.3 and
    table 1. Bounded context with a blind spot to the right above each pixel.

    Args:
        image_shape: `(height, width, channels)`, any height and width, 1 to 4 channels.
        distribution: a `PixelDistribution`.
        units: hidden features h; the residual path carries 2h.
        num_blocks: number of residual blocks.
        kernel_size: of the first layer, odd.
        dropout: rate inside the residual blocks.
        skip: layer-to-output skip connections.
        **kwargs: `head_units`, features of the two 1x1 layers before the parameters (2h if None);
            `num_classes` or `context_shape` of a conditional model; and those of `keras.Model`:
            `name`, and `dtype` as a policy such as "mixed_bfloat16".

    Raises:
        ValueError: shapes and sizes that do not fit.

    Example:

    >>> model = PixelCNN((8, 8, 3), Categorical(256), units=9, num_blocks=2)
    >>> model.log_prob(np.zeros((2, 8, 8, 3), np.uint8)).shape
    (2,)
    """

    def __init__(
        self,
        image_shape: Shape,
        distribution: PixelDistribution,
        units: int = 32,
        num_blocks: int = 2,
        kernel_size: int = 7,
        dropout: float = 0.0,
        skip: bool = False,
        **kwargs: Any,
    ):
        def block(colors, dtype):
            options = {"mask_type": "B", "colors": colors, "dtype": dtype, "activation": "relu"}
            inner = CausalStack(
                [
                    Pointwise("relu", dtype=dtype),
                    MaskedConv2D(units, 1, name="down", **options),
                    MaskedConv2D(units, 3, name="neighbours", **options),
                ],
                dtype=dtype,
                name="inner",
            )
            return inner

        own = {"kernel_size": kernel_size, "dropout": dropout, "skip": skip}
        body = residual_body(block, units, num_blocks, kernel_size, dropout, skip)
        super().__init__(image_shape, distribution, body, own, units, num_blocks, **kwargs)
