"""What `keras.ops` has no word for, one file each: compiling, scan, small products, fused LSTM and
sweep, several training steps at once, several devices."""

from keras_pixelrnn.backend.compiling import (
    accelerated,
    compiled,
    cores,
    name,
    trace,
    tracing,
    under_xla,
)
from keras_pixelrnn.backend.datasets import checked as checked_dataset
from keras_pixelrnn.backend.datasets import is_dataset, is_grain, passes_through
from keras_pixelrnn.backend.devices import Team, by_share, over_devices
from keras_pixelrnn.backend.fused_lstm import FusedLSTM, fused_lstm
from keras_pixelrnn.backend.fused_sweep import fused_sweep
from keras_pixelrnn.backend.gradients import custom_gradient
from keras_pixelrnn.backend.lookup import count_up_to, cut, rows_of
from keras_pixelrnn.backend.products import product, side_by_side, total
from keras_pixelrnn.backend.scan import scan
from keras_pixelrnn.backend.several_steps import train_function

__all__ = [
    "FusedLSTM",
    "Team",
    "accelerated",
    "by_share",
    "checked_dataset",
    "compiled",
    "cores",
    "count_up_to",
    "custom_gradient",
    "cut",
    "fused_lstm",
    "fused_sweep",
    "is_dataset",
    "is_grain",
    "name",
    "over_devices",
    "passes_through",
    "product",
    "rows_of",
    "scan",
    "side_by_side",
    "total",
    "trace",
    "tracing",
    "train_function",
    "under_xla",
]
