"""What libraries say of themselves. TensorFlow names processors and absent drivers while it is imported,
before its log can be told to be quiet: that is shown only where the import fails."""

import contextlib
import importlib.util
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

_STDERR = 2


class _Quietly:
    """Finds a module as everyone else does, but holds back what its import says."""

    def __init__(self, name: str):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        sys.meta_path.remove(self)  # the others find it
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_quietly(module):
            with _held_back():
                run(module)

        spec.loader.exec_module = run_quietly
        return spec


def import_quietly(name: str) -> None:
    """Let the first import of module `name`, whenever it comes, print nothing unless it fails."""
    ours = any(isinstance(finder, _Quietly) and finder.name == name for finder in sys.meta_path)
    if name not in sys.modules and not ours:
        sys.meta_path.insert(0, _Quietly(name))


def downloads() -> None:
    """Bars of downloads are for terminals; that one is tried again is said once, where it fails."""
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("urllib3").setLevel(logging.ERROR)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """What libraries write to the standard error, not what Python does: Ctrl-C still says its line."""
    try:
        real = os.dup(_STDERR)
    except OSError:  # closed by whoever started the command
        yield
        return
    before = sys.stderr
    stderr = os.fdopen(real, "w", buffering=1)  # stays open: loggers made meanwhile write to it
    with tempfile.TemporaryFile() as kept:
        if before is sys.__stderr__ and before is not None:
            before.flush()
            sys.stderr = stderr
        os.dup2(kept.fileno(), _STDERR)
        try:
            yield
        except Exception:  # not Ctrl-C, which has a line of its own
            kept.seek(0)
            stderr.write(kept.read().decode(errors="replace"))
            stderr.flush()
            raise
        finally:
            os.dup2(real, _STDERR)
            sys.stderr = before
