"""What `keras.ops` has no word for: compiling a function, and a scan that is lean without XLA."""

import contextvars
import math
import os
from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import ops, tree

# Multiply-adds, times the parts to add up, up to which `product` needs no library. Measured on CPUs;
# with twice as many XLA begins to compute what it fuses again and again.
SMALL_PRODUCT = 10_000
_XLA = contextvars.ContextVar("xla", default=False)


def name():
    """Name of the Keras backend in use; `ValueError` for one this package does not run on."""
    backend = keras.config.backend()
    if backend not in ("tensorflow", "jax"):
        raise ValueError(
            "keras_pixelrnn runs on the TensorFlow and JAX backends of Keras. Set the "
            "environment variable KERAS_BACKEND to 'tensorflow' or 'jax' before importing keras. "
            f"Received: KERAS_BACKEND={backend!r}"
        )
    return backend


def cores():
    """How many loops it is worth to run at the same time: one per core of the processor that this
    process may use, and a single one on an accelerator, which works on the whole batch at once."""
    if name() == "tensorflow":
        import tensorflow as tf

        accelerated = any(d.device_type != "CPU" for d in tf.config.get_visible_devices())
    else:
        import jax

        accelerated = jax.default_backend() != "cpu"
    if accelerated:
        return 1
    usable = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    return len(usable(0))


def compiled(function, variables, xla=True):
    """`function` as a compiled function of tensors, traced once per input shape.

    Args:
        function: takes and returns nested tensors; may read `variables`, must not write them.
        variables: every Keras variable that `function` reads.
        xla: compile with XLA (always so on JAX).

    Returns:
        A callable that sees the values the variables have when it is called.
    """
    if name() == "tensorflow":
        import tensorflow as tf

        def traced(*args):
            token = _XLA.set(xla)
            try:
                return function(*args)
            finally:
                _XLA.reset(token)

        return tf.function(traced, jit_compile=xla, autograph=False)

    import jax

    def with_values(values, *args):
        # jax.jit would freeze variables that the function closes over; as arguments they stay live.
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*args)

    jitted = jax.jit(with_values)
    return lambda *args: jitted([variable.value for variable in variables], *args)


def under_xla():
    """Whether the function being traced by `compiled` is for XLA; a hint which of two ways to the same
    result is faster, never more."""
    return name() == "jax" or _XLA.get()


def side_by_side(parts):
    """Tensors as one, along the last axis; a single one as it is."""
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


def product(parts, kernel):
    """What lies side by side in some parts, `(batch, k)` in all, times `kernel (k, n)`.

    For the small products that a pixel takes dozens of. Under XLA on the CPU a call of the matrix
    library takes a microsecond whatever the size; written as sums of multiples, a small product is part
    of the loop that XLA makes of its surroundings.
    """
    batch, work = parts[0].shape[0], kernel.shape[0] * kernel.shape[1] * len(parts)
    if not under_xla() or batch is None or batch * work > SMALL_PRODUCT:
        return ops.matmul(side_by_side(parts), kernel)
    total, row = 0.0, 0
    for part in parts:  # a concatenation inside the loop would be a branch in its innermost part
        rows = kernel[row : row + part.shape[1]]
        total = total + ops.sum(part[:, :, None] * rows[None], axis=1)
        row += part.shape[1]
    return total


class FusedLSTM(NamedTuple):
    """An LSTM of single operations, float32.

    Attributes:
        step: `(x, h, c) -> (h, c)`, one step: `(batch, k)`, `(batch, h)` and `(batch, h)`.
        run: `(x, h, c) -> h`, all steps of `(length, batch, k)`: `(length, batch, h)`.
    """

    step: Callable
    run: Callable


def fused_lstm(kernel, bias):
    """A `FusedLSTM` where there is one: TensorFlow without XLA, which has to start every operation
    anew and takes as long for that as for the arithmetic of a small one; else None.

    Args:
        kernel: `(k + h, 4 h)` float32 by which `[x, h]` is multiplied, gates in the order o, f, i, g.
        bias: `(4 h,)` float32.
    """
    if under_xla():
        return None
    import tensorflow as tf

    o, f, i, g = range(4)
    units = bias.shape[0] // 4
    order = [gate * units + unit for gate in (i, g, f, o) for unit in range(units)]
    unused = tf.zeros((units,))
    weights = {"w": tf.gather(kernel, order, axis=1), "b": tf.gather(bias, order)}
    weights |= {"wci": unused, "wcf": unused, "wco": unused, "use_peephole": False}
    weights |= {"forget_bias": 0.0, "cell_clip": -1.0}

    def step(x, h, c):
        state = tf.raw_ops.LSTMBlockCell(x=x, h_prev=h, cs_prev=c, **weights)
        return state.h, state.cs

    def run(x, h, c):
        length = tf.shape(x, tf.int64)[0]
        return tf.raw_ops.BlockLSTM(seq_len_max=length, x=x, h_prev=h, cs_prev=c, **weights).h

    return FusedLSTM(step, run)


def scan(function, carry, inputs, reverse=False, unroll=1):
    """`jax.lax.scan` on both backends: `function(carry, x) -> (carry, y)` along the first axis.

    `keras.ops.scan` on TensorFlow moves the carry through a TensorArray at each step and needs
    outputs shaped like it. Here the carry is a loop variable and outputs are free.

    Args:
        function: one step. Every leaf of the carry keeps its shape and dtype.
        carry: nested tensors, the state before the first step.
        inputs: nested tensors `(length, ...)`, one slice per step.
        reverse: walk from the last slice to the first; outputs keep the order of `inputs`.
        unroll: steps that one turn of the loop may take, where that is faster: on TensorFlow without
            XLA, where a turn takes three operations for each tensor that the loop carries or only
            reads. For steps of many small operations, and no loops; not with `reverse`.

    Returns:
        The final carry, and the outputs stacked along a new first axis.
    """
    if name() == "jax":
        import jax

        return jax.lax.scan(function, carry, inputs, reverse=reverse)

    import tensorflow as tf

    carry = tree.map_structure(tf.convert_to_tensor, carry)
    # Traced once and stored once, however often it is called; the runtime puts it in place.
    function = tf.function(function, autograph=False)
    if unroll > 1 and not under_xla():
        return _scan_by_turns(function, carry, inputs, unroll)
    return _scan(function, carry, inputs, reverse)


def _scan(function, carry, inputs, reverse=False):
    """`scan` of a `tf.function`, in a loop of one step a turn."""
    import tensorflow as tf

    length = tree.flatten(inputs)[0].shape[0]
    one = tree.map_structure(lambda x: tf.TensorSpec(x.shape[1:], x.dtype), inputs)
    like = function.get_concrete_function(carry, one).structured_outputs[1]

    def array(x, shape):
        return tf.TensorArray(x.dtype, length, element_shape=shape)

    sources = [array(x, x.shape[1:]).unstack(x) for x in tree.flatten(inputs)]
    sinks = [array(y, y.shape) for y in tree.flatten(like)]

    def step(count, carry, sinks):
        index = length - 1 - count if reverse else count
        x = tree.pack_sequence_as(inputs, [source.read(index) for source in sources])
        carry, y = function(carry, x)
        sinks = [s.write(index, leaf) for s, leaf in zip(sinks, tree.flatten(y), strict=True)]
        return count + 1, carry, sinks

    _, carry, sinks = tf.while_loop(
        lambda count, *_: count < length,
        step,
        (0, carry, sinks),
        maximum_iterations=length,  # XLA sizes the stacks by it
    )
    return carry, tree.pack_sequence_as(like, [sink.stack() for sink in sinks])


def _scan_by_turns(function, carry, inputs, steps):
    """`scan` of a `tf.function`, in a loop of up to `steps` steps a turn, and then the steps left."""
    import tensorflow as tf

    def turn(carry, block):
        slices = [tf.unstack(x) for x in tree.flatten(block)]
        outputs = []
        for leaves in zip(*slices, strict=True):
            carry, y = function(carry, tree.pack_sequence_as(block, leaves))
            outputs.append(y)
        return carry, tree.map_structure(lambda *parts: tf.stack(parts), *outputs)

    length = tree.flatten(inputs)[0].shape[0]
    if length <= steps:
        return _in_one_thread(turn, carry, inputs)

    steps = length // math.ceil(length / steps)
    turns, left_over = divmod(length, steps)

    def reshaped(x, start, rest):
        return tf.reshape(x, [*start, *(-1 if size is None else size for size in rest)])

    def part(start, stop):
        return tree.map_structure(lambda x: x[start:stop], inputs)

    blocks = tree.map_structure(
        lambda x: reshaped(x, (turns, steps), x.shape[1:]), part(0, turns * steps)
    )
    one_turn = tf.function(lambda *args: _in_one_thread(turn, *args), autograph=False)
    carry, taken = _scan(one_turn, carry, blocks)
    taken = tree.map_structure(lambda y: reshaped(y, (turns * steps,), y.shape[2:]), taken)
    if not left_over:
        return carry, taken
    carry, last = _in_one_thread(turn, carry, part(turns * steps, length))
    return carry, tree.map_structure(lambda *parts: tf.concat(parts, axis=0), taken, last)


def _in_one_thread(function, *args):
    """`function(*args)` as a single operation of the graph, run by TensorFlow's single-threaded
    executor, which takes half as long as the usual one to start an operation.

    Of TensorFlow's graph optimiser it is given what puts inner functions in place and removes what is
    left of them. All else makes it no faster, and a server that loads the model would wait for it.
    """
    import tensorflow as tf

    concrete = tf.function(
        function, autograph=False, experimental_attributes={"_noinline": True}
    ).get_concrete_function(*tree.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), args))
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.optimizers.extend(["function", "pruning"])
    outputs = tf.raw_ops.PartitionedCall(
        args=[*tree.flatten(args), *concrete.captured_inputs],
        Tout=[output.dtype for output in concrete.outputs],
        f=concrete,
        config_proto=config.SerializeToString(),
        executor_type="SINGLE_THREADED_EXECUTOR",
    )
    for output, like in zip(outputs, concrete.outputs, strict=True):
        output.set_shape(like.shape)
    return tree.pack_sequence_as(concrete.structured_outputs, outputs)
