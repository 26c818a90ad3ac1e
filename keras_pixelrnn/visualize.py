"""Pictures: grids of images, completions beside their originals, the generation film, nats maps."""

from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
from PIL import Image

from keras_pixelrnn import checks
from keras_pixelrnn._types import Array, Shape
from keras_pixelrnn.data.folder import checked_colour
from keras_pixelrnn.data.modes import depth
from keras_pixelrnn.data.reading import Reader
from keras_pixelrnn.data.values import Values
from keras_pixelrnn.distributions.base import MOST_LEVELS

MOST_PIXELS = 2**30  # of a picture, 3 GiB
LONGEST = 655_350  # milliseconds that a GIF can show a picture
UNKNOWN = np.array([90, 110, 160], np.uint8)  # a colour that no grey image has


def brightness(images: Array, levels: int) -> np.ndarray:
    """Values `0 .. levels-1` as 0 .. 255, both ends kept; `value * levels // 256` is the way back."""
    images, levels = _values(images, levels)
    if levels <= 256:
        shown = Values("intensities", 0, 255, levels).numbers()
    else:
        shown = np.round(np.arange(levels) * (255.0 / (levels - 1)))
    return shown.astype(np.uint8)[images]


def _values(images, levels):
    """`images` as int64 in `0 .. levels-1`, and `levels`, or `ValueError`."""
    levels = checks.whole("levels", levels, 2, MOST_LEVELS)
    images = checks.as_array("images", images)
    if images.dtype.kind == "f" or not images.ndim:
        raise ValueError(
            f"`images` must be an array of integers, 0 .. {levels - 1}. "
            f"Received: dtype {images.dtype}, shape {images.shape}"
        )
    low, high = (int(images.min()), int(images.max())) if images.size else (0, 0)
    if low < 0 or high >= levels:  # a negative one would be shown as a bright one
        raise ValueError(
            f"Values of `images` must lie in 0 .. {levels - 1}, as levels={levels} says. "
            f"Received: values from {low} to {high}"
        )
    return images.astype(np.int64), levels


def to_rgb(images: Array, levels: int) -> np.ndarray:
    """Images of `levels` values, 1 to 4 channels, as `(n, height, width, 3)` uint8 RGB."""
    images = checks.as_array("images", images)
    if images.ndim != 4 or not 1 <= images.shape[-1] <= 4:
        raise ValueError(
            "`images` must be (n, height, width, channels), of 1 to 4 channels. "
            f"Received: shape {images.shape}"
        )
    shown = brightness(images[..., :1] if images.shape[-1] == 2 else images[..., :3], levels)
    return np.broadcast_to(shown, (*shown.shape[:-1], 3))


def to_picture(image: np.ndarray, levels: int) -> Image.Image:
    """One image `(height, width, channels)` as a `PIL.Image.Image`: grey, colour, either with alpha.

    Of more than 256 levels a grey picture has 16 bits, and gives the values back; Pillow has no
    colour of 16 bits, so colour is shown with 8.
    """
    image, levels = _values(image, levels)
    if image.ndim != 3 or not 1 <= image.shape[-1] <= 4:
        raise ValueError(
            "`image` must be (height, width, channels), of 1 to 4 channels; of several pass one. "
            f"Received: shape {image.shape}"
        )
    if levels > 256 and image.shape[-1] == 1:
        numbers = Values("intensities", 0, 65535, levels).numbers().astype(np.uint16)
        return Image.fromarray(numbers[image[..., 0]])
    shown = brightness(image, levels)
    return Image.fromarray(shown[..., 0] if shown.shape[-1] == 1 else shown)


def pixels_of(reader: Reader, picture: Image.Image, image_shape: Shape, where: Any) -> np.ndarray:
    """What a reader finds in a picture, `ValueError` unless that has the size of a model's images."""
    pixels = reader.pixels(picture, where)
    height, width = image_shape[:2]
    if pixels.shape[:2] != (height, width):
        raise ValueError(
            f"The model takes images of {width} x {height} pixels (width x height). Resize {where} "
            f"first. Received: {pixels.shape[1]} x {pixels.shape[0]}"
        )
    return pixels


def to_values(
    picture: Image.Image,
    image_shape: Shape,
    levels: int,
    where: Any = "the picture",
    background: tuple[int, int, int] | None = None,
) -> np.ndarray:
    """A picture as an image of a model: the way back from `to_picture`, exactly.

    It is read as `kp.data.load` reads files: upright, deep where it is deep, nothing hidden shown.

    Args:
        picture: a `PIL.Image.Image`.
        image_shape: `(height, width, channels)` of the model; the picture must be of that size.
        levels: number of values of a sub-pixel: `value * levels // 256`, as in training, of a picture
            of 16 bits `value * levels // 65536`.
        where: what to call it in an error.
        background: `(r, g, b)` that transparent pixels are laid upon.

    Returns:
        `(height, width, channels)` array, uint8 up to 256 levels and uint16 beyond.

    Raises:
        ValueError: another size, more levels than the picture has, or pixels that are transparent where
            neither the model has a channel for that nor a `background` is given.
    """
    height, width, channels = checks.image_shape(image_shape)
    levels = checks.whole("levels", levels, 2, MOST_LEVELS)
    if not isinstance(picture, Image.Image):
        raise ValueError(f"`picture` must be a PIL.Image.Image. Received: {checks.shown(picture)}")
    background = checked_colour(background)
    reader = Reader(height, width, channels, depth(picture)[0], background=background)
    pixels = pixels_of(reader, picture, image_shape, where)
    steps = {"uint8": 256, "uint16": 65536}.get(str(pixels.dtype), 0)
    if levels > steps:
        raise ValueError(
            f"A model of {levels} levels takes pictures of 8 or, beyond 256 levels, 16 bits; give it "
            f"any others as values, from Python. Received: {where} of {pixels.dtype}"
        )
    return (pixels.astype(np.int64) * levels // steps).astype(
        "uint8" if levels <= 256 else "uint16"
    )


def grid(
    images: np.ndarray, columns: int | None = None, gap: int = 2, scale: int | None = None
) -> np.ndarray:
    """One picture of many, row by row.

    Args:
        images: `(n, height, width, 3)` uint8.
        columns: pictures in a row; about the square root of n if None.
        gap: pixels between them.
        scale: whole factor of enlargement; chosen to make about 80 pixels of each if None.

    Returns:
        `(height, width, 3)` uint8.
    """
    images = checks.as_array("images", images)
    fits = images.ndim == 4 and images.size and images.shape[-1] in (1, 3)
    if not fits or images.dtype != np.uint8:
        raise ValueError(
            "`images` must be (n, height, width, 3) uint8, one at least, as `to_rgb` returns. "
            f"Received: shape {images.shape}, dtype {images.dtype}"
        )
    checks.whole("gap", gap, 0, MOST_PIXELS)
    checks.optional(checks.positive_int, "columns", columns, MOST_PIXELS)
    checks.optional(checks.positive_int, "scale", scale, MOST_PIXELS)
    scale = scale or max(1, round(80 / max(images.shape[1:3])))
    high, wide = (side * scale + gap for side in images.shape[1:3])
    if high * wide * max(len(images), columns or 0) > MOST_PIXELS:
        raise ValueError(
            f"A picture holds {MOST_PIXELS} pixels at most: pass fewer images, `columns`, or a smaller "
            f"`scale` or `gap`. Received: {len(images)} of {high} x {wide}, columns={columns}"
        )
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width, _ = images.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    picture = np.full(
        (rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8
    )
    for index, image in enumerate(images):
        top = gap + (index // columns) * (height + gap)
        left = gap + (index % columns) * (width + gap)
        picture[top : top + height, left : left + width] = image
    return picture


def save_png(path: str | Path | BinaryIO, picture: np.ndarray | Image.Image) -> None:
    """Write `(height, width, 3)` uint8, or what `to_picture` returns, as a PNG file.

    It is whole or not there: `OSError` says that, and why, a path cannot be written.
    """
    if not isinstance(picture, Image.Image):
        picture = checks.as_array("picture", picture)
        fits = picture.ndim == 3 and picture.shape[-1] == 3 and picture.size
        if not fits or picture.dtype != np.uint8:
            raise ValueError(
                "`picture` must be (height, width, 3) uint8, as `grid` returns, or what `to_picture` "
                f"returns. Received: shape {picture.shape}, dtype {picture.dtype}"
            )
        picture = Image.fromarray(picture)
    _written(path, lambda file: picture.save(file, format="PNG"))


def _written(path, put):
    """`put(file)` of `path`, an open file or one that is made in one move."""
    if hasattr(path, "write"):
        put(path)
    else:
        checks.replace(checks.local("path", path), put)


def completions(
    model: keras.Model,
    images: Array,
    known: Array,
    *,
    seed: int,
    draws: int = 4,
    context: Array | None = None,
) -> np.ndarray:
    """Rows of: the original, what is given of it, and `draws` completions.

    Args:
        model: a `PixelModel`.
        images: `(n, height, width, channels)` uint8.
        known: boolean, as for `model.complete`.
        seed: int.
        draws: completions of each image.
        context: of a conditional model: one for each image.

    Returns:
        A picture `(height, width, 3)` uint8.
    """
    levels = checks.pixel_model("model", model).distribution.levels
    checks.positive_int("draws", draws)
    originals = to_rgb(model.check_images(images), levels)
    images, full = model.check_completion(images, known)
    given = np.where(full.all(axis=-1, keepdims=True), originals, UNKNOWN)
    drawn = model.complete(
        np.repeat(images, draws, axis=0),
        np.repeat(full, draws, axis=0),
        seed=seed,
        context=None if context is None else np.repeat(context, draws, axis=0),
    )
    drawn = to_rgb(drawn, levels).reshape(len(images), draws, *given.shape[1:])
    rows = np.concatenate([originals[:, None], given[:, None], drawn], axis=1)
    return grid(rows.reshape(-1, *given.shape[1:]), columns=draws + 2)


def save_film(
    path: str | Path | BinaryIO, images: Array, levels: int, frames: int = 64, seconds: float = 6.0
) -> None:
    """A GIF of images appearing in the order in which they are drawn, from the first pixel on.

    Args:
        path: file to write, whole or not at all.
        images: `(n, height, width, channels)` uint8, finished.
        levels: number of values of a sub-pixel.
        frames: number of pictures.
        seconds: length; the finished images then stay for two seconds.
    """
    frames = checks.whole("frames", frames, 1, 10_000)
    if not 1000 * checks.positive("seconds", seconds) / frames <= LONGEST:
        raise ValueError(
            f"`seconds` must be at most {LONGEST // 1000} for each of the {frames} frames of a GIF. "
            f"Received: seconds={seconds}"
        )
    rgb = to_rgb(images, levels)
    height, width = rgb.shape[1:3]
    order = np.arange(height * width).reshape(1, height, width, 1)
    pictures = []
    for count in np.linspace(0, height * width, frames).astype(int):
        pictures.append(Image.fromarray(grid(np.where(order < count, rgb, UNKNOWN))))
    durations = [int(1000 * seconds / frames)] * (frames - 1) + [2000]
    film = {"save_all": True, "append_images": pictures[1:], "duration": durations, "loop": 0}
    _written(path, lambda file: pictures[0].save(file, format="GIF", **film))


def nats_map(nats: Array, top: float | None = None) -> np.ndarray:
    """Nats per sub-pixel as grey pictures: black where 0, white at `top` and above.

    Args:
        nats: `(n, height, width, channels)`, log-probabilities of sub-pixels.
        top: nats of a pixel shown white; the largest finite one of all by default.

    Returns:
        `(n, height, width, 3)` uint8 for `grid`.

    Raises:
        ValueError: another shape, no image, values that are no numbers; a `top` that is not positive.
    """
    nats = checks.as_array("nats", nats).astype(np.float64)
    if nats.ndim != 4 or not nats.size or np.isnan(nats).any():
        raise ValueError(
            "`nats` must be (n, height, width, channels) numbers, one image at least, as "
            f"`model.nats_map` returns. Received: shape {nats.shape}, "
            f"{int(np.isnan(nats).sum())} of them nan"
        )
    cost = -nats.sum(axis=-1, keepdims=True)
    top = checks.optional(checks.positive, "top", top)
    if top is None:  # an impossible pixel is white whatever the rest
        top = max(cost[np.isfinite(cost)].max(initial=0.0), 1e-9)
    part = np.clip(cost / top, 0.0, 1.0)
    return np.broadcast_to(np.round(255.0 * part).astype(np.uint8), (*part.shape[:-1], 3))
