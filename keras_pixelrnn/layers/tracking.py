"""Layers in lists and random states, for TensorFlow's own checkpoints."""

import keras


class Tracked:
    """Shows `tf.train.Checkpoint` what TensorFlow does not find by itself.

    Keras tracks layers that a layer keeps in a list, and the random state of dropout; TensorFlow sees
    only attributes that are layers or variables. Mix it in before `keras.layers.Layer`. On other
    backends nobody asks.
    """

    def _trackable_children(self, save_type="checkpoint", **kwargs):
        children = super()._trackable_children(save_type, **kwargs)
        # A SavedModel has lists already, and needs no random state.
        return {**children, **self._hidden()} if save_type == "checkpoint" else children

    def _lookup_dependency(self, name, *args, **kwargs):
        found = self._hidden().get(name)
        return super()._lookup_dependency(name, *args, **kwargs) if found is None else found

    def _hidden(self):
        """`{name: layer or variable}` that no attribute of this layer is."""
        hidden = {}
        for name, value in vars(self).items():
            if name.startswith("_"):
                continue
            if isinstance(value, list):
                layers = {f"{name}-{index}": item for index, item in enumerate(value)}
                hidden |= {k: v for k, v in layers.items() if isinstance(v, keras.layers.Layer)}
            elif isinstance(value, keras.random.SeedGenerator):
                hidden[f"{name}-state"] = value.state
        return hidden
