"""PixelRNN with Row LSTM or Diagonal BiLSTM layers."""

from typing import Any

import keras

from keras_pixelrnn import checks
from keras_pixelrnn._types import Shape
from keras_pixelrnn.distributions.base import PixelDistribution
from keras_pixelrnn.layers import DiagonalBiLSTM, RowLSTM
from keras_pixelrnn.models.recipe import RecipeModel, residual_body

RECURRENCES = {"diagonal": DiagonalBiLSTM, "row": RowLSTM}


@keras.saving.register_keras_serializable("keras_pixelrnn")
class PixelRNN(RecipeModel):
    """PixelRNN: residual blocks of Row LSTM or Diagonal BiLSTM layers.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), sections 3.1 to
    3.5 and table 1.

    Args:
        image_shape: `(height, width, channels)`, any height and width, 1 to 4 channels.
        distribution: a `PixelDistribution`.
        recurrence: "diagonal" (sees the whole context) or "row" (faster; sees a triangle).
        units: hidden features h of each LSTM; the residual path carries 2h.
        num_blocks: number of residual blocks.
        kernel_size: of the first layer, odd.
        dropout: rate inside the residual blocks.
        skip: layer-to-output skip connections.
        learned_initial_state: learn the states outside the image, which are zero otherwise.
        **kwargs: `head_units`, features of the two 1x1 layers before the parameters (2h if None);
            `num_classes` or `context_shape` of a conditional model; and those of `keras.Model`:
            `name`, and `dtype` as a policy such as "mixed_bfloat16".

    Raises:
        ValueError: unknown recurrence, or shapes and sizes that do not fit.

    Example:

    >>> model = PixelRNN((8, 8, 1), Categorical(17), units=8, num_blocks=1)
    >>> model.compile("adam")
    >>> history = model.fit(np.zeros((4, 8, 8, 1), np.uint8), verbose=0)
    >>> model.sample(2, seed=0).shape
    (2, 8, 8, 1)
    """

    def __init__(
        self,
        image_shape: Shape,
        distribution: PixelDistribution,
        recurrence: str = "diagonal",
        units: int = 32,
        num_blocks: int = 2,
        kernel_size: int = 7,
        dropout: float = 0.0,
        skip: bool = False,
        learned_initial_state: bool = False,
        **kwargs: Any,
    ):
        checks.choice("recurrence", recurrence, sorted(RECURRENCES))

        def block(colors, dtype):
            layer = RECURRENCES[recurrence]
            options = {"colors": colors, "learned_initial_state": learned_initial_state}
            return layer(units, **options, dtype=dtype, name="lstm")

        own = {
            "recurrence": recurrence,
            "kernel_size": kernel_size,
            "dropout": dropout,
            "skip": skip,
            "learned_initial_state": learned_initial_state,
        }
        body = residual_body(block, units, num_blocks, kernel_size, dropout, skip)
        super().__init__(image_shape, distribution, body, own, units, num_blocks, **kwargs)
