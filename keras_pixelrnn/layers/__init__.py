"""Causal layers, from the masked convolution to the Diagonal BiLSTM, and what joins them."""

from keras_pixelrnn.layers.causal import CausalLayer, CompositeLayer, RowState, Stream
from keras_pixelrnn.layers.diagonal_lstm import DiagonalBiLSTM
from keras_pixelrnn.layers.embedded_codes import EmbeddedCodes
from keras_pixelrnn.layers.gated import GatedStacks
from keras_pixelrnn.layers.masked_conv import MaskedConv2D
from keras_pixelrnn.layers.pointwise import Pointwise
from keras_pixelrnn.layers.residual import ResidualBlock
from keras_pixelrnn.layers.row_lstm import RowLSTM
from keras_pixelrnn.layers.stack import CausalStack
from keras_pixelrnn.layers.vertical_conv import VerticalConv2D

__all__ = [
    "CausalLayer",
    "CausalStack",
    "CompositeLayer",
    "DiagonalBiLSTM",
    "EmbeddedCodes",
    "GatedStacks",
    "MaskedConv2D",
    "Pointwise",
    "ResidualBlock",
    "RowLSTM",
    "RowState",
    "Stream",
    "VerticalConv2D",
]
