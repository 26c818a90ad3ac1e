"""Training by settings and recipes, from data to exported model: what `pixelrnn train` runs."""

from keras_pixelrnn._lazy import lazily

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
