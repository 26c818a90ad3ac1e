"""Rows that particles need not run in full: what is known above is run once for all particles of an
image, and below the last hidden sub-pixel no look-ahead is needed."""

from keras import ops, tree

from keras_pixelrnn import raster

SHARED, FULL, UNGUIDED = range(3)


class Ways:
    """How each row of a batch is run; the `ways` of `raster.rows`.

    Args:
        network, distribution, maps, context: as of `particles.run`.
        n_particles: int.
        shared: False where the context differs between the particles of an image.
    """

    def __init__(self, network, distribution, maps, context, n_particles, shared):
        self._n, known = n_particles, maps["known"]
        size, (height, width, channels) = ops.shape(known)[0], known.shape[1:]
        self._ways = {}

        def way(stream):
            return raster.row_of(stream, distribution, raster.unless_known, channels)

        if shared and n_particles > 1:
            one = tree.map_structure(lambda x: None if x is None else x[::n_particles], context)
            self._once = way(network.stream(size // n_particles, height, width, one))
            self._ways[SHARED] = self._run_once
        if hasattr(network, "unguided"):
            self._ways[UNGUIDED] = way(network.unguided(size, height, width, context))
        hidden = ops.cast(ops.any(known < 0.5, axis=(0, 2, 3)), "int32")
        above = ops.cumsum(hidden) == 0
        below = ops.flip(ops.cumsum(ops.flip(hidden, 0)), 0) == 0
        kinds = ops.where(below, UNGUIDED, FULL)
        self.kinds = ops.cast(ops.where(above, SHARED, kinds), "int32")  # one without a way: FULL

    def run(self, usual, kind, state, maps):
        """What `usual(state, maps)` returns, in the way that `kind` says."""

        def chosen(ways):
            if not ways:
                return usual(state, maps)
            (number, way), *others = ways
            return ops.cond(kind == number, lambda: way(state, maps), lambda: chosen(others))

        return chosen(list(self._ways.items()))

    def _run_once(self, state, maps):
        state, values, params = self._once(*tree.map_structure(self._first, (state, maps)))
        return tree.map_structure(self._all, (state, values, params))

    def _first(self, leaf):
        """Of `(width, all, features)` or `(all, features)` the first particle of each image."""
        rank = len(leaf.shape)
        return leaf if rank == 0 else leaf[:: self._n] if rank == 2 else leaf[:, :: self._n]

    def _all(self, leaf):
        rank = len(leaf.shape)
        return leaf if rank == 0 else ops.repeat(leaf, self._n, axis=0 if rank == 2 else 1)
