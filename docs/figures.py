"""Draws the figures of `concepts.md` with the package's own functions: `python docs/figures.py`."""

import argparse
from pathlib import Path

import keras
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import keras_pixelrnn as kp
from keras_pixelrnn import geometry, masks, raster

SEEN, HERE, HIDDEN = "#3f51b5", "#ff9800", "#eceff1"
COLOURS = ("#e53935", "#43a047", "#1e88e5")  # of R, G and B


def main(folder):
    """Writes every figure into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for figure in (skewing, convolution_masks, directions, contexts, streaming):
        drawn = figure()
        drawn.savefig(folder / f"{figure.__name__}.png", dpi=110, bbox_inches="tight")
        plt.close(drawn)


def cells(axes, values, colours, title):
    """A grid of coloured squares with something written in each."""
    rows, columns = len(colours), len(colours[0])
    for row in range(rows):
        for column in range(columns):
            axes.add_patch(
                plt.Rectangle(
                    (column, row), 1, 1, facecolor=colours[row][column], edgecolor="white"
                )
            )
            axes.text(
                column + 0.5, row + 0.5, values[row][column], ha="center", va="center", size=9
            )
    axes.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal")
    axes.set_title(title, size=10)
    axes.axis("off")


def skewing():
    """A map of 4 x 5 pixels and what `geometry.skew` makes of it."""
    height, width = 4, 5
    numbers = np.arange(1, height * width + 1, dtype="float32").reshape(height, width)
    skewed = keras.ops.convert_to_numpy(geometry.skew(numbers)).astype(int)  # (diagonal, row)
    palette = plt.colormaps["viridis"](np.linspace(0.35, 1, width + height - 1))
    diagonal = np.add.outer(np.arange(height), np.arange(width))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8), width_ratios=(5, 8))
    cells(left, numbers.astype(int), palette[diagonal], "a map, pixels numbered in raster order")
    text = np.where(skewed.T > 0, skewed.T.astype(str), "")
    shown = np.where(skewed.T[..., None] > 0, palette[None], matplotlib.colors.to_rgba(HIDDEN))
    cells(right, text, shown, "skewed: every column is a diagonal, ready at the same time")
    return figure


def convolution_masks():
    """`masks.causal_mask` of a 5 x 5 kernel, and of its centre between the features of three colours."""
    figure, axes = plt.subplots(1, 4, figsize=(13, 3), gridspec_kw={"wspace": 0.45})
    one = np.zeros(1, int)
    colours = masks.color_of_features(3, colors=3)
    for place, kind in enumerate("AB"):
        mask = masks.causal_mask((5, 5), one, one, kind)[..., 0, 0]
        shown = np.where(mask[..., None] > 0, *map(matplotlib.colors.to_rgba, (SEEN, HIDDEN)))
        text = np.full((5, 5), "")
        text[2, 2] = "x"
        cells(axes[place], text, shown, f"type {kind}, one colour")
        centre = masks.causal_mask((5, 5), colours, colours, kind)[2, 2]  # (in, out)
        shown = [
            [COLOURS[source] if centre[source, target] else HIDDEN for source in range(3)]
            for target in range(3)
        ]
        cells(axes[2 + place], [["R", "G", "B"]] * 3, shown, f"type {kind}, at the centre x")
        for target, name in enumerate("RGB"):
            axes[2 + place].text(
                -0.2, target + 0.5, f"{name} sees", ha="right", va="center", size=9
            )
    return figure


def moved(function, shape, row, column, seed=0):
    """Which pixels of an input `(height, width)` move `function`'s output at one pixel when they change.

    Compared in the same slot of a batch, and over several inputs: a change may happen to have no effect.
    """
    height, width = shape
    generator = np.random.default_rng(seed)
    seen = np.zeros(height * width, bool)
    for _ in range(3):
        base = generator.integers(0, 2, (height, width, 1)).astype("uint8")
        same = np.repeat(base[None], height * width, axis=0)
        flipped = same.copy()
        flipped.reshape(height * width, -1)[np.diag_indices(height * width)] ^= 1
        before, after = (np.asarray(function(x))[:, row, column] for x in (same, flipped))
        seen |= (before != after).any(axis=-1)
    return seen.reshape(shape)


def show_context(axes, seen, row, column, title):
    shown = np.where(seen[..., None], *map(matplotlib.colors.to_rgba, (SEEN, HIDDEN)))
    shown[row, column] = matplotlib.colors.to_rgba(HERE)
    cells(axes, np.full(seen.shape, ""), shown, title)


def directions():
    """What each half of a `DiagonalBiLSTM` tells the pixel, and what both tell it together."""
    shape, (row, column) = (7, 9), (4, 4)
    layer = kp.layers.DiagonalBiLSTM(6)
    layer.build((None, *shape, 1))
    generator = np.random.default_rng(0)
    weights = [generator.normal(0, 0.7, w.shape).astype("float32") for w in layer.get_weights()]
    figure, axes = plt.subplots(1, 3, figsize=(10, 2.8))
    titles = ("from the left", "from the right, moved one row down", "their sum")
    for place, (silent, title) in enumerate(zip((1, 0, None), titles, strict=True)):
        layer.set_weights(weights)
        if silent is not None:  # without input a direction stays at zero
            half = layer.inputs_to_state[silent]
            half.set_weights([np.zeros_like(w) for w in half.get_weights()])
        seen = moved(lambda x: layer(x.astype("float32")), shape, row, column)
        show_context(axes[place], seen, row, column, title)
    return figure


def contexts():
    """What the models' prediction of one pixel depends on."""
    shape, (row, column) = (13, 15), (9, 7)
    given = ((*shape, 1), kp.distributions.Bernoulli())
    size = {"units": 6, "num_blocks": 2}
    models = {
        "Diagonal BiLSTM": kp.models.PixelRNN(*given, recurrence="diagonal", **size),
        "Row LSTM": kp.models.PixelRNN(*given, recurrence="row", **size),
        "PixelCNN": kp.models.PixelCNN(*given, kernel_size=3, **size),
        "Gated PixelCNN": kp.models.GatedPixelCNN(*given, kernel_size=3, **size),
    }
    figure, axes = plt.subplots(1, 4, figsize=(13, 3))
    generator = np.random.default_rng(0)
    for place, (title, model) in zip(axes, models.items(), strict=True):
        scale = [0.4 if w.ndim > 1 else 0.0 for w in model.get_weights()]
        new = [
            generator.normal(0, s, w.shape) + (s == 0) * w
            for s, w in zip(scale, model.get_weights(), strict=True)
        ]
        model.set_weights(new)
        show_context(place, moved(model, shape, row, column), row, column, title)
    return figure


def streaming():
    """An image half drawn, what the model says of the next pixel, and how far streaming strays."""
    model = kp.models.from_preset("digits")
    levels = model.distribution.levels
    image = model.sample(1, seed=4)
    height, width, _ = model.image_shape
    row, column = 4, 3
    order = np.arange(height * width).reshape(height, width)
    finished = order < row * width
    now = (order >= row * width) & (order < row * width + column)
    figure, axes = plt.subplots(1, 4, figsize=(15, 3), gridspec_kw={"wspace": 0.35})
    parts = np.where(finished[..., None], *map(matplotlib.colors.to_rgba, ("#9fa8da", HIDDEN)))
    parts[now] = matplotlib.colors.to_rgba("#80cbc4")
    parts[row, column] = matplotlib.colors.to_rgba(HERE)
    cells(axes[0], np.full(order.shape, ""), parts, "next_row: once a row; step: once a pixel")
    drawn = kp.visualize.to_rgb(image, levels)[0]
    axes[1].imshow(np.where((finished | now)[..., None], drawn, kp.visualize.UNKNOWN))
    axes[1].set_title("drawn so far", size=10)
    axes[1].axis("off")
    params = model.params(image)[:, row, column]
    pmf = np.exp(np.asarray(model.distribution.log_pmf(params, image[:, row, column], 0))[0])
    axes[2].bar(range(levels), pmf, color=HERE)
    axes[2].set_title("p(next pixel | drawn so far)", size=10)
    axes[2].set_xlabel("value", size=9)
    whole = keras.ops.convert_to_numpy(model.nats_graph(image))
    steps = keras.ops.convert_to_numpy(raster.score(model.network, model.distribution, image))
    axes[3].plot(whole.ravel(), steps.ravel(), "o", color=SEEN, markersize=4)
    low = whole.min() * 1.05
    axes[3].plot((low, 0), (low, 0), color="grey", linewidth=0.7)
    worst = np.abs(whole - steps).max()
    axes[3].set_title(f"nats of each pixel; largest difference {worst:.0e}", size=10)
    axes[3].set_xlabel("one pass over the whole image", size=9)
    axes[3].set_ylabel("pixel by pixel", size=9)
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "figures")
    main(parser.parse_args().out)
