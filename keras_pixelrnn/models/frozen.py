"""Which layers and weights of a model are frozen, in its configuration."""

from keras_pixelrnn import checks

KEYS = ("frozen_layers", "frozen_weights")


def _layers(model):
    """All layers, outer before inner; a model of the same configuration has the same."""
    return list(model._flatten_layers())


def flags(model):
    """What `get_config` adds: positions of the frozen layers and weights; nothing where none is."""
    layers, weights = (
        [index for index, part in enumerate(parts) if not part.trainable]
        for parts in (_layers(model), model.weights)
    )
    return dict(zip(KEYS, (layers, weights))) if layers or weights else {}


def taken_from(config):
    """The part of a configuration that `flags` added, taken out of it."""
    return {key: config.pop(key) for key in KEYS if key in config}


def freeze(model, frozen_layers=(), frozen_weights=()):
    """`model` with exactly these layers and weights frozen."""
    if frozen_layers or frozen_weights:
        for name, given, parts in zip(
            KEYS, (frozen_layers, frozen_weights), (_layers(model), model.weights), strict=True
        ):
            listed = isinstance(given, (list, tuple))
            if not listed or not all(checks.is_whole(i) and 0 <= i < len(parts) for i in given):
                raise ValueError(
                    f"`{name}` of a configuration must be places, from 0 to {len(parts) - 1}, as "
                    f"`get_config` writes them. Received: {name}={checks.shown(given)}"
                )
        for index, layer in enumerate(_layers(model)):  # sets all that it holds, too
            layer.trainable = index not in frozen_layers
        for index, weight in enumerate(model.weights):
            weight.trainable = index not in frozen_weights
    return model
