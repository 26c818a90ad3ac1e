"""The one LSTM recurrence of this package, with its own gradient.

Row LSTM and Diagonal BiLSTM are the same sweep over vectors of positions: each new state reads the
vector before it at a few taps. Rows read (-1, 0, +1); skewed columns read (0, -1): the pixel to the
left and the one above. Independent directions, or blocks, ride along on an axis of their own.

Autodiff through such a loop stores every gate of every step and adds up the weight gradient inside
the loop. Here the forward loop stores h and c alone; the backward pass recomputes all gates by one
large product, loops over the gradient of the pre-activations only, and forms the weight gradient by
one large product after the loop.
"""

from keras import ops

from keras_pixelrnn import backend, geometry

GATES = 4  # o, f, i, g in this order: output, forget and input gate, then the new content


def split_gates(z):
    """Pre-activations `(..., 4 h)` to activated `o, f, i, g`, each `(..., h)`."""
    o, f, i, g = ops.split(z, GATES, axis=-1)
    return ops.sigmoid(o), ops.sigmoid(f), ops.sigmoid(i), ops.tanh(g)


def cell(z, c):
    """One LSTM cell: pre-activations `(..., 4 h)` and old cell `(..., h)` to new `h, c`."""
    o, f, i, g = split_gates(z)
    c = f * c + i * g
    return o * ops.tanh(c), c


def sweep(z, kernel, taps):
    """Hidden states of the LSTM that sweeps over `length` vectors of positions.

        a[t] = z[t] + sum over taps k of h[t-1] at position p + k, times kernel k
        o, f, i, g = split_gates(a[t]);  c[t] = f * c[t-1] + i * g;  h[t] = o * tanh(c[t])

    States before the first vector and beside the first and last position are zero.

    Args:
        z: `(length, directions, positions, batch, 4 h)` float32, the input-to-state term.
        kernel: `(directions, len(taps) * h, 4 h)` float32, the state-to-state weights.
        taps: static offsets of the positions read, in the order of the kernel's rows.

    Returns:
        `(length, directions, positions, batch, h)` float32.
    """

    @ops.custom_gradient
    def run(z, kernel):
        h, c = _forward(z, kernel, taps)

        def gradient(*args, upstream=None):
            (dh,) = args[-1:] if upstream is None else (upstream,)
            return _backward(z, kernel, taps, h, c, dh)

        return h, gradient

    return run(z, kernel)


def _forward(z, kernel, taps):
    zero = ops.zeros_like(z[0, ..., : z.shape[-1] // GATES])

    def step(carry, z):
        h, c = cell(z + _product(_gather(carry[0], taps), kernel), carry[1])
        return (h, c), (h, c)

    return backend.scan(step, (zero, zero), z, like=(zero, zero))[1]


def _backward(z, kernel, taps, h, c, dh):
    """Gradients of `z` and `kernel` from `dh`, the gradient of every hidden state."""
    length, directions, positions = z.shape[:3]
    previous = ops.pad(h[:-1], [[1, 0]] + [[0, 0]] * 4)
    seen = _gather(previous, taps, axis=2)
    o, f, i, g = split_gates(z + _product(seen, kernel))
    tanh_c = ops.tanh(c)
    previous_c = ops.pad(c[:-1], [[1, 0]] + [[0, 0]] * 4)
    # What multiplies dh or dc at each step, for all steps at once.
    slopes = (
        tanh_c * o * (1.0 - o),
        o * (1.0 - tanh_c * tanh_c),
        previous_c * f * (1.0 - f),
        g * i * (1.0 - i),
        i * (1.0 - g * g),
    )
    kernel_t = ops.swapaxes(kernel, 1, 2)

    def step(carry, x):
        dh, dc = carry  # what later steps ask of this step's h and c
        dh_here, forget, (slope_o, slope_c, slope_f, slope_i, slope_g) = x
        dh = dh + dh_here
        dc = dc + dh * slope_c
        dz = ops.concatenate([dh * slope_o, dc * slope_f, dc * slope_i, dc * slope_g], axis=-1)
        return (_scatter(_product(dz, kernel_t), taps), dc * forget), dz

    zero_c = ops.zeros_like(c[0])
    zero_z = ops.zeros_like(z[0])
    _, dz = backend.scan(step, (zero_c, zero_c), (dh, f, slopes), zero_z, reverse=True)
    by_direction = [
        ops.reshape(ops.swapaxes(x, 0, 1), (directions, -1, x.shape[-1])) for x in (seen, dz)
    ]
    return dz, ops.matmul(ops.swapaxes(by_direction[0], 1, 2), by_direction[1])


def _product(x, kernel):
    """`(..., directions, positions, batch, k)` times `(directions, k, n)`."""
    return ops.reshape(
        ops.matmul(_merge(x), kernel), (*ops.shape(x)[:-1], kernel.shape[-1])
    )


def _merge(x):
    """Positions and batch as one axis: a batched matmul then has one large matrix a direction."""
    *leading, positions, _, features = x.shape
    batch = ops.shape(x)[-2]
    return ops.reshape(x, (*leading, positions * batch, features))


def _gather(h, taps, axis=1):
    """What each position reads: `(..., h)` to `(..., len(taps) * h)`."""
    return ops.concatenate([geometry.shift(h, -tap, axis) for tap in taps], axis=-1)


def _scatter(dh, taps):
    """Transpose of `_gather`: every tap's gradient back to the position it was read from."""
    parts = ops.split(dh, len(taps), axis=-1)
    return sum(geometry.shift(part, tap, axis=1) for part, tap in zip(parts, taps, strict=True))
