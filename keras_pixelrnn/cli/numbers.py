"""What the numbers of pictures mean to a model: what they meant in its training, read and written."""

from dataclasses import dataclass
from typing import Any

import click

from keras_pixelrnn.cli import trainings
from keras_pixelrnn.cli.pictures import opened


def of(name, model):
    """The `Numbers` of pictures to a model.

    Args:
        name: of the model, a folder of a training or preset, or a file.
        model: a `PixelModel`.
    """
    from keras_pixelrnn.data.values import Values

    levels, channels = model.distribution.levels, model.image_shape[-1]
    is_coded = model.distribution.embedding_size is not None
    stored, files, where = trainings.stored_numbers(name)
    if stored is not None and stored.levels != levels:
        raise ValueError(
            f"{where} is damaged: its numbers have {stored.levels} levels, the model has {levels}."
        )
    meaning = None
    if is_coded:
        meaning = Values("codes", 0, levels - 1, levels)
    elif stored is not None:
        meaning = _kept(stored, files is not None, levels)
    background = _background(files, where) if files else None
    return Numbers(levels, channels, meaning, stored, background)


def _kept(stored, from_files, levels):
    """The meaning that pictures have from training, None where their levels are spread over all that 8
    or 16 bits hold: that of image files, or of numbers that need 16 bits."""
    from keras_pixelrnn.data.values import Values

    low, high = stored.low, stored.high
    if low < 0 or (high == 1 and isinstance(high, float)):  # spins, floats of -1 .. 1 or 0 .. 1
        return None
    if stored.exact:
        return Values(stored.meaning, 0, levels - 1, levels) if from_files or high > 255 else None
    whole = low == int(low) and high == int(high) <= 65535
    if not whole or (low, high) in ((0, 255), (0, 65535)) or high - low < levels - 1:
        return None
    return Values("intensities", int(low), int(high), levels) if from_files or high > 255 else None


def _background(files, where):
    """`(r, g, b)` under transparent pixels in the training, None without one."""
    from keras_pixelrnn.data.folder import checked_colour

    try:
        return checked_colour(files.get("background"))
    except ValueError as error:
        raise ValueError(f"{where} is damaged. {error}") from error


@dataclass(frozen=True)
class Numbers:
    """How pictures hold the values of a model.

    Attributes:
        levels, channels: of the model.
        meaning: `Values` of the pictures' numbers; None: the levels are spread over all that 8 or 16
            bits hold.
        trained: `Values` of the numbers in training, None where they are not known.
        background: `(r, g, b)` under transparent pixels, or None to refuse them.
    """

    levels: int
    channels: int
    meaning: Any = None
    trained: Any = None
    background: Any = None

    def hold(self):
        """Whether pictures hold the model's values: Pillow writes grey alone in 16 bits."""
        return self.channels == 1 or self._most() <= 255

    def _most(self):
        return self.levels - 1 if self.meaning is None else self.meaning.high

    def needed(self, instead, exactly=True):
        """Where pictures do not hold the model's values, `click.UsageError`; or, of ordered ones, the
        word that they are shown with 8 bits.

        Args:
            instead: the way out, in words.
            exactly: whether showing them is not enough.
        """
        if self.hold():
            return
        is_coded = self.meaning is not None and self.meaning.meaning == "codes"
        told = f"Pictures of several channels hold {'codes' if is_coded else 'numbers'} up to 255"
        if exactly or is_coded:
            raise click.UsageError(f"{told}, those of this model go to {self._most()}: {instead}.")
        click.echo(f"{told}: shown with 8 bits; to have the values {instead}", err=True)

    def read(self, path, size):
        """A picture of `(height, width)` as `(height, width, channels)` values of the model."""
        from keras_pixelrnn import visualize

        shape = (*size, self.channels)
        with opened(path) as picture:
            if self.meaning is None:
                values = visualize.to_values(picture, shape, self.levels, path, self.background)
                self._say_how(picture, values, path)
            else:
                values = self._as_trained(picture, path, shape)
            exact = self.meaning is not None and self.meaning.exact
            if not exact and self.channels == 1 and _is_colour(picture):
                _say_once(path, "is in colour: made grey, as the model's images are")
        return values

    def _as_trained(self, picture, path, shape):
        """Values of a picture whose numbers have a meaning of their own."""
        from keras_pixelrnn import visualize
        from keras_pixelrnn.data.modes import depth
        from keras_pixelrnn.data.reading import Reader

        dtype, meaning = depth(picture)[0], self.meaning
        reader = Reader(*shape, dtype, meaning.exact, self.background)
        pixels = visualize.pixels_of(reader, picture, shape, path)
        if dtype.itemsize == 1 and meaning.high > 255 and not meaning.exact:
            raise click.ClickException(
                f"The model was trained on pictures of {meaning.low} .. {meaning.high}, which have 16 "
                f"bits; in 8 bits the same numbers are dark. Received: {path} of {dtype}"
            )
        if dtype.kind == "f" and not meaning.exact and isinstance(self.trained.high, int):
            raise click.ClickException(
                f"The model was trained on integers {meaning.low} .. {meaning.high}; floats are often "
                f"shares of such a range. Save the picture as integers. Received: {path} of {dtype}"
            )
        if dtype.itemsize == 1 and meaning.high > 255 and meaning.ordered:
            _say_once(
                path, f"has 8 bits: its numbers are taken as they are, of 0 .. {meaning.high}"
            )
        meaning.check(pixels, path)
        return meaning.quantise(pixels)

    def _say_how(self, picture, values, path):
        """Say how a picture is read that could have been meant in another way."""
        import numpy as np

        if picture.mode.startswith("I"):
            if self._is_cut(picture, values):
                said = f"has 16 bits: read as 0 .. 65535, quantised to {self.levels} levels"
                _say_once(path, said)
            return
        known = self.trained
        told = f"its values 0 .. {self.levels - 1}"
        high = self.levels - 1
        if known is not None and known.low >= 0:
            told, high = f"the {known.low} .. {known.high} of its training", known.high
        most = 0 if picture.palette else np.max(picture.getextrema())
        if 0 < most <= high < 255:
            _say_once(
                path,
                f"has no number above {high}: read as 0 .. 255, as all pictures of this model are, not "
                f"as {told}",
            )

    def _is_cut(self, picture, values):
        """Whether a grey picture holds other numbers than are drawn for its values."""
        import numpy as np
        from PIL import ImageOps

        from keras_pixelrnn import visualize

        if self.levels <= 256 or values.shape[-1] > 1:
            return True
        drawn = np.asarray(visualize.to_picture(values, self.levels))
        return not np.array_equal(drawn, np.asarray(ImageOps.exif_transpose(picture)))

    def drawn(self):
        """`Values` of the model's values as they are, 0 .. levels-1: those of its training where its
        numbers were these."""
        from keras_pixelrnn.data.values import Values

        most, own = self.levels - 1, self.trained
        if self.meaning is not None and self.meaning.meaning == "codes":
            return self.meaning
        if self.levels == 2:
            return Values("binary", 0, 1, 2, "static")
        if own and (own.low, own.high) == (0, most):
            return own
        return Values("integers", 0, most, self.levels)

    def picture(self, image):
        """The picture of an image of the model; `read` is the way back."""
        import numpy as np
        from PIL import Image

        from keras_pixelrnn import visualize

        if self.meaning is None or not self.hold():
            return visualize.to_picture(image, self.levels)
        numbers = self.meaning.numbers()[image[..., 0] if self.channels == 1 else image]
        if self.meaning.meaning == "binary" and self.channels == 1:
            return Image.fromarray(numbers > 0)  # one bit a pixel, which shows 1 as white
        return Image.fromarray(numbers.astype(np.uint8 if self.meaning.high <= 255 else np.uint16))


def mask(path, size):
    """A picture of `(height, width)` as booleans: white, 128 and more."""
    from keras_pixelrnn.data.values import Values

    shades = Values("intensities", 0, 255, 2)
    return Numbers(2, 1, trained=shades).read(path, size)[..., 0] == 1


def _is_colour(picture):
    """Whether red, green and blue differ anywhere."""
    bands = picture.convert("RGB").split() if len(picture.getbands()) > 2 or picture.palette else ()
    return any(band.tobytes() != bands[0].tobytes() for band in bands)


def _say_once(path, what):
    """Say on the standard error what is made of a picture; of others that it is made of not again."""
    said = click.get_current_context().meta.setdefault(__name__, set())
    if what not in said:
        said.add(what)
        click.echo(f"{path} {what} (others like it are not named)", err=True)
