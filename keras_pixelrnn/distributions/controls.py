"""Sampling controls: what is drawn from instead of the model's own probabilities."""

from keras import ops


def controlled(log_pmf, temperature, top_k, top_p):
    """Log-probabilities under a temperature, cut to the most likely values.

    First `log_pmf / temperature`, normalised; then only the `top_k` most likely values; then, of what
    is left, the fewest most likely values that make up `top_p`. Of equally likely values the smaller
    comes first. Temperature 1, all values and `top_p` 1 change nothing.

    Args:
        log_pmf: `(batch, levels)`, normalised.
        temperature: `(batch,)`, positive.
        top_k: `(batch,)` numbers of values; at least one is kept.
        top_p: `(batch,)` probabilities; at least one value is kept.

    Returns:
        `(batch, levels)` float32, normalised; -inf for values cut off.

    Example:

    >>> one = keras.ops.ones((1,))
    >>> controlled(keras.ops.log([[0.6, 0.4]]), one, top_k=one, top_p=one).numpy().round(4)
    array([[  0., -inf]], dtype=float32)
    """
    # From the most likely value down: divided by next to nothing, the others may become -inf, it not.
    log_pmf = log_pmf - ops.max(log_pmf, axis=-1, keepdims=True)
    log_pmf = ops.log_softmax(log_pmf / temperature[:, None], axis=-1)
    # Sorting twice gives every value's place in the order of likelihood, from 0.
    order = ops.argsort(-log_pmf, axis=-1)
    places = ops.argsort(order, axis=-1)
    place = ops.cast(places, "float32")
    kept = ops.logical_or(place < top_k[:, None], place < 1.0)
    cut = ops.log_softmax(ops.where(kept, log_pmf, -1e30), axis=-1)
    ranked = ops.take_along_axis(ops.exp(cut), order, axis=-1)
    more_likely = ops.take_along_axis(ops.cumsum(ranked, axis=-1) - ranked, places, axis=-1)
    # At 1 nothing may go, though a sum of rounded numbers may reach it early.
    within = ops.logical_or(more_likely < top_p[:, None], top_p[:, None] >= 1.0)
    kept = ops.logical_and(kept, ops.logical_or(within, place < 1.0))
    log_pmf = ops.log_softmax(ops.where(kept, log_pmf, -1e30), axis=-1)
    return ops.where(kept, log_pmf, -float("inf"))
