"""A server of TensorFlow Serving's protocols over the C session: for development and tests.

It speaks `PredictionService`, `ModelService` and REST as `tensorflow_model_server` does, batches as it
does, and runs the graph the way it does, with XLA off. What it lacks are version roll-over, several
models and years of production: deploy with TensorFlow Serving.
"""

from typing import TYPE_CHECKING

from keras_pixelrnn._lazy import lazily

if TYPE_CHECKING:  # who reads types cannot follow `__getattr__`
    from keras_pixelrnn.serving.server.run import Server as Server
    from keras_pixelrnn.serving.server.servable import RequestError as RequestError
    from keras_pixelrnn.serving.server.servable import Servable as Servable

__all__, __getattr__ = lazily(
    __name__, {"Servable": "servable", "Server": "run", "RequestError": "servable"}
)
