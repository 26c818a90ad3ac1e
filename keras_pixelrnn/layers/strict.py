"""What all layers check of the arguments that they hand on to Keras, and keep in their configuration."""

import functools
from typing import Any

import keras

from keras_pixelrnn import checks
from keras_pixelrnn.layers import kept


def _keeping(make):
    """`make`, which makes a layer from its arguments alone, as a `from_config`."""

    @functools.wraps(make)
    def from_config(cls, config, *args, **kwargs):
        config = checks.configuration(cls, config)
        found = kept.taken_from(config)
        layer = make(cls, config, *args, **kwargs)
        if found:
            layer._keep(found)
        return layer

    return classmethod(from_config)


class StrictLayer:
    """Mix-in before `keras.layers.Layer`: an unknown argument is a `TypeError`, and a dtype policy in
    which the layer would fail or lose precision a `ValueError`.

    The configuration says which of the layers and weights inside are frozen, and which layers have
    adapters (LoRA): Keras makes layers inside anew, and would not know.

    Attributes:
        parts: names of the arguments that are layers, or lists of them. Each has a configuration of its
            own within that of the layer.
    """

    parts = ()
    _kept = None  # what to do to the layers inside as soon as there are all of them

    def __new__(cls, *args: Any, **kwargs: Any):
        layer = super().__new__(cls, *args, **kwargs)
        own = layer.get_config

        # As Keras wraps `build`: also where a subclass, or nobody, has written a `get_config`.
        @functools.wraps(own)
        def get_config():
            return {**own(), **layer._what_is_kept()}

        layer.get_config = get_config
        return layer

    def __init__(self, *args: Any, **kwargs: Any):
        cls = type(self)
        checks.unknown(cls, kwargs, checks.taken_by(cls) | checks.OF_EVERY_LAYER)
        kwargs["dtype"] = checks.dtype_policy(kwargs.get("dtype"))
        super().__init__(*args, **kwargs)

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        own = vars(cls).get("from_config")
        if isinstance(own, classmethod):  # it knows nothing of what `get_config` adds
            cls.from_config = _keeping(own.__func__)

    @_keeping
    def from_config(cls, config: dict[str, Any]):
        # Keras builds what it reads at once: its weights have the paths that they have within the layer.
        for part in (name for name in cls.parts if name in config):  # in order: seeds are drawn
            with keras.name_scope(config.get("name") or cls.__name__):
                config[part] = keras.saving.deserialize_keras_object(config[part])
        return cls(**config)

    def _keep(self, found):
        """Does what can be done before `build`, and leaves the rest to it."""
        made = self._made()
        for place, layer in enumerate(made):
            layer.trainable = place not in found.get(kept.LAYERS, ())
        flags = [layer.trainable for layer in (self, *made)]
        self._kept = lambda: (found, flags)  # Keras would make lists of its own kind of them

    def _post_build(self):
        super()._post_build()
        if self._kept is None:
            return
        found, flags = self._kept()
        self._kept = None
        made = self._made()
        kept.adapt(found, made)
        # What somebody froze or freed between is newer.
        if flags == [layer.trainable for layer in (self, *made)][: len(flags)]:
            kept.freeze(found, made, self._made_weights())

    def _what_is_kept(self):
        if self._kept is not None:
            return self._kept()[0]
        changed = not self.trainable or getattr(self, "lora_enabled", False)
        weights = self._made_weights() if self.built else None
        return kept.of(self._made(), weights, changed)

    def _given(self):
        """The layers that are `parts`."""
        values = [getattr(self, name) for name in self.parts]
        return [x for value in values for x in (value if isinstance(value, list) else [value])]

    def _made(self):
        """The layers inside that are no `parts`, nor within one."""
        given = {id(layer) for layer in self._given()}
        own = [layer for layer in self._layers if id(layer) not in given]
        return [layer for one in own for layer in one._flatten_layers()]

    def _made_weights(self):
        given = {id(weight) for layer in self._given() for weight in layer.weights}
        return [weight for weight in self.weights if id(weight) not in given]
