"""Whether a map is swept by one kernel of a GPU."""

import os

from keras_pixelrnn.backend.compiling import name

SWITCH = "KERAS_PIXELRNN_FUSED_SWEEP"  # in the environment: 0 to do without the kernel


def fused_sweep(units, positions):
    """`gpu_sweep.gpu_sweep` where it can run and takes maps of this size; else None.

    It runs under JAX on one NVIDIA GPU; data that are spread over several devices go through the loop.

    Args:
        units: hidden features h.
        positions: of one step of the sweep.
    """
    if name() != "jax" or os.environ.get(SWITCH) == "0":
        return None
    import jax

    if jax.default_backend() != "gpu" or jax.device_count() > 1:
        return None
    if not jax.devices()[0].device_kind.startswith("NVIDIA"):
        return None
    try:
        from keras_pixelrnn.backend import gpu_sweep
    except ImportError:  # a release of JAX without Pallas for Triton
        return None
    return gpu_sweep.gpu_sweep if gpu_sweep.fits(units, positions) else None
