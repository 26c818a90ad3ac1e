"""Images for training and evaluation: sources and the tf.data pipeline. Needs TensorFlow."""

from keras_pixelrnn.data.pipeline import ImageData, load

__all__ = ["ImageData", "load"]
