"""What is said of inputs that mean something else than a model takes: the table of benchmarks/README.md.

python -m benchmarks.refused
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import keras_pixelrnn as kp


def cases():
    """`{what is passed: function that must refuse it}`: images of 4x5x1, 5 levels, 3 classes."""
    images = np.random.default_rng(0).integers(0, 5, (6, 4, 5, 1)).astype(np.uint8)
    labels = np.arange(6) % 3
    made = {"units": 4, "num_blocks": 1, "head_units": 6}
    head = kp.distributions.Categorical(5)
    plain = kp.models.PixelCNN((4, 5, 1), head, **made)
    labelled = kp.models.PixelCNN((4, 5, 1), head, num_classes=3, **made)
    plain.compile("adam")
    labelled.compile("adam")
    load = kp.data.load
    return {
        "`fit(images + 3)`": lambda: plain.fit(images + 3),
        "`fit(images.astype(int) + 256)`": lambda: plain.fit(images.astype(int) + 256),
        "`fit(images / 5)`": lambda: plain.fit(images / 5),
        "`predict(images / 5)`": lambda: plain.predict(images / 5),
        "`model(images / 5)`": lambda: plain(images / 5),
        "`fit(images[..., 0])`": lambda: plain.fit(images[..., 0]),
        "`fit(np.moveaxis(images, -1, 1))`": lambda: plain.fit(np.moveaxis(images, -1, 1)),
        "`fit([images, images])`": lambda: plain.fit([images, images]),
        "`fit(images, labels)`, no `num_classes`": lambda: plain.fit(images, labels),
        "`fit(images, images[::-1])`": lambda: plain.fit(images, images[::-1]),
        '`fit({"image": ..., "label": ...})`, no `num_classes`': lambda: plain.fit(
            {"image": images, "label": labels}
        ),
        "`fit(images)` with `num_classes=3`": lambda: labelled.fit(images),
        "`fit(images, labels + 1)`": lambda: labelled.fit(images, labels + 1),
        '`fit(images, ["ant", ...])`': lambda: labelled.fit(images, np.array(["ant"] * 6)),
        "`fit(images, np.ones((6, 3)))`": lambda: labelled.fit(images, np.ones((6, 3))),
        "`fit(images, class_weight={0: 2.0})`": lambda: plain.fit(images, class_weight={0: 2.0}),
        "`fit(images, sample_weight=np.ones(3))`": lambda: plain.fit(
            images, sample_weight=np.ones(3)
        ),
        "`load(codes, levels=64)`, codes 0 .. 63": lambda: load(
            np.zeros((50, 4, 5, 1), np.uint8), levels=64
        ),
        "`load(scans)` of uint16": lambda: load(np.zeros((50, 4, 5, 1), np.uint16)),
        "`load(images[..., 0])`": lambda: load(images[..., 0]),
        '`load("gs://bucket/images")`': lambda: load("gs://bucket/images"),
        '`load("no_such_file.npz")`': lambda: load("no_such_file.npz"),
    }


def rows():
    """Lines of the table."""
    for what, refused in cases().items():
        try:
            refused()
        except ValueError as error:
            said = str(error).splitlines()[0].replace("|", "\\|")
            yield f"| {what} | {said} |"
        else:
            raise AssertionError(f"{what} went through")


if __name__ == "__main__":
    print("| passed | said |\n|---|---|")
    print("\n".join(rows()))
