"""The compiled functions of a model, and drawing on all cores."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from keras import ops

from keras_pixelrnn import backend

# Multiply-adds a pixel, below which a loop is bound by starting its operations, not by their work.
WORK_OF_A_PART = 250_000


class Functions:
    """The compiled functions of a model, each made when first used.

    Not an attribute that Keras tracks: they belong to the process, not to the saved model.

    Args:
        model: a `PixelModel`; `functions("log_prob")` is its `log_prob_graph`, compiled.
    """

    def __init__(self, model):
        self._model = model
        self._compiled = {}
        self._drawn = set()

    def __call__(self, name):
        if name not in self._compiled:
            function = getattr(self._model, f"{name}_graph")
            self._compiled[name] = backend.compiled(function, self._model.variables)
        return self._compiled[name]

    def draw(self, name, *arrays):
        """Images from one of the drawing functions, as equal parts of the batch at the same time.

        A loop over pixels keeps one core busy, hardly more; images do not depend on each other.

        Args:
            name: of the function.
            *arrays: its arguments, `(batch, ...)`.

        Returns:
            `(batch, height, width, channels)` uint8 array.
        """
        arrays = [ops.convert_to_numpy(array) for array in arrays]
        count = len(arrays[0])
        work = count * self._model.count_params()  # each weight about once a pixel
        size = -(-count // max(1, min(backend.cores(), count, work // WORK_OF_A_PART)))
        # The last part is filled up with its last image: one size, so one compilation.
        rows = [np.minimum(np.arange(i, i + size), count - 1) for i in range(0, count, size or 1)]
        parts = [[array[part] for array in arrays] for part in rows or [slice(0)]]

        def run(part):
            return ops.convert_to_numpy(self(name)(*part)[0])

        drawn = []
        if (name, size) not in self._drawn:  # compiles: once, and in the caller's thread
            drawn.append(run(parts.pop(0)))
            self._drawn.add((name, size))
        if len(parts) > 1:
            with ThreadPoolExecutor(len(parts)) as threads:
                drawn.extend(threads.map(run, parts))
        else:
            drawn.extend(map(run, parts))
        return np.concatenate(drawn)[:count]
