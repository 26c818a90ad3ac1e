"""Images for training and evaluation: sources, what their values mean, and batches of them."""

from keras_pixelrnn.data.load import from_array, load
from keras_pixelrnn.data.pack import pack
from keras_pixelrnn.data.pipeline import ImageData

__all__ = ["ImageData", "from_array", "load", "pack"]
