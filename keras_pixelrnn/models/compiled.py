"""What `compile` was given: losses and metrics that mean something for parameters of distributions."""

import functools

import keras

from keras_pixelrnn import checks
from keras_pixelrnn.distributions.base import HoldsDistribution

OF_KERAS = ("keras.", "tf_keras.", "tensorflow.")


def check(model):
    """`ValueError` where a loss or metric of a compiled model reads its parameters as something else.

    A function, `Loss` or `Metric` of one's own takes images and the parameters that the model predicts
    for them. Those of Keras compare predicted with true values, which parameters are not; those of this
    package are made for one distribution.
    """
    given = []
    if (found := getattr(model, "_compile_loss", None)) is not None:
        given.append(("loss", found._user_loss))
    if (found := getattr(model, "_compile_metrics", None)) is not None:
        given.append(("metrics", found._user_metrics))
        given.append(("weighted_metrics", found._user_weighted_metrics))
    for name, value in given:
        for one in keras.tree.flatten(value):
            if one is not None:
                _check(name, one, model.distribution)


def _check(name, one, distribution):
    if isinstance(one, HoldsDistribution):
        own = one.distribution
        if type(own) is not type(distribution) or own.get_config() != distribution.get_config():
            raise ValueError(
                f"`{name}` of `compile` must be made for the distribution of the model: "
                f"{type(one).__name__}(model.distribution), of {distribution!r}. "
                f"Received: {name} with {type(one).__name__}({own!r})"
            )
        return
    if isinstance(one, str) or _of_keras(one):  # names are Keras' own alone
        instead = (
            # Keras keeps the loss of an earlier `compile` where the next one is given none.
            "Compile with keras_pixelrnn.losses.NegativeLogLikelihood(model.distribution)"
            if name == "loss"
            else "Use keras_pixelrnn.metrics.BitsPerDimension(model.distribution)"
        )
        raise ValueError(
            f"`{name}` of `compile` must take images and the parameters of their distribution, which "
            "this model predicts; what comes with Keras compares values with predicted values. "
            f"{instead}, or write a function of your own, f(images, parameters). "
            f"Received: {name} with {checks.shown(one)}"
        )


def _of_keras(one):
    """Whether Keras itself computes it, whatever it is wrapped in."""
    while isinstance(one, functools.partial):
        one = one.func
    for wrapped in ("fn", "_fn"):  # of keras.losses' and keras.metrics' wrappers of a function
        if callable(getattr(one, wrapped, None)) and isinstance(
            one, (keras.losses.Loss, keras.metrics.Metric)
        ):
            return _of_keras(getattr(one, wrapped))
    made_by = one if hasattr(one, "__qualname__") else type(one)
    return (getattr(made_by, "__module__", None) or "").startswith(OF_KERAS)


def check_optimizer(model):
    """`ValueError` where the optimizer was built for other weights than are trained now."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not optimizer.built:
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of one that scales the loss
    known = {id(variable) for variable in inner._trainable_variables}
    now = {id(variable) for variable in model.trainable_variables}
    # TensorFlow leaves out what is frozen by now; under JAX a step takes all that it was built with.
    if not now <= known or (keras.backend.backend() == "jax" and now != known):
        raise ValueError(
            "The optimizer was made for other weights than are trained now: layers were frozen or "
            "freed, or have adapters (LoRA). Call model.compile(...) again, with a new optimizer. "
            f"Received: {len(now)} trainable weights, {len(now - known)} of them new, and "
            f"{len(known)} of the optimizer"
        )
