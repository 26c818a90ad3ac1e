"""From the values of an image to what a network reads."""

import keras

from keras_pixelrnn.distributions import check_distribution
from keras_pixelrnn.layers.strict import StrictLayer


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Scale(StrictLayer, keras.layers.Layer):
    """Values `0 .. levels-1` as the network reads them: see `PixelDistribution.network_input`.

    Args:
        distribution: a `PixelDistribution`.
    """

    def __init__(self, distribution, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.distribution = check_distribution(distribution)

    def call(self, image):
        return self.distribution.network_input(image)

    def get_config(self):
        distribution = keras.saving.serialize_keras_object(self.distribution)
        return {**super().get_config(), "distribution": distribution}
