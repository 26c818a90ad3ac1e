"""The checkpoints of a training: the latest two, numbered by the batches seen."""

import re
import shutil

from keras_pixelrnn import checks
from keras_pixelrnn.training import archive

NAME = re.compile(r"state-(\d{12})\.npz")
KEPT = 2


class Checkpoints:
    """The newest checkpoints of a folder, each one whole file.

    Args:
        folder: where they are kept; made where missing.
    """

    def __init__(self, folder):
        self.folder = checks.local("folder", folder)

    def paths(self):
        """Files of the checkpoints, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if NAME.fullmatch(path.name))

    def save(self, batches, manifest, arrays):
        """Keep one more, made after `batches` batches, and drop those too many."""
        path = self.folder / f"state-{batches:012}.npz"
        archive.write(path, manifest, arrays)
        for old in self.paths()[:-KEPT]:
            old.unlink(missing_ok=True)

    def load(self):
        """Manifest and arrays of the newest, or None where there is none.

        Raises:
            ValueError: it is damaged; the message offers the one before it.
        """
        *before, newest = [None, *self.paths()]
        if newest is None:
            return None
        try:
            return archive.read(newest)
        except archive.Damaged as error:
            if before[-1] is None:
                offer = "There is none before it: delete its folder and train anew."
            else:
                offer = (
                    f"Delete it, and --resume goes on from the one before it, {before[-1].name}."
                )
            raise ValueError(f"The checkpoint {error} {offer}") from error

    def clear(self):
        """Drop them all."""
        for path in self.paths():
            path.unlink()


def sweep_up(folder):
    """Remove what a killed process left half written in `folder`; call it while holding its lock."""
    for path in list(checks.unfinished(folder)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
