"""A wavefront: at each step one pixel of many rows, every row some columns behind the one above.

Pixel by pixel an image takes `height * width` steps, each so small that its operations take longer to
start than to run. But a row need not wait for the whole row above: where the layers read that row up to
`reach` columns to the right, it can follow `reach + 1` columns behind. There are then several times
fewer steps, each of a batch as many times as large, and the images are the same.
"""

import math
from typing import NamedTuple

import numpy as np
from keras import ops, tree

from keras_pixelrnn import backend, geometry
from keras_pixelrnn.layers import wave as waves

# So many times fewer steps than pixels. Measured on CPUs: a step takes up to 1.75 times as long for one
# image, since what finished rows add is computed at every pixel. Under XLA, where operations cost little
# to start, no image was drawn faster.
LEAST_GAIN = 2.0


class Plan(NamedTuple):
    """How a wavefront goes through an image: see `geometry.in_slots`."""

    lag: int
    slots: int
    steps: int
    lead: int


def plan(network, height, width, context=None):
    """The `Plan` of a network for images of one size, or None where it cannot or should not run as a
    wavefront.

    Args:
        network: causal layer.
        height, width: ints.
        context: None, or as `network.stream` would get it.
    """
    reach = None if backend.under_xla() else network.reach(context)
    if reach is None:
        return None
    lead, lag = network.lead, reach + 1
    slots = math.ceil((width + reach) / lag)
    steps = lead + lag * (height - 1) + width
    return Plan(lag, slots, steps, lead) if height * width >= LEAST_GAIN * steps else None


def run(network, plan, pixel, maps, finish, context=None, turn=1):
    """The loop.

    Args:
        network: causal layer.
        plan: a `Plan`.
        pixel: `(stream, here, above, left) -> (values, params, left, record)`, one pixel of a batch of
            images once for each slot, slot by slot.
        maps: `(batch, height, width, channels)` each; `pixel` gets one pixel of each as `here`.
        finish: from `values` and `params (steps, batch, ..)` of some steps to nested outputs like them.
        context: None or `(batch, 1, 1, k)`.
        turn: most steps in a turn of the loop.

    Returns:
        The outputs, `(height, width, batch, ..)`.
    """
    first = next(iter(maps.values()))
    images = ops.shape(first)[0]
    height, width = first.shape[1:3]
    lag, slots, steps, lead = plan
    turns = math.ceil(steps / turn)
    turn = math.ceil(steps / turns)
    steps = turns * turn

    if context is not None:
        context = ops.tile(context, (slots, 1, 1, 1))
    batch, sizes = slots * images, [(slots - 1) * images, images]
    sizes = sizes if isinstance(images, int) else ops.stack(sizes)
    stream = network.stream(batch, height, width, context)
    front = waves.Front(lag, batch, sizes)
    wave = stream.wave(front)

    def by_turn(x):
        return ops.reshape(x, (turns, turn, -1, x.shape[-1]))

    def in_turns(x):
        x = ops.transpose(ops.cast(x, "float32"), (1, 2, 0, 3))
        return by_turn(geometry.in_slots(x, lag, slots, steps, lead))

    inside = _inside(plan, height, width, steps)[:, :, None, None]
    valid = [
        by_turn(ops.broadcast_to(inside[n : n + steps], (steps, slots, images, 1)))
        for n in range(lead + 1)
    ]

    def step(carry, x):
        left, memory, arrived = carry
        here, valid = x
        memory, above = wave.above(memory, arrived, valid)
        values, params, left, record = pixel(stream, here, above, left)
        left, record = waves.together(lambda x: x * valid[0], (left, record))
        arrived = waves.together(front.below, wave.send(memory, record))
        return (left, memory, arrived), (values, params)

    carry = (stream.state.left, wave.memory, wave.arrived)
    leaves = tree.flatten(
        carry
    )  # from turn to turn as one tensor: a loop takes operations for each
    sizes = [leaf.shape[-1] for leaf in leaves]

    def one_turn(together, x):
        leaves = backend.cut(together, sizes, axis=1)
        turn_carry = tree.pack_sequence_as(carry, leaves)
        turn_carry, (values, params) = backend.scan(step, turn_carry, x, unroll=turn)
        together = backend.side_by_side(tree.flatten(turn_carry))
        return together, finish(values, params)

    here = {key: in_turns(x) for key, x in maps.items()}
    _, outputs = backend.scan(one_turn, backend.side_by_side(leaves), (here, valid))

    def as_map(y):
        y = ops.reshape(y, (steps, slots, -1, y.shape[-1]))
        return geometry.from_slots(y, lag, height, width, lead)

    return tree.map_structure(as_map, outputs)


def _inside(plan, height, width, steps):
    """1 where a slot has a pixel and 0 elsewhere: `(steps + lead, slots)`."""
    lag, slots, _, lead = plan
    inside = np.zeros((steps + lead, slots), np.float32)
    for row in range(height):
        start = lead + lag * row
        inside[start : start + width, row % slots] = 1.0
    return inside
