"""PixelRNN with Row LSTM or Diagonal BiLSTM layers."""

import keras

from keras_pixelrnn.layers import DiagonalBiLSTM, ResidualBlock, RowLSTM
from keras_pixelrnn.models.recipe import RecipeModel

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
        head_units: features of the two 1x1 layers before the parameters; 2h if None.
        kernel_size: of the first layer, odd.
        dropout: rate inside the residual blocks.
        skip: layer-to-output skip connections.
        **kwargs: of `keras.Model`: `name`, and `dtype` as a policy such as "mixed_bfloat16".

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
        image_shape,
        distribution,
        recurrence="diagonal",
        units=32,
        num_blocks=2,
        **kwargs,
    ):
        if recurrence not in RECURRENCES:
            raise ValueError(
                f"`recurrence` must be one of {sorted(RECURRENCES)}. "
                f"Received: recurrence={recurrence!r}"
            )

        def block(colors, dropout, dtype, name):
            lstm = RECURRENCES[recurrence](units, colors=colors, dtype=dtype, name="lstm")
            return ResidualBlock(lstm, colors=colors, dropout=dropout, dtype=dtype, name=name)

        super().__init__(image_shape, distribution, block, units, num_blocks, **kwargs)
        self.recurrence = recurrence

    def get_config(self):
        return {**super().get_config(), "recurrence": self.recurrence}
