"""Exports for TensorFlow Serving, and the proof that a stock server runs them."""

from keras_pixelrnn._lazy import lazily

__all__, __getattr__ = lazily(__name__, {"check": "check", "export": "export", "warmup": "warmup"})
