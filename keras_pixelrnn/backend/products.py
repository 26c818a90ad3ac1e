"""Products and sums so small that starting an operation takes longer than the arithmetic."""

from keras import ops

from keras_pixelrnn.backend.compiling import under_xla

# Multiply-adds, times the parts to add up, up to which `product` needs no library. Measured on CPUs;
# with twice as many XLA begins to compute what it fuses again and again.
SMALL_PRODUCT = 10_000


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


def total(parts):
    """The sum of tensors of one shape."""
    if under_xla():
        return sum(parts)
    import tensorflow as tf

    return tf.add_n(parts)  # a single operation
