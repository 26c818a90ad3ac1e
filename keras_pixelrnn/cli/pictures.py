"""Pictures that commands read and write, and the size at which a model takes them.

Files are opened as `kp.data.load` opens them: what is damaged, or holds several pictures, is an error
that names the file. Their numbers mean what they meant in training, and those drawn do, too.
"""

import click

SUFFIXES = {".png", ".jpg", ".jpeg"}


def files_in(path):
    """The PNG and JPEG files below a folder, by name, or the file itself. Hidden and system files and
    folders are left out, as by `kp.data.load`."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    return seen(path, found) if found else []  # none: told before Keras is imported


def seen(folder, files):
    """Those of some files below a folder that are not hidden or a system's, nor in a folder that is."""
    from keras_pixelrnn.data.listing import counts

    return [file for file in files if all(map(counts, file.relative_to(folder).parts))]


def opened(path):
    """`with opened(path) as picture`: of Pillow, not yet decoded."""
    from keras_pixelrnn.data import opening

    return opening.opened(opening.bytes_of(path), path)


def size_of(path):
    """`(height, width)` of a picture, upright."""
    from keras_pixelrnn.data.reading import upright

    with opened(path) as picture:
        return upright(picture, path).size[::-1]


def meaning_of(name, model):
    """What the numbers of pictures mean to a model, as `Values`: codes are themselves, and those of a
    folder what its training was told. None: levels are spread over all that 8 or 16 bits hold."""
    from keras_pixelrnn.cli.evaluate import told
    from keras_pixelrnn.data.values import Values

    levels = model.distribution.levels
    if model.distribution.embedding_size is not None:
        return Values("codes", 0, levels - 1, levels)
    settings = told(name)
    if not settings.get("image_size"):  # which folders alone need
        return None
    if settings.get("values") in ("binary", "integers"):
        return Values(settings["values"], 0, levels - 1, levels)
    low, high = settings.get("value_range") or (0, 255)
    whole = low == int(low) >= 0 and high == int(high) <= 65535
    if not whole or (low, high) in ((0, 255), (0, 65535)) or high - low < levels - 1:
        return None
    return Values("intensities", int(low), int(high), levels)


def background_of(name):
    """`(r, g, b)` under transparent pixels in the training of a model on a folder, None without one."""
    from keras_pixelrnn.cli.evaluate import told
    from keras_pixelrnn.data.folder import checked_colour

    return checked_colour(told(name).get("transparent_on"))


def values_of(path, image_shape, levels, meaning=None, background=None):
    """A picture as `(height, width, channels)` values of a model; `meaning` of `meaning_of`,
    `background` of `background_of`."""
    from keras_pixelrnn import visualize

    with opened(path) as picture:
        if meaning is None:
            values = visualize.to_values(picture, image_shape, levels, path, background)
            if picture.mode.startswith("I") and _is_cut(picture, values, levels):
                _say_once(path, f"has 16 bits: read as 0 .. 65535, quantised to {levels} levels")
        else:
            values = _as_trained(picture, path, image_shape, meaning, background)
        if (meaning is None or not meaning.exact) and image_shape[2] == 1 and _is_colour(picture):
            _say_once(path, "is in colour: made grey, as the model's images are")
    return values


def _as_trained(picture, path, image_shape, meaning, background):
    """Values of a picture whose numbers have a meaning of their own."""
    from keras_pixelrnn import visualize
    from keras_pixelrnn.data.modes import depth
    from keras_pixelrnn.data.reading import Reader

    dtype = depth(picture)[0]
    reader = Reader(*image_shape, dtype, meaning.exact, background)
    pixels = visualize.pixels_of(reader, picture, image_shape, path)
    if dtype.itemsize == 1 and meaning.high > 255 and not meaning.exact:
        raise click.ClickException(
            f"The model was trained on pictures of {meaning.low} .. {meaning.high}, which have 16 bits; "
            f"in 8 bits the same numbers are dark. Received: {path} of {dtype}"
        )
    meaning.check(pixels, path)
    return meaning.quantise(pixels)


def picture_of(image, levels, meaning):
    """The picture of an image of a model; `values_of` is the way back."""
    import numpy as np
    from PIL import Image

    from keras_pixelrnn import visualize

    if meaning is None or (image.shape[-1] > 1 and meaning.high > 255):
        return visualize.to_picture(image, levels)
    numbers = meaning.numbers()[image[..., 0] if image.shape[-1] == 1 else image]
    if meaning.meaning == "binary" and image.shape[-1] == 1:
        return Image.fromarray(numbers > 0)  # one bit a pixel, which shows 1 as white
    return Image.fromarray(numbers.astype(np.uint8 if meaning.high <= 255 else np.uint16))


def hold(model):
    """Whether pictures hold the values of a model: Pillow writes grey alone in 16 bits."""
    return model.image_shape[-1] == 1 or model.distribution.levels <= 256


def _is_cut(picture, values, levels):
    """Whether a grey picture holds other numbers than are drawn for its values."""
    import numpy as np

    from keras_pixelrnn import visualize

    drawn = np.asarray(visualize.to_picture(values, levels)) if values.shape[-1] == 1 else None
    return levels <= 256 or drawn is None or not np.array_equal(drawn, np.asarray(picture))


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


def at_size(model, size, paths):
    """The model for images of a size, its own if that is None and no pictures say another.

    Args:
        model: a `PixelModel`.
        size: `(height, width)`, or None.
        paths: pictures that were asked for by name.
    """
    own = model.image_shape[:2]
    if size is None:
        found = sorted({size_of(path) for path in paths})
        if len(found) > 1:
            told = ", ".join(f"{height} {width}" for height, width in found[:5])
            raise click.UsageError(f"The pictures differ in size (height width): {told}.")
        size = found[0] if found else own
        if size != own:
            click.echo(
                f"the model was trained on images of {own[0]} x {own[1]} (height x width); these have "
                f"{size[0]} x {size[1]}, and are more of the same to it",
                err=True,
            )
    return model.at_size(size)
