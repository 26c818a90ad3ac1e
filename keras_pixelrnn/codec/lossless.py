"""Images as bytes and back, by a model's probabilities."""

import math
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn.codec import coder, container, decisions, guarded, noise, walk
from keras_pixelrnn.codec.container import Damaged, Header
from keras_pixelrnn.codec.fingerprint import fingerprint
from keras_pixelrnn.models import PixelModel
from keras_pixelrnn.models.blocks import reporter

PAYLOAD = 4096  # bytes of a block, about, before its few bytes of index and check sum weigh little


def compress(
    model: PixelModel,
    images: np.ndarray,
    *,
    context: np.ndarray | None = None,
    block_size: int | None = None,
    tolerance: float | None = None,
    verify: bool = False,
    batch_size: int = 64,
    progress: bool | Callable[[int, int], Any] | None = None,
) -> bytes:
    """Code images losslessly with as many bytes as the model has nats for them, and a little more.

    Args:
        model: a `PixelModel`.
        images: `(n, height, width, channels)` integers in `0 .. levels-1`.
        context: of a conditional model: one for all images, or one for each. It is not stored.
        block_size: images that share a stream, and are read together, of 2**26 sub-pixels at most; None
            for as many as make about 4 KiB.
        tolerance: how far, in parts of `1 + |parameter|`, what the network computes here and on the
            machine that reads may lie apart; more of it costs bytes. None for several times what two
            executions lie apart here: see `keras_pixelrnn.codec.noise`.
        verify: also decode every block by the streaming execution, with XLA and, fewer images at a
            time, without; a block that does not come back from both is stored as it is.
        batch_size: images that the network takes at a time; it has no influence on what can be read.
        progress: True for a bar, or a function of the number of images done and of all.

    Returns:
        What `decompress` takes.

    Raises:
        ValueError: images or context that do not fit the model, or another argument outside its range.
        ImportError: constriction is missing.

    Example:

    >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
    >>> images = np.random.default_rng(0).integers(0, 2, (5, 8, 8, 1))
    >>> data = compress(model, images)
    >>> bool((decompress(model, data, xla=False) == images).all())
    True
    """
    coder.constriction()
    checks.pixel_model("model", model)
    images = model.check_images(images)
    given = model.context.check(context, len(images))
    checks.optional(checks.positive_int, "block_size", block_size)
    checks.drawn(batch_size, model.image_shape, "batch_size")
    checks.switch("verify", verify)
    tolerance = checks.optional(checks.positive, "tolerance", tolerance)
    if tolerance is not None and tolerance >= 1:
        raise ValueError(
            f"`tolerance` must lie between 0 and 1, or be None. Received: tolerance={tolerance!r}"
        )
    told, coded, exact = reporter(progress, len(images)), [], noise.in_float32(model)
    for start in range(0, len(images), batch_size):
        coded += guarded.of_images(exact, images, given, start, batch_size, tolerance)
        told(len(coded))
    if block_size is None:
        nats = sum(guarded.nats(*part[:3]) for part in coded)
        wanted = PAYLOAD * 8 * np.log(2) / max(nats / max(1, len(coded)), 1e-3)
        block_size = int(2 ** np.clip(np.ceil(np.log2(wanted)), 0, 10))
    block_size = min(
        block_size, max(1, len(images)), container.MOST // math.prod(model.image_shape)
    )
    levels = model.distribution.levels
    header = Header(
        fingerprint(model), model.name, model.image_shape, levels, len(images), block_size, 0
    )
    if given:
        header = header._replace(context=container.context_crc(given[0]))
    blocks = []
    for start in range(0, len(images), block_size):
        here = slice(start, start + block_size)
        plain = images[here].astype(header.dtype)
        parts = [np.stack(part) for part in zip(*coded[here], strict=True)]
        finite = np.isfinite(parts[0]).all() and np.isfinite(parts[3]).all()
        block, as_it_is = coder.encode(*parts) if finite else None, coder.raw(plain)
        if block is None or len(as_it_is) < len(block):
            block = as_it_is
        blocks.append(container.crc_of(plain) + block)
    if verify:
        _verify(exact, header, blocks, images, given, batch_size)
    return container.write(header, blocks)


def decompress(
    model: PixelModel,
    data: bytes,
    *,
    indices: Iterable[int] | None = None,
    context: np.ndarray | None = None,
    batch_size: int = 256,
    xla: bool = True,
    progress: bool | Callable[[int, int], Any] | None = None,
) -> np.ndarray:
    """The images that `compress` coded, exactly, on whatever machine and backend.

    Args:
        model: the model that coded them: the same configuration and weights.
        data: what `compress` returned.
        indices: numbers of the images wanted; only their blocks are decoded. None for all.
        context: of a conditional model: what `compress` was given.
        batch_size: images that the network takes at a time; a block is never divided.
        xla: compile the network's steps with XLA; False is faster to begin with (TensorFlow).
        progress: True for a bar, or a function of the number of images done and of all.

    Returns:
        `(n, height, width, channels)` integers of the distribution's dtype.

    Raises:
        ValueError: the data was coded with another model or context, is damaged, or decodes to other
            images than were coded; nothing wrong is ever returned.
        IndexError: there is no image of a number.
        ImportError: constriction is missing.

    Example:

    >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
    >>> data = compress(model, np.zeros((5, 8, 8, 1), np.uint8), block_size=2)
    >>> decompress(model, data, indices=[3], xla=False).shape
    (1, 8, 8, 1)
    """
    coder.constriction()
    checks.pixel_model("model", model)
    checks.drawn(batch_size, model.image_shape, "batch_size")
    checks.switch("xla", xla)
    header, blocks = container.read(data)
    given = _check(model, header, context)
    wanted = _wanted(indices, header.count)
    all_ = isinstance(wanted, range)  # of which no array is made: a damaged header may tell of many
    needed = np.arange(len(blocks)) if all_ else np.unique(wanted // header.block_size)
    report = reporter(progress, len(wanted))
    told = lambda done: report(min(done, len(wanted)))  # noqa: E731
    exact = noise.in_float32(model)
    decoded, failed = _decode(exact, header, blocks, needed, given, batch_size, xla, told)
    if failed:  # noise beyond what the file allows for: it is another in another execution
        again, failed = _decode(exact, header, blocks, np.array(failed), given, 1, False)
        decoded |= again
    if failed:
        raise Damaged(
            f"Block {failed[0]} of {len(blocks)} decodes to other images than were coded, by its check "
            "sum. The file is whole: what the model computes on this machine differs by more than the "
            "file allows for. Decode on a CPU in float32, or code with a larger `tolerance`."
        )
    images = np.zeros((len(wanted), *header.image_shape), model.distribution.dtype)
    for place, index in enumerate(wanted):
        images[place] = decoded[index // header.block_size][index % header.block_size]
    return images


def header(data: bytes) -> Header:
    """What a file says of itself: model, sizes, images in it.

    Example:

    >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
    >>> header(compress(model, np.zeros((5, 8, 8, 1), np.uint8))).count
    5
    """
    return container.read(data)[0]


def write(path: str | os.PathLike, model: PixelModel, images: np.ndarray, **options: Any) -> int:
    """Write images to a file; `options` are those of `compress`. Returns its size in bytes.

    The file is written beside its place and moved there: it is whole, or not there.
    """
    path = checks.local("path", path)
    if path.is_dir() or not path.absolute().parent.is_dir():  # said before the work, not after it
        way_out = "Name a file in it" if path.is_dir() else "Make the folder"
        raise ValueError(
            f"`path` must be a file in a folder that is there. {way_out}. Received: path='{path}'"
        )
    data = compress(model, images, **options)
    checks.replace(path, lambda file: file.write(data))
    return len(data)


def read(path: str | os.PathLike, model: PixelModel, **options: Any) -> np.ndarray:
    """The images of a file that `write` wrote; `options` are those of `decompress`.

    Raises:
        ValueError: there is no such file, or what `decompress` refuses.
    """
    path = checks.local("path", path)
    if not path.exists() or path.is_dir():
        raise ValueError(
            f"`path` must be a file that `codec.write` wrote. There is none. Received: path='{path}'"
        )
    with container.in_file(path):
        return decompress(model, path.read_bytes(), **options)


def _wanted(indices, count):
    """Numbers of the images that are asked for: an array `(n,)`, or the range of all."""
    if indices is None:
        return range(count)
    listed = isinstance(indices, Iterable) and not isinstance(indices, (str, bytes))
    listed = (
        listed and getattr(indices, "ndim", 1) > 0
    )  # an array of no axis is called iterable, too
    found = list(indices) if listed else [None]
    if not all(checks.is_whole(index) for index in found):  # a mask would be read as 0 and 1
        raise ValueError(
            "`indices` must be numbers of images, such as [0, 5]. "
            f"Received: indices={checks.shown(indices)}"
        )
    if found and not 0 <= min(found) <= max(found) < count:
        held = f"images 0 to {count - 1}" if count else "no images"
        raise IndexError(f"The file holds {held}. Received: indices={checks.shown(indices)}")
    return np.array(found, np.int64)


def _check(model, header, context):
    """The context `(n, ...)` of all images, as a tuple, or `ValueError` where model or context is not
    that of the file."""
    own = fingerprint(model)
    if own != header.fingerprint:
        shape = f"{header.image_shape}, {header.levels} levels"
        raise ValueError(
            f"The file was written with another model, {header.name!r} (images of {shape}; fingerprint "
            f"{header.fingerprint.hex()}). Load that one: the same configuration and weights. "
            f"Received: {model.name!r} ({model.image_shape}, {model.distribution.levels} levels; "
            f"fingerprint {own.hex()})"
        )
    if (header.image_shape, header.levels) != (model.image_shape, model.distribution.levels):
        raise Damaged(f"The sizes are not those of the file's own model: it is damaged. {header}")
    given = model.context.check(context, header.count)
    if given and container.context_crc(given[0]) != header.context:
        raise ValueError(
            "The images were coded with another `context`. Pass the one that they were coded with."
        )
    return given


def _decode(model, header, blocks, needed, given, batch_size, xla, told=lambda done: None):
    """`{number: images}` of the blocks that are as they were coded, and the numbers of the others."""
    count = lambda index: min(header.block_size, header.count - index * header.block_size)  # noqa: E731
    decoded, failed, coded = {}, [], []
    for index in needed.tolist():
        shape = (count(index), *header.image_shape)
        plain = coder.raw_images(blocks[index][4:], shape, header)
        if plain is None:
            coded.append(index)
        else:
            decoded[index] = plain
    together = max(1, batch_size // header.block_size)
    rows = min(together, len(coded)) * min(header.block_size, header.count)
    decided = header.image_shape[0] * header.image_shape[1] * header.image_shape[2]
    decided *= decisions.depth(header.levels)
    for start in range(0, len(coded), together):
        part = coded[start : start + together]
        payloads, counts = [blocks[index][4:] for index in part], [count(index) for index in part]
        numbers = [index * header.block_size + np.arange(count(index)) for index in part]
        numbers = np.resize(np.concatenate(numbers), rows)
        decoder = coder.Decoder(payloads, counts, header.levels, decided, rows)
        images = walk.decide(model, rows, tuple(array[numbers] for array in given), decoder, xla)
        at = 0
        for index in part:
            decoded[index] = images[at : at + count(index)].astype(header.dtype)
            at += count(index)
        told(sum(map(len, decoded.values())))
    for index, found in decoded.items():
        if container.crc_of(found) != blocks[index][:4]:
            failed.append(index)
    return decoded, sorted(failed)


def _verify(model, header, blocks, images, given, batch_size):
    """Replaces blocks that do not decode here, by one of two executions, by those stored as they are."""
    for xla, size in ((True, batch_size), (False, batch_size // 2)):
        _, failed = _decode(model, header, blocks, np.arange(len(blocks)), given, size, xla)
        for index in failed:
            here = slice(index * header.block_size, (index + 1) * header.block_size)
            plain = images[here].astype(header.dtype)
            blocks[index] = container.crc_of(plain) + coder.raw(plain)
