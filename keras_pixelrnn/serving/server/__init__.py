"""A server of TensorFlow Serving's protocols over the C session: for development and tests.

It speaks `PredictionService`, `ModelService` and REST as `tensorflow_model_server` does, batches as it
does, and runs the graph the way it does, with XLA off. What it lacks are version roll-over, several
models and years of production: deploy with TensorFlow Serving.
"""

from keras_pixelrnn._lazy import lazily

__all__, __getattr__ = lazily(
    __name__, {"Servable": "servable", "Server": "run", "RequestError": "servable"}
)
