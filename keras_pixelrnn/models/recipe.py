"""The recipe of the PixelRNN paper that Row LSTM, Diagonal BiLSTM and PixelCNN share."""

import keras

from keras_pixelrnn.layers import CausalStack, MaskedConv2D, Pointwise
from keras_pixelrnn.models.base import PixelModel, check_distribution, check_image_shape


class RecipeModel(PixelModel):
    """First layer 7x7 of type A to 2h features; residual blocks; twice ReLU and 1x1; the head.

    Van den Oord et al. 2016, "Pixel Recurrent Neural Networks" (arXiv 1601.06759), table 1.

    Args:
        image_shape, distribution: as for `PixelModel`.
        block: function `(colors, dropout, dtype, name)` to a residual block on 2h features.
        units, num_blocks, head_units, kernel_size, dropout, skip: as for the models.
        **kwargs: of `keras.Model`.
    """

    def __init__(
        self,
        image_shape,
        distribution,
        block,
        units,
        num_blocks,
        head_units=None,
        kernel_size=7,
        dropout=0.0,
        skip=False,
        dtype=None,
        **kwargs,
    ):
        image_shape = check_image_shape(image_shape)
        distribution = check_distribution(distribution)
        for name, value in {"units": units, "num_blocks": num_blocks}.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive int. Received: {name}={value!r}")
        colors = image_shape[2] if distribution.masks_channels else 1
        dtype = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
        options = {"mask_type": "B", "colors": colors}
        head_units = head_units or 2 * units

        blocks = [block(colors, dropout, dtype, f"block_{index}") for index in range(num_blocks)]
        network = CausalStack(
            [
                MaskedConv2D(
                    2 * units, kernel_size, mask_type="A", colors=colors, dtype=dtype, name="first"
                ),
                CausalStack(blocks, skip=skip, colors=colors, dtype=dtype, name="blocks"),
                Pointwise("relu", dtype=dtype),
                MaskedConv2D(
                    head_units, 1, activation="relu", dtype=dtype, name="head_0", **options
                ),
                MaskedConv2D(
                    head_units, 1, activation="relu", dtype=dtype, name="head_1", **options
                ),
                # The parameters stay float32 under any policy: so does what is made of them.
                MaskedConv2D(
                    distribution.params_size(image_shape[2]),
                    1,
                    dtype="float32",
                    name="params",
                    **options,
                ),
            ],
            dtype=dtype,
            name="network",
        )
        super().__init__(image_shape, distribution, network, **kwargs)
        self._config = {
            "image_shape": image_shape,
            "units": units,
            "num_blocks": num_blocks,
            "head_units": head_units,
            "kernel_size": kernel_size,
            "dropout": dropout,
            "skip": skip,
            "dtype": keras.dtype_policies.serialize(dtype),
        }

    def get_config(self):
        return {
            **self._config,
            "name": self.name,
            "distribution": keras.saving.serialize_keras_object(self.distribution),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)
