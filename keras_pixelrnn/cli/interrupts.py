"""Ctrl-C ends the command within a second, also in the middle of a compilation or a long loop.

Python answers a signal only between two of its own instructions; TensorFlow may be busy for minutes
without one. So a thread waits for the signal, too, gives Python half a second to end by itself, with
all that is to be tidied up, and then ends the process.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

GRACE = 0.5
EXIT_CODE = 128 + signal.SIGINT
_said: list[bool] = []


def say() -> None:
    """Print, once, the line that an interrupted command ends with."""
    if not _said:
        _said.append(True)
        begin = "\r\033[K" if sys.stderr.isatty() else ""
        sys.stderr.write(f"{begin}pixelrnn: interrupted\n")
        sys.stderr.flush()


@contextlib.contextmanager
def within_a_second() -> Iterator[None]:
    """While this lasts Ctrl-C raises `KeyboardInterrupt`; where that does not end it, nothing waits."""
    _said.clear()
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are not ours
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(ours,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.send(b"\0")  # no more signals; the watcher leaves, but for one that has come
        theirs.close()


def _watch(signals):
    with signals:
        while (received := signals.recv(1)) not in (b"", b"\0"):
            if received[0] == signal.SIGINT:
                threading.Event().wait(GRACE)
                say()
                os._exit(EXIT_CODE)
