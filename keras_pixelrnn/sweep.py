"""The one LSTM recurrence of this package, with its own gradient.

Row LSTM and Diagonal BiLSTM are the same sweep over vectors of positions: each new state reads the
vector before it at a few taps. Rows read (-1, 0, +1); skewed columns read (0, -1): the pixel to the
left and the one above. Independent directions, or blocks, ride along on an axis of their own.

The gradient is written out instead of traced through the loop: the forward loop stores h, c and the
activated gates; everything in the backward pass that does not depend on later steps is computed for
all steps at once, and its loop holds two matrix products and a few multiplications.

A skewed map is half empty, and a sweep over it does not have to go everywhere: `spans` say which
positions are computed at which steps, in one loop for each span.

Features come before positions and batch: gates, taps and shifts then are whole contiguous blocks, and
the loop moves no data but those.
"""

import numpy as np
from keras import ops

from keras_pixelrnn import backend

GATES = 4  # o, f, i, g in this order: output, forget and input gate, then the new content


def activate(z, axis=-1):
    """Pre-activations of 4 h features along `axis` to gates: sigmoid for o, f, i, tanh for g."""
    units = z.shape[axis] // GATES
    shape = [1] * len(z.shape)
    shape[axis] = GATES * units
    # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2: one tanh over all gates is one vectorised pass, where
    # XLA's logistic on the CPU is an exponential and a division, and without XLA one op, not four.
    slope = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), units).reshape(shape)
    offset = np.repeat(np.array([0.5, 0.5, 0.5, 0.0], np.float32), units).reshape(shape)
    return ops.tanh(z * slope) * slope + offset


def update(gates, c, axis=-1):
    """Activated gates and old cell state to the new `h, c`."""
    o, f, i, g = ops.split(gates, GATES, axis=axis)
    c = f * c + i * g
    return o * ops.tanh(c), c


def sweep(z, kernel, taps, spans=None):
    """Hidden states of the LSTM that sweeps over `length` vectors of positions.

        a[t] = z[t] + sum over taps k of kernel k times h[t-1] at position p + k
        o, f, i, g = gates(a[t]);  c[t] = f * c[t-1] + i * g;  h[t] = o * tanh(c[t])

    States before the first vector and beside the first and last position are zero.

    Args:
        z: `(length, directions, 4 h, positions, batch)` float32, the input-to-state term.
        kernel: `(directions, len(taps) * h, 4 h)` float32, the state-to-state weights.
        taps: static offsets of the positions read, in the order of the kernel's rows.
        spans: pairs of slices `(steps, positions)`, steps in order and without gaps: what is computed,
            and all that is read meanwhile. States everywhere else are zero. None: all.

    Returns:
        `(length, directions, h, positions, batch)` float32.
    """
    length, directions, features, positions = z.shape[:4]
    batch = ops.shape(z)[4]
    everywhere = slice(0, positions)
    spans = spans or [(slice(0, length), everywhere)]

    def put_together(parts):
        return ops.concatenate(
            [
                _at(everywhere, part, here, batch)
                for part, (_, here) in zip(parts, spans, strict=True)
            ]
        )

    def cut(x):
        return [_at(here, x[steps], everywhere, batch) for steps, here in spans]

    @backend.custom_gradient
    def run(z, kernel):
        starts, states = _forward(cut(z), kernel, taps, spans, batch)

        def gradient(*args, upstream=None):
            (dh,) = args[-1:] if upstream is None else (upstream,)
            dz, dkernel = _backward(starts, states, kernel, taps, spans, batch, cut(dh))
            return put_together(dz), dkernel

        return put_together([h for h, _, _ in states]), gradient

    z = ops.reshape(z, (length, directions, features, positions * batch))
    kernel = ops.swapaxes(kernel, 1, 2)
    return ops.reshape(run(z, kernel), (length, directions, features // GATES, positions, batch))


def _forward(z, kernel, taps, spans, batch):
    """For each span: `(h, c)` before it, and all hidden states, cell states and gates of it."""

    def step_at(here):
        def step(carry, z):
            h, c = carry
            gates = activate(z + _product(kernel, _gather(h, taps, here)), axis=1)
            h, c = update(gates, c, axis=1)
            return (h, c), (h, c, gates)

        return step

    zero = ops.zeros_like(z[0][0, :, : z[0].shape[2] // GATES])
    carry, before = (zero, zero), spans[0][1]
    starts, states = [], []
    for part, (_, here) in zip(z, spans, strict=True):
        starts.append(tuple(_at(here, x, before, batch) for x in carry))
        carry, stored = backend.scan(step_at(here), starts[-1], part)
        states.append(stored)
        before = here
    return starts, states


def _backward(starts, states, kernel, taps, spans, batch, dh):
    """Gradients of `z`, for each span, and of `kernel` from `dh`, the gradient of every hidden state."""
    back = ops.swapaxes(kernel, 1, 2)

    def step_at(here):
        def step(carry, x):
            dh, dc, dkernel = carry  # dh and dc: what later steps ask of this step's states
            dh_here, seen, forget, (slope_o, slope_c, slope_f, slope_i, slope_g) = x
            dh = dh + dh_here
            dc = dc + dh * slope_c
            dz = ops.concatenate([dh * slope_o, dc * slope_f, dc * slope_i, dc * slope_g], axis=1)
            # Adding up here is faster than one product at the end, which needs dz transposed.
            dkernel = dkernel + ops.matmul(dz, ops.swapaxes(seen, 1, 2))
            return (_scatter(ops.matmul(back, dz), taps, here), dc * forget, dkernel), dz

        return step

    zero = ops.zeros_like(states[-1][1][0])
    asked, after = (zero, zero), spans[-1][1]
    dkernel, dz = ops.zeros_like(kernel), []
    for index in reversed(range(len(spans))):
        (h, c, gates), here = states[index], spans[index][1]
        h_before, c_before = (
            ops.concatenate([start[None], x[:-1]])
            for start, x in zip(starts[index], (h, c), strict=True)
        )
        o, f, i, g = ops.split(gates, GATES, axis=2)
        tanh_c = ops.tanh(c)
        slopes = (  # what multiplies dh or dc at each step
            tanh_c * o * (1.0 - o),
            o * (1.0 - tanh_c * tanh_c),
            c_before * f * (1.0 - f),
            g * i * (1.0 - i),
            i * (1.0 - g * g),
        )
        seen = _gather(h_before, taps, here)
        carry = (*(_at(here, x, after, batch) for x in asked), dkernel)
        (*asked, dkernel), part = backend.scan(
            step_at(here), carry, (dh[index], seen, f, slopes), reverse=True
        )
        dz.insert(0, part)
        after = here
    return dz, dkernel


def _at(want, x, have, batch):
    """At the positions `want`, `x (.., positions * batch)` of the positions `have`; else zeros."""
    if want == have:
        return x
    first, last = max(have.start, want.start), min(have.stop, want.stop)
    x = ops.reshape(x, (*x.shape[:-1], have.stop - have.start, batch))
    x = x[..., first - have.start : last - have.start, :]
    beside = [first - want.start, want.stop - last]
    x = ops.pad(x, [[0, 0]] * (len(x.shape) - 2) + [beside, [0, 0]])
    return ops.reshape(x, (*x.shape[:-2], (want.stop - want.start) * batch))


def _product(kernel, x):
    """`(directions, n, k)` times `(directions, k, m)`."""
    if kernel.shape[0] > 1:
        return ops.matmul(kernel, x)
    # Without XLA a batched product of one is several times slower than a plain one.
    return ops.expand_dims(ops.matmul(ops.squeeze(kernel, 0), ops.squeeze(x, 0)), 0)


def _gather(h, taps, here):
    """What each of the positions `here` reads: h features to `len(taps) * h`."""
    return ops.concatenate([_shift(h, -tap, here) for tap in taps], axis=-2)


def _scatter(dh, taps, here):
    """Transpose of `_gather`: every tap's gradient back to the position it was read from."""
    parts = ops.split(dh, len(taps), axis=-2)
    return sum(_shift(part, tap, here) for part, tap in zip(parts, taps, strict=True))


def _shift(x, positions, here):
    """`x` moved by some positions along its last axis, which holds `positions * batch`."""
    if positions == 0:
        return x
    # Of its own shape, which XLA knows inside a loop; not so a number that the loop is handed.
    size = ops.shape(x)[-1]
    count = abs(positions) * (size // (here.stop - here.start))
    if positions > 0:
        zeros, kept = ops.zeros_like(x[..., :count]), x[..., : size - count]
        return ops.concatenate([zeros, kept], axis=-1)
    return ops.concatenate([x[..., count:], ops.zeros_like(x[..., :count])], axis=-1)
