"""Medians of interleaved runs: on a shared machine only ratios within one run mean anything."""

import os
import platform
import resource
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf


def interleaved(functions, runs=9, warmup=1):
    """Median seconds of each of some functions, run in turns.

    Args:
        functions: `{name: function without arguments}`; each must wait for its own result.
        runs: timed runs of each.
        warmup: untimed runs before, the first of which compiles.

    Returns:
        `{name: median seconds}`, and `{name: seconds of the first warm-up}`.
    """
    first = {}
    for name, function in functions.items():
        start = time.perf_counter()
        function()
        first[name] = time.perf_counter() - start
    for _ in range(warmup - 1):
        for function in functions.values():
            function()
    seconds = {name: [] for name in functions}
    for _ in range(runs):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(times)) for name, times in seconds.items()}, first


def peak_memory_mib():
    """Largest resident memory of this process so far, MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # `getrusage` would count in the process that started this one
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def machine():
    """What figures were measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }
