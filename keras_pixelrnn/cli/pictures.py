"""Picture files that commands read, and the size at which a model takes them.

They are opened as `kp.data.load` opens them: what is damaged, or holds several pictures, is an error
that names the file.
"""

import click

from keras_pixelrnn.formats import FORMATS, SUFFIXES


def files_in(path):
    """The picture files below a folder, by name, or the file itself. Hidden and system files and
    folders are left out, as by `kp.data.load`, which reads the same formats."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    return seen(path, found) if found else []  # none: told before Keras is imported


def needed_in(*paths):
    """The `files_in` some paths; `UsageError` where there are none."""
    found = [file for path in paths for file in files_in(path)]
    if not found:
        raise click.UsageError(
            f"There are no pictures ({FORMATS}) in {', '.join(map(str, paths))}."
        )
    return found


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
