"""`pixelrnn check`"""

from pathlib import Path

import click


@click.command("check")
@click.argument("version_folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def command(version_folder):
    """Prove, without a server, that a stock TensorFlow Serving runs the export in VERSION_FOLDER."""
    from keras_pixelrnn.serving import check

    problems = check.check(version_folder)
    if problems:
        raise click.ClickException("\n".join(problems))
    click.echo(f"{version_folder}: servable")
