#!/usr/bin/env python
"""Train a model of images: `python train.py --help`. The same as `pixelrnn train`."""

import sys

from keras_pixelrnn.cli import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
