"""A scan that is lean without XLA, too."""

import math

from keras import tree

from keras_pixelrnn.backend.compiling import name, under_xla


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
