"""Models of images: PixelRNN (Row LSTM or Diagonal BiLSTM) and PixelCNN."""

from keras_pixelrnn.models.base import PixelModel
from keras_pixelrnn.models.pixel_cnn import PixelCNN
from keras_pixelrnn.models.pixel_rnn import PixelRNN

__all__ = ["PixelCNN", "PixelModel", "PixelRNN"]
