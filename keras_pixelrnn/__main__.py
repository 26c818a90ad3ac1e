"""`python -m keras_pixelrnn` is the command `pixelrnn`."""

from keras_pixelrnn.cli import main

if __name__ == "__main__":
    main()
