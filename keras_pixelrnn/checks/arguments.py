"""Names of constructor arguments: one that nobody takes is an error, never ignored. And models."""

import difflib
import inspect

from keras_pixelrnn.checks.numbers import shown

# What `keras.layers.Layer` takes beside the arguments in its signature.
OF_EVERY_LAYER = {"input_shape", "batch_shape", "batch_input_shape", "input_dim"}


def taken_by(cls, base=object):
    """Names of the arguments that the constructors of `cls` and its bases take, those before `base`."""
    names = set()
    for one in cls.__mro__[: cls.__mro__.index(base)]:
        if "__init__" in vars(one):
            parameters = inspect.signature(one.__init__).parameters.values()
            names |= {p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
            names |= {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    return names - {"self"}


def unknown(owner, given, known):
    """Raise `TypeError`, naming the argument, where a name in `given` is not in `known`.

    Args:
        owner: class that is constructed.
        given: names, or a dict of arguments.
        known: names that it takes.
    """
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            value = f"{name}={given[name]!r}" if isinstance(given, dict) else name
            raise TypeError(
                f"{owner.__name__} has no argument `{name}`.{hint} It takes: "
                f"{', '.join(sorted(known))}. Received: {value}"
            )


def configuration(owner, config):
    """`config` as a dict of its own, from which `owner.from_config` can take, or `ValueError`."""
    if not isinstance(config, dict) or not all(isinstance(name, str) for name in config):
        raise ValueError(
            f"`config` must be a dict, as `get_config` of a {owner.__name__} returns. "
            f"Received: config={shown(config)}"
        )
    return dict(config)


def pixel_model(name, model):
    """`model`, a `PixelModel`, which is made far above: it is known by what it does."""
    if not all(hasattr(model, does) for does in ("image_shape", "distribution", "log_prob")):
        raise ValueError(
            f"`{name}` must be a PixelModel, as `keras_pixelrnn.models.from_preset` returns. "
            f"Received: {name}={shown(model)}"
        )
    return model
