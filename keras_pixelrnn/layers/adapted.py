"""Layers of Keras whose adapters (LoRA) are in every file."""

from typing import Any

import keras
from keras import ops

from keras_pixelrnn.layers.strict import StrictLayer


class KeepsAdapters:
    """Mix-in before a layer of Keras with a kernel: what is saved is what it has.

    Keras would merge an adapter with the kernel for good, and leave an adapter of zeros, which no
    training moves any more.
    """

    merged = True  # whether a file may hold the kernel with the adapter merged, as Keras writes it

    def save_own_variables(self, store: Any) -> None:
        for index, variable in enumerate(self.own_variables()):
            store[str(index)] = variable

    def load_own_variables(self, store: Any) -> None:
        variables, found = self.own_variables(), len(store.keys())
        if self.lora_enabled and self.merged and found == len(variables) - 2:
            variables = variables[:found]
            self.lora_kernel_b.assign(self.lora_kernel_b * 0)
        elif found != len(variables):
            raise ValueError(
                f"The layer {self.name!r} has {len(variables)} variables, the file holds "
                f"{found} for it. Make the model with the settings, and the adapters, that "
                "it was saved with."
            )
        for index, variable in enumerate(variables):
            variable.assign(store[str(index)])

    def own_variables(self) -> list:
        """Everything in a file, in order; nothing before the layer is built."""
        if not self.built:
            return []
        own = [self._kernel, self.bias if self.use_bias else None, *self.further_variables()]
        if self.lora_enabled:
            own += [self.lora_kernel_a, self.lora_kernel_b]
        return [variable for variable in own if variable is not None]

    def kernel_in_float32(self) -> Any:
        """The kernel, with its adapter: the sum that Keras makes is of the dtype of the policy."""
        kernel = ops.cast(self._kernel, "float32")
        if self.lora_enabled:
            one, two = (ops.cast(x, "float32") for x in (self.lora_kernel_a, self.lora_kernel_b))
            kernel = kernel + (self.lora_alpha / self.lora_rank) * ops.matmul(one, two)
        return kernel

    def further_variables(self) -> list:
        """Those beside kernel, bias and adapter, or None for each."""
        return []


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Dense(KeepsAdapters, StrictLayer, keras.layers.Dense):
    """`keras.layers.Dense` that keeps its adapter.

    Example:

    >>> Dense(3)(keras.ops.ones((2, 5))).shape
    TensorShape([2, 3])
    """


@keras.saving.register_keras_serializable("keras_pixelrnn")
class Conv2D(KeepsAdapters, StrictLayer, keras.layers.Conv2D):
    """`keras.layers.Conv2D` that keeps its adapter.

    Example:

    >>> Conv2D(3, 1)(keras.ops.ones((2, 5, 6, 4))).shape
    TensorShape([2, 5, 6, 3])
    """
