"""Low-rank adapters (LoRA) of a model's layers, in its configuration."""

import keras

KEY = "adapters"


def _layers(model):
    """All layers, outer before inner; a model of the same configuration has the same."""
    return list(model._flatten_layers())


def of(model):
    """What `get_config` adds: position, rank and alpha of each adapter; nothing where there is none.

    Adapters are what `enable_lora` of a Keras layer makes (Hu et al. 2021, arXiv 2106.09685).
    """
    found = [
        [index, layer.lora_rank, layer.lora_alpha]
        for index, layer in enumerate(_layers(model))
        if getattr(layer, "lora_enabled", False)
    ]
    return {KEY: found} if found else {}


def give(model, adapters):
    """`model` with adapters at the positions that `of` found."""
    layers = _layers(model)
    for index, rank, alpha in adapters:
        layer = layers[index] if 0 <= index < len(layers) else None
        if not isinstance(layer, keras.layers.Layer) or not hasattr(layer, "enable_lora"):
            raise ValueError(
                f"The configuration asks for an adapter where there can be none. Received: {KEY} at "
                f"layer {index} of {len(layers)}"
            )
        layer.enable_lora(rank, lora_alpha=alpha)
    return model
