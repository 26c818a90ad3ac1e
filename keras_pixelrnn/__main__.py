"""`python -m keras_pixelrnn` is the command `pixelrnn`."""

from keras_pixelrnn.cli import run

if __name__ == "__main__":
    run()
