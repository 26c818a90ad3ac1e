"""Any number of images in blocks of a few sizes: how large they are, and running them in order."""

import collections
import itertools
from concurrent import futures

import keras
import numpy as np

from keras_pixelrnn import backend, checks

# Multiply-adds a pixel, below which a loop is bound by starting its operations, not by their work.
WORK_OF_A_BLOCK = 250_000
# Images drawn at a time by one core, or by an accelerator: more take longer for each.
MOST_ON_A_CORE, MOST_ON_AN_ACCELERATOR = 64, 1024
# Numbers: the widest map of all images of a block in a forward pass, which keeps about ten of them;
# that of one row while drawing; and the sub-pixels of all images, of which drawing keeps a few maps.
MOST_IN_A_MAP, MOST_IN_A_ROW, MOST_DRAWN = 2**22, 2**25, 2**22


def power_of_two(number, up=True):
    """The next power of two, `number` itself if it is one; with `up=False` the one before."""
    exponent = (number - 1).bit_length() if up else number.bit_length() - 1
    return 1 << max(exponent, 0)


def drawing_size(model, n, batch_size=None):
    """Images of a block when `n` are drawn: `batch_size` if given, else a power of two."""
    if batch_size is not None:
        return checks.drawn(batch_size, model.image_shape, "batch_size")
    height, width, channels = model.image_shape
    most = MOST_ON_AN_ACCELERATOR if backend.accelerated() else MOST_ON_A_CORE
    most = min(
        most,
        MOST_IN_A_ROW // (width * _widest(model)),
        MOST_DRAWN // (height * width * channels),
    )
    work = n * model.count_params()  # each weight about once a pixel
    blocks = max(1, min(backend.cores(), n, work // WORK_OF_A_BLOCK))
    return min(power_of_two(max(most, 1), up=False), power_of_two(-(-n // blocks)))


def likelihood_size(model, n, batch_size=None):
    """The same where the likelihood of `n` images is wanted: a forward pass."""
    if batch_size is not None:
        return checks.drawn(batch_size, model.image_shape, "batch_size")
    height, width, _ = model.image_shape
    most = max(MOST_IN_A_MAP // (height * width * _widest(model)), 1)
    return min(power_of_two(most, up=False), power_of_two(max(n, 1)))


def particles_size(model, n, most, batch_size=None):
    """The same where `n` images, of which `most` fit, are completed by particles."""
    if batch_size is not None:
        return checks.drawn(batch_size, model.image_shape, "batch_size")
    return min(power_of_two(most, up=False), power_of_two(-(-max(n, 1) // backend.cores())))


def _widest(model):
    """Features of the widest map: the last axis of a weight are the features that it makes."""
    return max(variable.shape[-1] for variable in model.variables if len(variable.shape))


def rows_of(count, size):
    """Numbers of the images of each block, `(size,)`: the last is filled up with the last image, for
    one size, so one compilation. Without images there is one block of none."""
    if count == 0:
        return iter([np.arange(0)])
    return (np.minimum(np.arange(i, i + size), count - 1) for i in range(0, count, size))


def in_order(run, items, alone):
    """Results of `run` for each of the items, in order, one on each core at the same time.

    On a processor nothing runs in the caller's thread: that one waits, and answers Ctrl-C at once.
    What has begun by then ends in the background, and what has not never begins.

    Args:
        run: function of an item.
        items: iterator, read only as fast as results are taken.
        alone: number of first items that nothing runs beside: they compile.

    Yields:
        Results.
    """
    if backend.accelerated():
        yield from map(run, items)
        return
    cores = backend.cores()
    workers = futures.ThreadPoolExecutor(cores)
    running = collections.deque()
    try:
        for item in itertools.islice(items, alone):
            yield _result(workers.submit(run, item))
        # One more than there are cores, so that none waits for a result to be taken.
        running.extend(workers.submit(run, item) for item in itertools.islice(items, cores + 1))
        while running:
            result = _result(running.popleft())
            running.extend(workers.submit(run, item) for item in itertools.islice(items, 1))
            yield result
    finally:
        workers.shutdown(wait=False, cancel_futures=True)


def _result(future):
    """What a future becomes. Not every system wakes a thread that waits, so this one wakes by itself."""
    while not future.done():
        futures.wait([future], timeout=0.1)
    return future.result()


def gathered(blocks, count, shape, dtype, progress=None):
    """All images of some blocks as one array `(count, *shape)`.

    Args:
        blocks: iterator over arrays.
        count, shape, dtype: of the array.
        progress: None, True for a bar, or a function of the number of images done and of all.
    """
    told = reporter(progress, count)
    whole = np.empty((count, *shape), dtype)
    done = 0
    for block in blocks:
        whole[done : done + len(block)] = block
        done += len(block)
        told(done)
    return whole


def reporter(progress, count):
    """A function of the number of images done, of `count`: `progress` is None, True for a bar, or a
    function of both numbers."""
    if progress is True:
        return keras.utils.Progbar(count, unit_name="image").update
    if progress is None or progress is False:
        return lambda done: None
    if callable(progress):
        return lambda done: progress(done, count)
    raise ValueError(
        "`progress` must be True, for a bar, or a function of two numbers, the images done and "
        f"all of them. Received: progress={checks.shown(progress)}"
    )
