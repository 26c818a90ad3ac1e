"""The compiled functions of a model, run on any number of images."""

import functools
import itertools

import keras
import numpy as np
from keras import ops, tree

from keras_pixelrnn import backend
from keras_pixelrnn.models import blocks


class Functions:
    """The compiled functions of a model, each made when first used.

    Not an attribute that Keras tracks: they belong to the process, not to the saved model.

    Args:
        model: a `PixelModel`; `functions("log_prob")` is its `log_prob_graph`, compiled.
    """

    def __init__(self, model):
        self._model = model
        self._compiled = {}  # what was asked for: the variables that it knows, and the function
        self._drawn = set()
        self.of_sizes = {}  # models of other sizes: see `Resizing.at_size`

    def __call__(self, name, xla=True, **options):
        layers = [x for x in options.values() if isinstance(x, keras.layers.Layer)]
        variables = [variable for x in (self._model, *layers) for variable in x.variables]
        key = (name, xla, *sorted(options.items(), key=lambda item: item[0]))
        known = self._compiled.get(key, (variables, None))[0]
        same = len(known) == len(variables)
        if not same or any(a is not b for a, b in zip(known, variables, strict=True)):
            # A network is another one: it got adapters (LoRA), say. What was traced knows the old.
            self._compiled, self._drawn = {}, set()
        if key not in self._compiled:
            function = getattr(self._model, f"{name}_graph")
            if options:
                function = functools.partial(function, **options)
            self._compiled[key] = variables, backend.compiled(function, variables, xla)
        return self._compiled[key][1]

    def in_blocks(self, name, arrays, size, count=None, xla=True, **options):
        """What a function returns, a block of the images at a time.

        Args:
            name: of the function.
            arrays: its arguments, `(n, ...)` arrays, or functions from an array of indices to those
                rows of one, for what would not fit in memory all at once.
            size: images of a block, the one size that is compiled.
            count: number of images; that of the first array if None.
            xla: compile with XLA: slower to begin with, faster from then on.
            **options: constants of the function, for each of which it is compiled.

        Yields:
            Nested arrays `(at most size, ...)`, in order.
        """
        count = len(arrays[0]) if count is None else count

        def inputs(rows):
            return [array(rows) if callable(array) else array[rows] for array in arrays]

        def run(rows):
            outputs = self(name, xla, **options)(*inputs(rows))
            return tree.map_structure(ops.convert_to_numpy, outputs)

        rows = blocks.rows_of(count, size)
        self(name, xla, **options)  # forgets what is out of date
        key = (name, size, xla, *sorted(options.items(), key=lambda item: item[0]))
        fresh = key not in self._drawn
        if fresh:
            first = next(rows)
            rows = itertools.chain([first], rows)
            backend.trace(self(name, xla, **options), *inputs(first))
        left = count
        for outputs in blocks.in_order(run, rows, alone=int(fresh)):
            self._drawn.add(key)
            yield tree.map_structure(lambda part, left=left: part[:left], outputs)
            left -= size

    def by_parts(self, name, arrays, size, xla=True, told=None, **options):
        """The same for all images at once: nested arrays `(n, ...)`. Blocks of `size` images, or of
        the next power of two where there are fewer images than that; `told` is called with the number
        of images done after each."""
        size = min(size, blocks.power_of_two(max(len(arrays[0]), 1)))
        done, count = [], 0
        for outputs in self.in_blocks(name, arrays, size, xla=xla, **options):
            done.append(outputs)
            count += len(tree.flatten(outputs)[0])
            if told:
                told(count)
        return tree.map_structure(lambda *parts: np.concatenate(parts), *done)
