#!/usr/bin/env python
"""Train a model of images: `python train.py --help`. The same as `pixelrnn train`."""

import sys

if __name__ == "__main__":
    sys.argv[0] = "pixelrnn"  # by which the package knows that Keras can wait
    from keras_pixelrnn.cli import run

    sys.argv.insert(1, "train")
    run()
