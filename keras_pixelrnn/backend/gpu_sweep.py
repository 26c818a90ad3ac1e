"""The LSTM recurrence over a whole map as one kernel of a GPU, under JAX.

A sweep as a loop of XLA starts several kernels at each of its steps, for work that a GPU is done with
before the next one has started. Here one program takes one image in one direction through all steps:
states stay in registers, and only what leaves the recurrence, or its gradient needs, is written.

Maps are read and written where they lie. Nothing is skewed or flipped: a program finds the pixel that
position `p` is at in step `t`.
"""

import copy
import functools

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

GATES = 4  # o, f, i, g, as in `sweep`
MOST_POSITIONS = 128
MOST_UNITS = 64
UNITS_TO_KEEP = 32  # whose state-to-state weights stay in a program's registers


def fits(units, positions):
    """Whether the kernel takes maps of this size; tiles of a GPU's matrix units are powers of two."""
    return 16 <= units <= MOST_UNITS and units & (units - 1) == 0 and positions <= MOST_POSITIONS


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def gpu_sweep(z, kernel, taps, diagonal, interpret=False):
    """Hidden states of the LSTM that sweeps over maps: `sweep`, for maps that are not skewed.

    Rows: a step is a row, its positions are the columns. Diagonals: position `p` of step `t` is row `p`,
    column `t - p`; counted from the right in the second of two directions. States outside the map are
    zero.

    Args:
        z: `(directions, batch, height, width, 4 h)` float32, the input-to-state term.
        kernel: `(directions, len(taps) * h, 4 h)` float32, the state-to-state weights.
        taps: offsets of the positions read, in the order of the kernel's rows.
        diagonal: whether steps are diagonals, not rows.
        interpret: run without a GPU, slowly.

    Returns:
        `(directions, batch, height, width, h)` float32.
    """
    return _forward(z, kernel, taps, diagonal, interpret)[0]


def _forward(z, kernel, taps, diagonal, interpret):
    geometry = _Geometry(z.shape, kernel.shape[1] // len(taps), taps, diagonal)
    features = (*z.shape[:-1], geometry.units)
    shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in (features, features, z.shape)]
    run = geometry.call(_forward_kernel, shapes, interpret)
    h, c, gates = run(z.reshape(-1), kernel.reshape(-1))
    return h.reshape(features), (h.reshape(features), c, gates, kernel)


def _backward(taps, diagonal, interpret, stored, dh):
    h, c, gates, kernel = stored
    z_shape = (*h.shape[:-1], GATES * h.shape[-1])
    geometry = _Geometry(z_shape, h.shape[-1], taps, diagonal)
    run = geometry.call(_backward_kernel, [jax.ShapeDtypeStruct(z_shape, jnp.float32)], interpret)
    (dz,) = run(dh.reshape(-1), c, gates, kernel.reshape(-1))
    dz = dz.reshape(z_shape)
    seen = jnp.concatenate([_seen(h, tap, diagonal) for tap in taps], axis=-1)
    return dz, jnp.einsum("dbrck,dbrcg->dkg", seen, dz)


gpu_sweep.defvjp(
    lambda z, kernel, taps, diagonal, interpret: _forward(z, kernel, taps, diagonal, interpret),
    _backward,
)


def _seen(h, tap, diagonal):
    """The state that each pixel reads through a tap, for a whole map."""
    if not diagonal:
        return _shifted(h, 1, -tap)
    if tap == -1:
        return _shifted(h, 1, 0)
    from_left, from_right = _shifted(h[:1], 0, 1), _shifted(h[1:], 0, -1)
    return jnp.concatenate([from_left, from_right])


def _shifted(h, rows, columns):
    """A map moved down and to the right, zeros moving in."""
    zero = jnp.zeros((), h.dtype)
    moves = [(0, 0, 0), (0, 0, 0), (rows, -rows, 0), (columns, -columns, 0), (0, 0, 0)]
    return jax.lax.pad(h, zero, moves)


class _Geometry:
    """Where a program finds its pixels, in maps laid flat."""

    def __init__(self, z_shape, units, taps, diagonal):
        self.directions, self.batch, self.height, self.width = z_shape[:4]
        self.units, self.taps, self.diagonal = units, taps, diagonal
        self.positions = self.height if diagonal else self.width
        self.steps = self.height + self.width - 1 if diagonal else self.height
        self.tile = max(16, pl.next_power_of_2(self.positions))

    def call(self, kernel, shapes, interpret):
        """A function of flat arrays to a list of flat arrays of `shapes`."""
        warps = 4 if self.units <= UNITS_TO_KEEP and self.tile <= 32 else 8
        return pl.pallas_call(
            lambda *refs: kernel(self.at(pl.program_id(0), pl.program_id(1)), *refs),
            out_shape=[jax.ShapeDtypeStruct((s.size,), s.dtype) for s in shapes],
            grid=(self.batch, self.directions),
            compiler_params=triton.CompilerParams(num_warps=warps, num_stages=1),
            interpret=interpret,
        )

    def at(self, image, direction):
        """The same, of the program for one image in one direction."""
        here = copy.copy(self)
        here.image, here.direction = image, direction
        return here

    def pixels(self, step):
        """Of all positions `(tile, 1)`: the pixel's number in a map's batch, and whether it is one."""
        position = jnp.arange(self.tile)[:, None]
        row, column = (position, step - position) if self.diagonal else (step, position)
        inside = (row >= 0) & (row < self.height) & (column >= 0) & (column < self.width)
        if self.diagonal:
            column = jnp.where(self.direction == 1, self.width - 1 - column, column)
        image = self.direction * self.batch + self.image
        return (image * self.height + row) * self.width + column, inside

    def features(self, pixel):
        """Where the features of pixels `(tile, 1)` lie: `(tile, h)`."""
        return pixel * self.units + jnp.arange(self.units)[None, :]

    def gates(self, pixel):
        """The same for each of the gates."""
        first = pixel * (GATES * self.units) + jnp.arange(self.units)[None, :]
        return [first + gate * self.units for gate in range(GATES)]

    def weights(self, kernel):
        """For each tap a function of a gate to its weights `(h, h)`."""
        units = self.units
        row, column = jnp.arange(units)[:, None], jnp.arange(units)[None, :]
        first = self.direction * len(self.taps)

        def load(tap, gate):
            where = ((first + tap) * units + row) * (GATES * units) + gate * units + column
            return triton.load(kernel.at[where])

        if units > UNITS_TO_KEEP:  # too many to keep: read where they are needed, from the cache
            return load
        kept = [[load(tap, gate) for gate in range(GATES)] for tap in range(len(self.taps))]
        return lambda tap, gate: kept[tap][gate]

    def moved(self, x, offset):
        """`x (tile, h)` with what was at position `p + offset` at `p`, zeros moving in."""
        if offset == 0:
            return x
        position = jnp.arange(self.tile)
        reads = position[:, None] + offset == position[None, :]
        return jnp.dot(reads.astype(jnp.float32), x)


def _load(ref, where, inside):
    return triton.load(ref.at[where], mask=jnp.broadcast_to(inside, where.shape), other=0.0)


def _store(ref, where, inside, value):
    triton.store(ref.at[where], value, mask=jnp.broadcast_to(inside, where.shape))


def _sigmoid(x):
    return 0.5 * jnp.tanh(0.5 * x) + 0.5


def _forward_kernel(geometry, z_ref, kernel_ref, h_ref, c_ref, gates_ref):
    weights = geometry.weights(kernel_ref)

    def read(step):
        pixel, inside = geometry.pixels(step)
        return [_load(z_ref, where, inside) for where in geometry.gates(pixel)]

    def step(t, carry):
        h, c, z = carry
        ahead = read(t + 1)  # on its way while this step is computed
        seen = [geometry.moved(h, tap) for tap in geometry.taps]
        o, f, i, g = (
            sum((jnp.dot(x, weights(tap, gate)) for tap, x in enumerate(seen)), z[gate])
            for gate in range(GATES)
        )
        o, f, i, g = _sigmoid(o), _sigmoid(f), _sigmoid(i), jnp.tanh(g)
        pixel, inside = geometry.pixels(t)
        c = jnp.where(inside, f * c + i * g, 0.0)
        h = o * jnp.tanh(c)
        where = geometry.features(pixel)
        _store(h_ref, where, inside, h)
        _store(c_ref, where, inside, c)
        for where, gate in zip(geometry.gates(pixel), (o, f, i, g), strict=True):
            _store(gates_ref, where, inside, gate)
        return h, c, ahead

    zero = jnp.zeros((geometry.tile, geometry.units), jnp.float32)
    jax.lax.fori_loop(0, geometry.steps, step, (zero, zero, read(0)))


def _backward_kernel(geometry, dh_ref, c_ref, gates_ref, kernel_ref, dz_ref):
    weights = geometry.weights(kernel_ref)

    def read_cell(step):
        pixel, inside = geometry.pixels(step)
        return _load(c_ref, geometry.features(pixel), inside)

    def read(step):
        pixel, inside = geometry.pixels(step)
        gates = [_load(gates_ref, where, inside) for where in geometry.gates(pixel)]
        return _load(dh_ref, geometry.features(pixel), inside), gates

    def step(count, carry):
        dh, dc, c, c_before, (asked, (o, f, i, g)) = carry
        t = geometry.steps - 1 - count
        ahead = read_cell(t - 2), read(t - 1)
        # Outside the map gates and states are zero, and so is all that is multiplied by them.
        dh = dh + asked
        tanh_c = jnp.tanh(c)
        dc = dc + dh * o * (1.0 - tanh_c * tanh_c)
        dz = (
            dh * tanh_c * o * (1.0 - o),
            dc * c_before * f * (1.0 - f),
            dc * g * i * (1.0 - i),
            dc * i * (1.0 - g * g),
        )
        pixel, inside = geometry.pixels(t)
        for where, part in zip(geometry.gates(pixel), dz, strict=True):
            _store(dz_ref, where, inside, part)
        dh = jnp.zeros_like(dh)
        for index, tap in enumerate(geometry.taps):
            back = sum(jnp.dot(part, weights(index, gate).T) for gate, part in enumerate(dz))
            dh = dh + geometry.moved(back, -tap)
        return dh, dc * f, c_before, *ahead

    last = geometry.steps - 1
    zero = jnp.zeros((geometry.tile, geometry.units), jnp.float32)
    carry = (zero, zero, read_cell(last), read_cell(last - 1), read(last))
    jax.lax.fori_loop(0, geometry.steps, step, carry)
