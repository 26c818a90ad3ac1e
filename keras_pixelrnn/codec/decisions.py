"""A value as binary decisions, and their probabilities on a grid that every machine agrees on.

A value of `levels` is found from its highest bit down, a decision for each bit. What the network says
of a decision is one number, the logit of a 1. It is bent, so that the grid is fine where a decision is
open and coarse where it is nearly certain, and rounded to a cell of that grid; a cell has a
probability in whole 2^-20. The grid can be shifted by one of `SHIFTS` offsets.

Rounding costs about p (1 - p) step^2 / 24 nats a decision.
"""

import functools

import numpy as np

STEP = 0.25  # of the grid, nats, where a decision is open
BEND = 4.0  # logits from which on the steps grow
LIMIT = 16.0  # logits beyond which all decisions are equally certain
SHIFTS = 256
BITS = 20  # of a probability
CELLS = 2 + int(np.ceil(BEND * np.arctan(LIMIT / BEND) / STEP))  # on either side of zero
# A decorator: a block of which something is not finite is stored as it is, without warnings of NumPy.
not_finite = np.errstate(over="ignore", invalid="ignore")
FAINTEST = -600.0  # nats; what is below would become zero, and zero has no logarithm


def depth(levels):
    """Decisions of a value."""
    return (levels - 1).bit_length()


def masses(log_pmf):
    """Probabilities of all values, of the pairs, fours, ... of them, down to the two halves.

    Args:
        log_pmf: `(n, levels)` nats.

    Returns:
        List of float64 arrays `(n, 2)`, `(n, 4)`, ..., `(n, 2 ** depth)`.
    """
    log_pmf = np.asarray(log_pmf, np.float64)
    leaves = np.zeros((len(log_pmf), 1 << depth(log_pmf.shape[1])))
    leaves[:, : log_pmf.shape[1]] = np.exp(np.maximum(log_pmf, FAINTEST))
    found = [leaves]
    while found[0].shape[1] > 2:
        found.insert(0, found[0][:, 0::2] + found[0][:, 1::2])
    return found


def decision(found, index, levels, node):
    """Logits of one decision.

    Args:
        found: what `masses` returned.
        index: number of the decision, 0 for the highest bit.
        levels: number of values.
        node: `(n,)` ints, the bits before.

    Returns:
        `(n,)` logits, and whether there is anything to decide: `(n,)` booleans.
    """
    mass, rows = found[index], np.arange(len(node))
    open_ = ((2 * node + 1) << (depth(levels) - index - 1)) < levels
    ones = np.where(open_, mass[rows, 2 * node + 1], 1.0)
    return np.where(open_, np.log(ones) - np.log(mass[rows, 2 * node]), 0.0), open_


def path(log_pmf, values):
    """Logits, openness and bits of the decisions that lead to values, each `(n, depth)`."""
    levels, values = log_pmf.shape[1], np.asarray(values, np.int64)
    found, count = masses(log_pmf), depth(log_pmf.shape[1])
    nodes = [values >> (count - index) for index in range(count + 1)]
    parts = [decision(found, index, levels, nodes[index]) for index in range(count)]
    bits = [nodes[index + 1] & 1 for index in range(count)]
    logits, open_ = (np.stack(part, axis=1) for part in zip(*parts, strict=True))
    return logits, open_, np.stack(bits, axis=1).astype(np.int32)


def bent(logits):
    """Logits in steps of the grid."""
    return np.arctan(np.clip(logits, -LIMIT, LIMIT) / BEND) * (BEND / STEP)


def cells(places, shift, hinted=False):
    """Cells of bent logits on the grid shifted by `shift`. Where `hinted`, the place is next to a
    border, and the cell is the one above that border, on whichever side of it the place fell."""
    places = places - shift / SHIFTS
    return np.where(hinted, np.round(places), np.floor(places)).astype(np.int64)


def from_border(places, shift):
    """Distance of bent logits from the nearest border of the grid."""
    places = places - shift / SHIFTS
    return np.abs(places - np.round(places))


@functools.cache
def _table():
    """Whole numbers `(SHIFTS, 2 * CELLS)`: probability of a 1 in each cell, in 2^-20."""
    middle = np.arange(-CELLS, CELLS) + 0.5 + np.arange(SHIFTS)[:, None] / SHIFTS
    logits = np.clip(BEND * np.tan(middle * (STEP / BEND)), -LIMIT, LIMIT)
    return np.clip(np.rint(2.0**BITS / (1.0 + np.exp(-logits))), 1, 2**BITS - 1).astype(np.int64)


def probabilities(cell, shift):
    """Probability of a 1, a multiple of 2^-20 and so the same number everywhere, of cells."""
    return _table()[shift, np.clip(cell + CELLS, 0, 2 * CELLS - 1)] * 2.0**-BITS
