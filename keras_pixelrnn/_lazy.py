"""Names of a package that are imported when first used (PEP 562): commands start without Keras."""

import importlib


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
        module = importlib.import_module(f"{package}.{names[name]}")
        return module if names[name].split(".")[-1] == name else getattr(module, name)

    return sorted(names), getattr_of_module
