"""What public signatures say of their arguments; docstrings give shapes and meaning."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

# Of the backend, or symbolic: `tf.Tensor`, `jax.Array`, `keras.KerasTensor`. Keras has no type for it.
Tensor: TypeAlias = Any
# An array, or what becomes one: numbers, nested lists, tensors of a backend.
Array: TypeAlias = np.ndarray | Sequence[Any] | Any
Number: TypeAlias = float | Array  # one for all images, or one for each
Seed: TypeAlias = int | Array
Shape: TypeAlias = Sequence[int]
Policy: TypeAlias = str | Any  # a name, or a `keras.DTypePolicy`
