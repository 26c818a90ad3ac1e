"""What `resumable_fit` is given: each function raises `ValueError` by name for what it should not be."""

import json

import keras

from keras_pixelrnn import backend, checks
from keras_pixelrnn.training.stopping import Stopping


def check_model(model):
    """`model` is a compiled `keras.Model`."""
    if not isinstance(model, keras.Model) or getattr(model, "optimizer", None) is None:
        raise ValueError(
            "`model` must be a compiled keras.Model: call model.compile('adam') before. "
            f"Received: model={checks.shown(model)}"
        )


def check_batches(batches):
    """`batches` is a function."""
    if not callable(batches):
        raise ValueError(
            "`batches` must be a function of the number of batches seen to a data set that begins "
            f"there. Received: batches={checks.shown(batches)}"
        )


def check_judging(validation_data, monitor):
    """`validation_data` is data or a function, and `monitor` a name."""
    data = callable(validation_data) or hasattr(validation_data, "__getitem__")
    data = data or hasattr(validation_data, "__iter__")
    if not data or isinstance(validation_data, (str, bytes)) or not isinstance(monitor, str):
        raise ValueError(
            "Weights are judged by `monitor`, 'loss' or the name of a metric, on `validation_data`, "
            f"which `model.evaluate` takes. Received: monitor={checks.shown(monitor)}, "
            f"validation_data={checks.shown(validation_data)}"
        )


def check_settings(settings):
    """`settings` is what JSON can hold."""
    try:
        json.dumps(settings)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`settings` must be what JSON can hold. "
            f"Received: settings={checks.shown(settings)}: {error}"
        ) from error


def check_callbacks(callbacks):
    """`callbacks` is a list of them."""
    several = isinstance(callbacks, (list, tuple))
    if not several or not all(isinstance(one, keras.callbacks.Callback) for one in callbacks):
        raise ValueError(
            "`callbacks` must be a list of keras.callbacks.Callback. "
            f"Received: callbacks={checks.shown(callbacks)}"
        )


def check_stopping(stopping):
    """`stopping` is a `Stopping`, or None."""
    if not isinstance(stopping, (Stopping, type(None))):
        raise ValueError(
            "`stopping` must be a `Stopping` that was entered by `with`, or None. "
            f"Received: stopping={checks.shown(stopping)}"
        )


def check_resident(resident, model):
    """`resident` is None, or `model` runs on what the device holds."""
    if resident is not None and not of_one_dispatch(model):
        raise ValueError(
            "`resident` needs the JAX backend and a model that is compiled with `jit_compile`. Pass "
            f"batches of images instead. Received: backend {backend.name()!r}"
        )


def of_one_dispatch(model):
    """Whether the steps of an execution run on the device, without the host between them."""
    return backend.name() == "jax" and model.jit_compile and not model.run_eagerly
