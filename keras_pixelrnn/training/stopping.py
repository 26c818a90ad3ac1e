"""Leaving in good order when told to: SIGTERM, which schedulers send, and SIGINT."""

import os
import signal
import sys
import threading

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE = 8.0  # seconds from the signal to the end of the process, whatever it does


class Stopped(SystemExit):
    """The process was told to stop; its exit code is 128 and the number of the signal."""

    def __init__(self, number):
        super().__init__(128 + number)
        self.number = number

    def told(self, kept=True):
        """The sentence about it; is there a checkpoint, `kept`, to go on from?"""
        then = (
            "no work is lost. Go on with --resume" if kept else "nothing was begun. Start it again"
        )
        return f"stopped by {signal.Signals(self.number).name}; {then}"

    def __str__(self):
        return self.told()


class Stopping:
    """Turns signals into `Stopped`, within this context and in the main thread.

    The exception is raised where the signal finds the program, or, within `at_ease`, where the program
    next calls `check`: between two steps of a training. A program that does neither within `GRACE`
    seconds, since it compiles, say, is ended where it is; all files are whole at any moment.

    Attributes:
        follows: True in a process that has no state of its own to keep: `check` lets it go on, so that
            the process that leads can finish its step.
        leave: what `check` calls with the `Stopped` instead of raising it, where a program cannot be
            left by an exception.
    """

    def __init__(self):
        self.signal, self.follows, self.leave = None, False, None
        self._polite = False
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
            self._over = threading.Event()
            self._ear, mouth = os.pipe()
            os.set_blocking(mouth, False)
            self._mouth = mouth
            self._fd_before = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
            threading.Thread(target=self._guard, args=(self._ear, self._over), daemon=True).start()
        return self

    def __exit__(self, *error):
        if self._before:
            self._over.set()
            signal.set_wakeup_fd(self._fd_before)
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._before = {}
            os.close(self._mouth)  # ends the thread

    def at_ease(self, polite=True):
        """From now on signals wait for the next `check`, or (False) they do not."""
        self._polite = polite
        if not polite:
            self.check()

    def check(self):
        """Raises `Stopped` if a signal has come."""
        if self.signal is None or self.follows:
            return
        stopped = Stopped(self.signal)
        if self.leave is not None:
            self.leave(stopped)
        raise stopped

    def _handle(self, number, frame):
        again = self.signal is not None
        self.signal = number
        if again or not self._polite:
            raise Stopped(number)

    @staticmethod
    def _guard(ear, over):
        """Runs in a thread: the handler itself has to wait for the main thread to be in Python."""
        while heard := os.read(ear, 1):
            if heard[0] in SIGNALS and not over.wait(GRACE):
                print("stopped in the middle of a long operation", file=sys.stderr, flush=True)
                os._exit(128 + heard[0])
        os.close(ear)
