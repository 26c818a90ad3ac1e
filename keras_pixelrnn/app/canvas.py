"""Between a model's image and the canvas that a person paints on.

The canvas is an enlarged picture with transparency: what is transparent is hidden, to be drawn by the
model. A stroke in the colour `HIDE` hides, any other makes known what it covers.
"""

import numpy as np
from PIL import Image

from keras_pixelrnn import visualize

HIDE = (255, 0, 255)
NEAR_HIDE = 64  # brushes blend their edges a little
SIDE = 336  # pixels of the canvas, about


def check_model(image_shape: tuple[int, int, int], levels: int) -> None:
    """`ValueError` for a model whose images nobody can paint."""
    if image_shape[-1] not in (1, 3) or levels > 256:
        raise ValueError(
            "The page paints grey and RGB images of at most 256 levels; use other models from Python. "
            f"Received: {image_shape[-1]} channels, levels={levels}"
        )


def scale(image_shape: tuple[int, int, int]) -> int:
    """Pixels of the canvas, along each side, that make one of the image."""
    return max(1, SIDE // max(image_shape[:2]))


def paint(image: np.ndarray, known: np.ndarray, levels: int) -> np.ndarray:
    """An image as the canvas shows it.

    Args:
        image: `(height, width, channels)` integers.
        known: `(height, width)` booleans.
        levels: number of values of a sub-pixel.

    Returns:
        `(height * s, width * s, 4)` uint8 RGBA with s = `scale`.
    """
    alpha = np.where(known, 255, 0).astype(np.uint8)[..., None]
    rgba = np.concatenate([visualize.to_rgb(image[None], levels)[0], alpha], axis=-1)
    factor = scale(image.shape)
    return rgba.repeat(factor, axis=0).repeat(factor, axis=1)


def read(
    background: np.ndarray | None,
    strokes: list[np.ndarray],
    image_shape: tuple[int, int, int],
    levels: int,
) -> tuple[np.ndarray, np.ndarray]:
    """What a person has painted: the way back from `paint`, exactly where there is no stroke.

    Args:
        background: RGBA uint8, or None; transparent where hidden.
        strokes: layers above it, RGBA uint8.
        image_shape, levels: of the model.

    Returns:
        image: `(height, width, channels)` uint8; a pixel is the mean of what is known under it.
        known: `(height, width)` booleans: is half of the canvas under the pixel known, or more?
    """
    height, width, _ = image_shape
    factor = scale(image_shape)
    size = (width * factor, height * factor)
    rgb = np.zeros((size[1], size[0], 3), np.float32)
    given = np.zeros(rgb.shape[:2], bool)
    for index, layer in enumerate([background, *strokes]):
        if layer is None:
            continue
        layer = _fitted(layer, size)
        covered = layer[..., 3] >= 128
        distance = np.abs(layer[..., :3].astype(np.int64) - HIDE).max(axis=-1)
        hides = (distance <= NEAR_HIDE) & (index > 0)  # a photograph may hold any colour
        rgb = np.where(covered[..., None], layer[..., :3], rgb)
        given = np.where(covered, ~hides, given)
    blocks = (height, factor, width, factor)
    count = given.reshape(blocks).sum(axis=(1, 3))
    total = (rgb * given[..., None]).reshape(*blocks, 3).sum(axis=(1, 3))
    mean = np.round(total / np.maximum(count, 1)[..., None]).astype(np.uint8)
    known = 2 * count >= factor * factor
    return visualize.to_values(Image.fromarray(mean), image_shape, levels), known


def _fitted(layer, size):
    """RGBA of the canvas's size; a photograph larger than it is averaged, not sampled."""
    picture = Image.fromarray(np.asarray(layer, np.uint8)).convert("RGBA")
    if picture.size == size:
        return np.asarray(picture)
    larger = picture.size[0] >= size[0] and picture.size[1] >= size[1]
    return np.asarray(picture.resize(size, Image.Resampling.BOX if larger else Image.NEAREST))
