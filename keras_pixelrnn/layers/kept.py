"""What was done to a layer or model once it was made, in its configuration: which parts are frozen, and
which have low-rank adapters (LoRA: Hu et al. 2021, arXiv 2106.09685)."""

import math

from keras_pixelrnn import checks

KEYS = ADAPTERS, LAYERS, WEIGHTS = "adapters", "frozen_layers", "frozen_weights"
PLACES = "places"  # of a model: how many layers and weights these are among


def of(layers, weights, changed=False):
    """What `get_config` adds: places of adapters, with rank and alpha, and of frozen parts; nothing
    where there is none.

    Args:
        layers, weights: lists, outer before inner; one of the same configuration has the same. None for
            weights that are not made yet.
        changed: whether what holds them is frozen or has an adapter itself, of which its weights know.
    """
    adapters = [
        [place, layer.lora_rank, layer.lora_alpha]
        for place, layer in enumerate(layers)
        if getattr(layer, "lora_enabled", False)
    ]
    frozen = {
        key: [place for place, part in enumerate(parts) if not part.trainable]
        for key, parts in ((LAYERS, layers), (WEIGHTS, weights))
        if parts is not None
    }
    found = {ADAPTERS: adapters} if adapters else {}
    # An adapter freezes its kernel: that it does not, any more, has to be said, too.
    return {**found, **frozen} if changed or any((adapters, *frozen.values())) else {}


def taken_from(config):
    """The part of a configuration that `of` added, taken out of it, or `ValueError`."""
    found = {key: config.pop(key) for key in KEYS if key in config}
    for key in found.keys() - {ADAPTERS}:
        _check_places(key, found[key])
    adapters = found.get(ADAPTERS, ())
    listed = isinstance(adapters, (list, tuple))
    if not listed or not all(_is_adapter(adapter) for adapter in adapters):
        raise ValueError(
            f"`{ADAPTERS}` of a configuration must be a list of [place, rank, alpha], as `get_config` "
            f"writes them. Received: {ADAPTERS}={checks.shown(adapters)}"
        )
    return found


def adapt(kept, layers):
    """Gives layers the adapters that `of` found."""
    for place, rank, alpha in kept.get(ADAPTERS, ()):
        layer = layers[place] if place < len(layers) else None
        if not hasattr(layer, "lora_enabled"):
            raise ValueError(
                "The configuration asks for an adapter where there can be none. "
                f"Received: {ADAPTERS} at layer {place} of {len(layers)}"
            )
        if not layer.lora_enabled:
            layer.enable_lora(rank, lora_alpha=alpha)


def freeze(kept, layers, weights):
    """Freezes exactly what `of` found frozen, if anything; adapters come before."""
    parts = {LAYERS: layers, WEIGHTS: weights}  # a layer sets all that it holds, so it comes first
    for key in parts.keys() & kept.keys():
        _check_places(key, kept[key], len(parts[key]))
    for key in (key for key in parts if key in kept):
        for place, part in enumerate(parts[key]):
            part.trainable = place not in kept[key]


def of_model(model):
    """The same of a model: of settings which are changed afterwards it shows that they move places."""
    layers, weights = model._flatten_layers(), model.weights
    found = of(layers, weights)
    return {**found, PLACES: [len(layers), len(weights)]} if found else {}


def remade(cls, config):
    """The model of class `cls` that a configuration with `of_model` it describes."""
    config = checks.configuration(cls, config)
    kept, places = taken_from(config), config.pop(PLACES, None)
    model = cls(**config)
    layers = model._flatten_layers()
    # An adapter is two weights.
    now = [len(layers), len(model.weights) + 2 * len(kept.get(ADAPTERS, ()))]
    if any(kept.values()) and places not in (None, now):
        raise ValueError(
            "What is frozen or has adapters in this configuration has places among other layers and "
            f"weights than the {now[0]} and {now[1]} of a {cls.__name__} with these settings. Leave the "
            f"settings as they were, or set {', '.join(KEYS)} to [] for a model without such. "
            f"Received: {PLACES}={checks.shown(places)}"
        )
    adapt(kept, layers)
    freeze(kept, layers, model.weights)
    return model


def _is_adapter(adapter):
    if not isinstance(adapter, (list, tuple)) or len(adapter) != 3:
        return False
    (place, rank), alpha = adapter[:2], adapter[2]
    whole = checks.is_whole(place) and checks.is_whole(rank)
    number = checks.is_whole(alpha) or isinstance(alpha, float)
    return (
        whole
        and place >= 0
        and 0 < rank <= checks.MOST_FEATURES
        and number
        and math.isfinite(alpha)
    )


def _check_places(key, given, count=None):
    most = math.inf if count is None else count
    listed = isinstance(given, (list, tuple))
    if not listed or not all(checks.is_whole(i) and 0 <= i < most for i in given):
        upto = "" if count is None else f", from 0 to {count - 1}"
        raise ValueError(
            f"`{key}` of a configuration must be places{upto}, as `get_config` writes them. "
            f"Received: {key}={checks.shown(given)}"
        )
