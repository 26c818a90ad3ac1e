"""Dropout that goes on after a reload as if there had been none."""

import keras

from keras_pixelrnn.layers.strict import StrictLayer
from keras_pixelrnn.layers.tracking import Tracked

STATE = "random_state"


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Dropout(StrictLayer, Tracked, keras.layers.Dropout):
    """`keras.layers.Dropout` whose random state is saved with the weights.

    Keras leaves it out of every file, so that a resumed training would drop other features than the
    training that it goes on with. Files without it load, too: their dropout begins anew.

    Args:
        rate: fraction of the features dropped in training.
        **kwargs: of `keras.layers.Dropout`.

    Example:

    >>> Dropout(0.5)(keras.ops.ones((2, 5, 6, 4)), training=True).shape
    TensorShape([2, 5, 6, 4])
    """

    def save_own_variables(self, store):
        super().save_own_variables(store)
        if self.rate > 0:
            store[STATE] = self.seed_generator.state.numpy()

    def load_own_variables(self, store):
        if self.rate > 0 and STATE in store:
            self.seed_generator.state.assign(store[STATE])
