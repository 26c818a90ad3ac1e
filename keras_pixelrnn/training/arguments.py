"""What `resumable_fit` is given: refused by name before any work is done."""

import json

import keras

from keras_pixelrnn import backend, checks
from keras_pixelrnn.training.stopping import Stopping


def check_arguments(
    model,
    batches,
    validation_data,
    callbacks,
    stopping,
    *,
    epochs,
    steps_per_epoch,
    monitor,
    settings,
    minutes,
    resident,
    writes,
):
    """`ValueError` for the first argument of `resumable_fit` that is not what it should be."""
    if not isinstance(model, keras.Model) or getattr(model, "optimizer", None) is None:
        raise ValueError(
            "`model` must be a compiled keras.Model: call model.compile('adam') before. "
            f"Received: model={checks.shown(model)}"
        )
    checks.positive_int("epochs", epochs, checks.MOST_STEPS)
    checks.positive_int("steps_per_epoch", steps_per_epoch, checks.MOST_STEPS)
    checks.optional(checks.positive, "minutes", minutes)
    checks.switch("writes", writes)
    if not callable(batches):
        raise ValueError(
            "`batches` must be a function of the number of batches seen to a data set that begins "
            f"there. Received: batches={checks.shown(batches)}"
        )
    judged = callable(validation_data) or hasattr(validation_data, "__getitem__")
    judged = judged or hasattr(validation_data, "__iter__")
    if not judged or isinstance(validation_data, (str, bytes)) or not isinstance(monitor, str):
        raise ValueError(
            "Weights are judged by `monitor`, 'loss' or the name of a metric, on `validation_data`, "
            f"which `model.evaluate` takes. Received: monitor={checks.shown(monitor)}, "
            f"validation_data={checks.shown(validation_data)}"
        )
    try:
        json.dumps(settings)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`settings` must be what JSON can hold. "
            f"Received: settings={checks.shown(settings)}: {error}"
        ) from error
    listed = isinstance(callbacks, (list, tuple))
    if not listed or not all(isinstance(one, keras.callbacks.Callback) for one in callbacks):
        raise ValueError(
            "`callbacks` must be a list of keras.callbacks.Callback. "
            f"Received: callbacks={checks.shown(callbacks)}"
        )
    if not isinstance(stopping, Stopping):
        raise ValueError(
            "`stopping` must be a `Stopping` that was entered by `with`, or None. "
            f"Received: stopping={checks.shown(stopping)}"
        )
    if resident is not None and not of_one_dispatch(model):
        raise ValueError(
            "`resident` needs the JAX backend and a model that is compiled with `jit_compile`. Pass "
            f"batches of images instead. Received: backend {backend.name()!r}"
        )


def of_one_dispatch(model):
    """Whether the steps of an execution run on the device, without the host between them."""
    return backend.name() == "jax" and model.jit_compile and not model.run_eagerly
