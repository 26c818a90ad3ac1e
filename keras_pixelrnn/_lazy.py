"""Names of a package that are imported when first used (PEP 562): commands start without Keras."""

import importlib

WITHOUT_TENSORFLOW = (
    "TensorFlow is not installed: pip install tensorflow. Without it KERAS_BACKEND=jax runs all but "
    "export, check, serve and data sets of TensorFlow by name."
)


def lazily(package, names):
    """`__all__` and `__getattr__` of a package.

    Args:
        package: its `__name__`.
        names: `{public name: module}`, relative to the package; a module of that very name is
            itself what is meant.
    """

    def getattr_of_module(name):
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            module = importlib.import_module(f"{package}.{names[name]}")
        except ModuleNotFoundError as error:
            if error.name != "tensorflow":
                raise
            raise ImportError(f"{WITHOUT_TENSORFLOW} Received: {package}.{name}") from error
        return module if names[name].split(".")[-1] == name else getattr(module, name)

    return sorted(names), getattr_of_module
