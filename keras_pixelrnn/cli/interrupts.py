"""Ctrl-C or SIGTERM ends the command within a second, also in a compilation or a long loop.

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
SAID = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
UNHEEDED = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
received: list[int] = []
_said: list[bool] = []


def say() -> int:
    """Print, once, the line that a command ends with which a signal ends; the exit code, 128 + n."""
    number = received[0] if received else signal.SIGINT
    if not _said:
        _said.append(True)
        begin = "\r\033[K" if sys.stderr.isatty() else ""
        sys.stderr.write(f"{begin}pixelrnn: {SAID[number]}\n")
        sys.stderr.flush()
    return 128 + number


@contextlib.contextmanager
def within_a_second() -> Iterator[None]:
    """While this lasts Ctrl-C and SIGTERM raise `KeyboardInterrupt`, by which folders of a moment are
    removed; where that does not end the command, nothing waits. A training minds them by itself, and so
    does a program that has handlers of its own."""
    _said.clear()
    received.clear()
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are not ours
        return
    heeded = {number for number in SAID if signal.getsignal(number) is UNHEEDED[number]}
    for number in heeded:
        signal.signal(number, _interrupt)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(ours, heeded), daemon=True).start()
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, UNHEEDED[number])
        signal.set_wakeup_fd(before)
        theirs.send(b"\0")  # no more signals; the watcher leaves, but for one that has come
        theirs.close()


def _interrupt(number, frame):
    received.append(number)
    raise KeyboardInterrupt


def _watch(signals, heeded):
    with signals:
        while (heard := signals.recv(1)) not in (b"", b"\0"):
            if heard[0] in heeded:
                threading.Event().wait(GRACE)
                received.append(heard[0])  # unless Python has heard it
                os._exit(say())
