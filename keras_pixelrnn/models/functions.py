"""The compiled functions of a model, and drawing on all cores."""

import functools
import itertools
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from keras import ops, tree

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
        self._variables = []

    def __call__(self, name, xla=True, **options):
        own = self._model.variables
        same = len(own) == len(self._variables)
        if not same or any(a is not b for a, b in zip(own, self._variables, strict=True)):
            # The network is another one: it got adapters (LoRA), say. What was traced knows the old.
            self._compiled, self._drawn, self._variables = {}, set(), own
        key = (name, xla, *sorted(options.items(), key=lambda item: item[0]))
        if key not in self._compiled:
            function = getattr(self._model, f"{name}_graph")
            if options:
                function = functools.partial(function, **options)
            others = [x.variables for x in options.values() if isinstance(x, keras.layers.Layer)]
            variables = list(itertools.chain(own, *others))
            self._compiled[key] = backend.compiled(function, variables, xla)
        return self._compiled[key]

    def draw(self, name, *arrays, xla=True):
        """Images from one of the drawing functions, as equal parts of the batch at the same time.

        A loop over pixels keeps one core busy, hardly more; images do not depend on each other.

        Args:
            name: of the function.
            *arrays: its arguments, `(batch, ...)`.
            xla: compile with XLA: slower to begin with, faster from then on.

        Returns:
            `(batch, height, width, channels)` uint8 array.
        """
        arrays = [ops.convert_to_numpy(array) for array in arrays]
        count = len(arrays[0])
        work = count * self._model.count_params()  # each weight about once a pixel
        size = -(-count // max(1, min(backend.cores(), count, work // WORK_OF_A_PART)))
        return self.by_parts(name, arrays, size, xla=xla)[0]

    def by_parts(self, name, arrays, size, xla=True, **options):
        """Everything that a function returns, run on parts of the batch, one for each core at a time.

        Args:
            name: of the function.
            arrays: its arguments, `(batch, ...)` arrays, or functions from an array of indices to
                those rows of one, for what would not fit in memory all at once.
            size: images of a part.
            xla: compile with XLA.
            **options: constants of the function, for each of which it is compiled.

        Returns:
            Nested arrays `(batch, ...)`.
        """
        count = len(arrays[0])
        # The last part is filled up with its last image: one size, so one compilation.
        rows = [np.minimum(np.arange(i, i + size), count - 1) for i in range(0, count, size or 1)]
        rows = rows or [np.arange(0)]

        def run(part):
            inputs = [array(part) if callable(array) else array[part] for array in arrays]
            outputs = self(name, xla, **options)(*inputs)
            return tree.map_structure(ops.convert_to_numpy, outputs)

        done = []
        key = (name, size, xla, *sorted(options.items(), key=lambda item: item[0]))
        self(name, xla, **options)  # forgets what is out of date
        if key not in self._drawn:  # compiles: once, and in the caller's thread
            done.append(run(rows.pop(0)))
            self._drawn.add(key)
        if len(rows) > 1:
            with ThreadPoolExecutor(min(len(rows), backend.cores())) as threads:
                done.extend(threads.map(run, rows))
        else:
            done.extend(map(run, rows))
        return tree.map_structure(lambda *parts: np.concatenate(parts)[:count], *done)
