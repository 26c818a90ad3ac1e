"""Exports for TensorFlow Serving, and the proof that a stock server runs them."""

from typing import TYPE_CHECKING

from keras_pixelrnn._lazy import lazily

if TYPE_CHECKING:  # who reads types cannot follow `__getattr__`
    from keras_pixelrnn.serving import check as check
    from keras_pixelrnn.serving import export as export
    from keras_pixelrnn.serving import warmup as warmup

__all__, __getattr__ = lazily(__name__, {"check": "check", "export": "export", "warmup": "warmup"})
