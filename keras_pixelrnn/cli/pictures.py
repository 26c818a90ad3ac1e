"""Pictures that commands read, and the size at which a model takes them."""

import click


def size_of(path):
    """`(height, width)` of a picture, upright."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).size[::-1]
    except UnidentifiedImageError:
        raise click.ClickException(f"{path} is no image that can be read.") from None


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
