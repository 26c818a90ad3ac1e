"""The command `pixelrnn` ends at once: when all is done, and when it is interrupted."""

import signal
import time

import pytest

from tests.commands import process

BUSY = {
    "in Python": "while True: pass",
    "where Python does not listen": """import ctypes, signal
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])  # of this thread
        ctypes.CDLL(None).sleep(20)""",
    "where a library hides it": """try:
            while True: pass
        except KeyboardInterrupt as error:
            raise RuntimeError('REPLACED BY KeyboardInterrupt') from error""",
}


@pytest.mark.parametrize("busy", BUSY)
@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_a_signal_ends_it_within_a_second(number, word, busy, tmp_path):
    """Also while a library is busy without Python, as it may in a compilation. A folder of a moment, as
    of what `serve` exports, is removed where Python listens."""
    code = f"""
import sys, tempfile
sys.argv = ["pixelrnn", "models"]
from keras_pixelrnn import cli, presets
def names():
    with tempfile.TemporaryDirectory(dir={str(tmp_path)!r}):
        print("begun", flush=True)
        {BUSY[busy]}
presets.names = names
cli.main()
"""
    running = process(code=code)
    assert running.stdout.readline() == "begun\n"
    start = time.monotonic()
    running.send_signal(number)
    _, err = running.communicate(timeout=30)
    assert time.monotonic() - start < 3  # 1 s on a machine with nothing else to do
    assert err == f"pixelrnn: {word}\n"
    assert running.returncode == 128 + number
    assert "not" in busy or not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "code"), [(["models"], 0), (["sample", "digitz"], 2), (["train", "--resume"], 1)]
)
def test_it_ends_at_once_when_all_is_done(arguments, code):
    """What libraries would take a second to take apart goes with the process; who asked is told."""
    ran = process(
        code=f"""
import atexit, sys
sys.argv = ["pixelrnn", *{arguments}]
from keras_pixelrnn import cli
class Slow:
    def __del__(self):
        print("taken apart")
library = Slow()
streams = cli.streams.prepare
cli.streams.prepare = lambda: atexit.register(print, "asked") and streams()
cli.run()
"""
    )
    out, err = ran.communicate(timeout=60)
    assert out.splitlines()[-1] == "asked"
    assert (ran.returncode, "Traceback" in err) == (code, False)
    assert err.count("\n") == (code != 0)
