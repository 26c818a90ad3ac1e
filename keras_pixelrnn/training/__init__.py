"""Training by settings and recipes, from data to exported model: what `pixelrnn train` runs."""

from typing import TYPE_CHECKING

from keras_pixelrnn._lazy import lazily

if TYPE_CHECKING:  # who reads types cannot follow `__getattr__`
    from keras_pixelrnn.training.given import with_recipe as with_recipe
    from keras_pixelrnn.training.making import make_model as make_model
    from keras_pixelrnn.training.recipes import read_recipe as read_recipe
    from keras_pixelrnn.training.recipes import recipe_names as recipe_names
    from keras_pixelrnn.training.resumable import resumable_fit as resumable_fit
    from keras_pixelrnn.training.run import train as train
    from keras_pixelrnn.training.settings import Settings as Settings

__all__, __getattr__ = lazily(
    __name__,
    {
        "Settings": "settings",
        "make_model": "making",
        "read_recipe": "recipes",
        "recipe_names": "recipes",
        "resumable_fit": "resumable",
        "train": "run",
        "with_recipe": "given",
    },
)
