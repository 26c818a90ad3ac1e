"""Training by settings and recipes, from data to exported model: what `pixelrnn train` runs."""

from keras_pixelrnn._lazy import lazily

__all__, __getattr__ = lazily(
    __name__,
    {
        "Checkpoint": "checkpoint",
        "Settings": "settings",
        "make_model": "making",
        "read_recipe": "recipes",
        "recipe_names": "recipes",
        "train": "run",
        "with_recipe": "recipes",
    },
)
