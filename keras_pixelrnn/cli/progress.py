"""Progress bars with the time that is left, on stderr, and only where that is a terminal."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

Item = TypeVar("Item")


def over(items: Iterable[Item], count: int, label: str) -> Iterator[Item]:
    """The items one by one, with a bar that tells how many of `count` have been worked on."""
    with bar(count, label) as advance:
        for item in items:
            yield item
            advance(len(item) if hasattr(item, "__len__") and not isinstance(item, tuple) else 1)


@contextlib.contextmanager
def bar(count: int, label: str):
    """A bar for `count` steps; gives a function of the number of steps done."""
    if not sys.stderr.isatty():
        yield lambda steps=1: None
        return
    with click.progressbar(length=count, label=label, file=sys.stderr, show_pos=True) as shown:
        yield lambda steps=1: shown.update(steps)


@contextlib.contextmanager
def telling(count: int, label: str):
    """A bar of `count` images; gives a function of the images done and of all, as `progress=` takes."""
    before = 0
    with bar(count, label) as advance:

        def tell(done, count):
            nonlocal before
            advance(done - before)
            before = done

        yield tell


def clear() -> None:
    """Make room for a line on a terminal that shows a bar."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()
