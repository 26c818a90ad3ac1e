"""Pictures that commands read, and the size at which a model takes them.

Files are opened as `kp.data.load` opens them: what is damaged, or holds several pictures, is an error
that names the file.
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


def values_of(path, image_shape, levels):
    """A picture as `(height, width, channels)` values of a model."""
    from keras_pixelrnn import visualize

    with opened(path) as picture:
        values = visualize.to_values(picture, image_shape, levels, path)
        if picture.mode.startswith("I") and levels <= 256:
            _say_once(path, f"has 16 bits: read as 0 .. 65535, quantised to {levels} levels")
        if image_shape[2] == 1 and _is_colour(picture):
            _say_once(path, "is in colour: made grey, as the model's images are")
    return values


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
