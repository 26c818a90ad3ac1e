"""Completion that heeds every known sub-pixel, earlier and later: sequential Monte Carlo."""

from keras_pixelrnn.completion.complete import Completion
from keras_pixelrnn.completion.fitting import fit_lookahead, random_known
from keras_pixelrnn.completion.lookahead import Lookahead

__all__ = ["Completion", "Lookahead", "fit_lookahead", "random_known"]
