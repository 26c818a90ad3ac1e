"""Models of images: PixelRNN (Row LSTM or Diagonal BiLSTM) and its relatives."""

from keras_pixelrnn.models.architectures import ARCHITECTURES
from keras_pixelrnn.models.base import PixelModel
from keras_pixelrnn.models.gated_pixel_cnn import GatedPixelCNN
from keras_pixelrnn.models.multi_scale import MultiScalePixelRNN
from keras_pixelrnn.models.pixel_cnn import PixelCNN
from keras_pixelrnn.models.pixel_rnn import PixelRNN
from keras_pixelrnn.models.transfer import Transfer, transfer

from_preset = PixelModel.from_preset

__all__ = [
    "ARCHITECTURES",
    "GatedPixelCNN",
    "MultiScalePixelRNN",
    "PixelCNN",
    "PixelModel",
    "PixelRNN",
    "Transfer",
    "from_preset",
    "transfer",
]
