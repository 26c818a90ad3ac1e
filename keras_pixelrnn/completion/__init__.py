"""Completion that heeds every known sub-pixel, earlier and later: sequential Monte Carlo."""

from keras_pixelrnn.completion.complete import Completion

__all__ = ["Completion"]
