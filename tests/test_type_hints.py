"""Everything public says what it takes and what it gives: the package is marked as typed."""

import ast
import importlib
import inspect
from importlib import resources
from pathlib import Path

import pytest

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


LAZY = ("", ".serving", ".serving.server", ".training")


def seen(module):
    """`{name: module or module.name}` of what a type checker finds imported in a module."""
    (block,) = (
        node
        for node in ast.parse(Path(module.__file__).read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.asname: f"{node.module}.{alias.name}" for node in block.body for alias in node.names
    }


def test_every_package_with_lazy_names_is_known():
    root = Path(kp.__file__).parent
    found = {file.parent for file in root.rglob("__init__.py") if " = lazily(" in file.read_text()}
    assert found == {root.joinpath(*name.split(".")) for name in LAZY}


@pytest.mark.parametrize("name", LAZY)
def test_names_that_are_imported_when_used_have_types(name):
    module = importlib.import_module(f"{OWN}{name}")
    found = seen(module)
    assert sorted(found) == module.__all__
    for public, path in found.items():
        parent, _, last = path.rpartition(".")
        target = getattr(importlib.import_module(parent), last)
        assert getattr(module, public) is target, public


def test_a_missing_hint_is_found():
    class Half:
        def method(self, a, b: int):
            return a + b

    Half.__module__ = Half.method.__module__ = OWN
    assert [unsaid(function) for function in functions(Half)] == [["a", "return"]]
