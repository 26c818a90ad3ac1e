"""From the values of an image to what a network reads."""

import keras

from keras_pixelrnn import raster
from keras_pixelrnn.layers.strict import StrictLayer


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Scale(StrictLayer, keras.layers.Layer):
    """Values `0 .. levels-1` to float32 in [-1, 1].

    Args:
        levels: number of values.
    """

    def __init__(self, levels, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.levels = levels

    def call(self, image):
        return raster.scale(image, self.levels)

    def get_config(self):
        return {**super().get_config(), "levels": self.levels}
