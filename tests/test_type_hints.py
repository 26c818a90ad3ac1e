"""Everything public says what it takes and what it gives: the package is marked as typed."""

import inspect
from importlib import resources

import keras_pixelrnn as kp

OWN = "keras_pixelrnn"


def members():
    """Public functions and classes of the modules that `kp` names."""
    for name in kp.__all__:
        module = getattr(kp, name)
        public = getattr(module, "__all__", None) or [
            name
            for name, found in vars(module).items()
            if getattr(found, "__module__", "") == module.__name__
        ]
        yield from (getattr(module, name) for name in public if not name.startswith("_"))


def functions(member):
    """The functions of a member that are ours, methods that only fill in Keras' own left out."""
    if inspect.isfunction(member) or inspect.ismethod(member):
        yield getattr(member, "__func__", member)
    if not inspect.isclass(member):
        return
    keras_own = [base for base in member.__mro__ if not base.__module__.startswith(OWN)]
    for cls in member.__mro__:
        if not cls.__module__.startswith(OWN):
            continue
        for name, found in vars(cls).items():
            found = getattr(found, "__func__", getattr(found, "fget", found))
            if not inspect.isfunction(found) or not found.__module__.startswith(OWN):
                continue
            public = not name.startswith("_") and not any(name in vars(base) for base in keras_own)
            if public or name == "__init__":
                yield inspect.unwrap(found)


def unsaid(function):
    """Parameters of a function that have no type; "return" where the result has none."""
    signature = inspect.signature(function)
    found = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.annotation is parameter.empty and name not in ("self", "cls")
    ]
    said = signature.return_annotation is not signature.empty or function.__name__ == "__init__"
    return found if said else [*found, "return"]


def test_everything_public_has_type_hints():
    found = {function for member in members() for function in functions(member)}
    assert len(found) > 150
    missing = {f"{f.__module__}.{f.__qualname__}": unsaid(f) for f in found if unsaid(f)}
    assert missing == {}
    assert resources.files(OWN).joinpath("py.typed").is_file()


def test_a_missing_hint_is_found():
    class Half:
        def method(self, a, b: int):
            return a + b

    Half.__module__ = Half.method.__module__ = OWN
    assert [unsaid(function) for function in functions(Half)] == [["a", "return"]]
