"""Models of images: PixelRNN (Row LSTM or Diagonal BiLSTM) and its relatives."""

from keras_pixelrnn.models.base import PixelModel
from keras_pixelrnn.models.gated_pixel_cnn import GatedPixelCNN
from keras_pixelrnn.models.multi_scale import MultiScalePixelRNN
from keras_pixelrnn.models.pixel_cnn import PixelCNN
from keras_pixelrnn.models.pixel_rnn import PixelRNN
from keras_pixelrnn.models.presets import PRESETS, from_preset

__all__ = [
    "PRESETS",
    "GatedPixelCNN",
    "MultiScalePixelRNN",
    "PixelCNN",
    "PixelModel",
    "PixelRNN",
    "from_preset",
]
