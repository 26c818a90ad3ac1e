"""What a bad call is, and what may become of it."""

import time
from collections.abc import Callable
from typing import NamedTuple

NAMED, UNNAMED, HARMLESS, SILENT = "named", "unnamed", "harmless", "silent"
CRASH, HANG = "crash", "hang"


class Bad(NamedTuple):
    """A call that should fail.

    Attributes:
        what: description, for the log.
        names: texts, one of which the error must hold: the argument or the file.
        run: makes the call; returns True where what came back is right nonetheless (a flipped bit
            that means nothing).
    """

    what: str
    names: tuple
    run: Callable


def outcome(bad):
    """What becomes of a call: one of the words above, what the error said, and seconds."""
    begun = time.perf_counter()
    try:
        right = bad.run() is True
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        found = NAMED if any(name in text for name in bad.names) else UNNAMED
    else:
        text, found = "", HARMLESS if right else SILENT
    return found, text, time.perf_counter() - begun
