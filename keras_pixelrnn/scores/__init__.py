"""How strange an image is to a model, and what of it: scores, thresholds.

Every score is larger the stranger the image is.
"""

from keras_pixelrnn.scores.compression import compressed_nats
from keras_pixelrnn.scores.restore import Restoration
from keras_pixelrnn.scores.score import METHODS, score
from keras_pixelrnn.scores.thresholds import threshold

__all__ = ["METHODS", "Restoration", "compressed_nats", "score", "threshold"]
