"""`pixelrnn check`"""

import click

from keras_pixelrnn.cli import names


@click.command("check")
@click.argument("folder", type=names.Source(file_okay=False))
@click.option("--xla", is_flag=True, help="of a server that runs XLA, which a stock one does not")
def command(folder, xla):
    """Prove, without a server, that a stock TensorFlow Serving runs an export.

    FOLDER is that of a version (saved_models/digits/1), or of a model, whose newest version counts.
    Fails on operations that the server lacks or refuses (custom ones, Python, XLA), on paths of this
    machine, on a folder whose name is no number, and on requests that fail or differ from Python with
    XLA off. An export with a second set of signatures, for XLA, is servable where XLA runs alone: by
    --xla, which refuses others.
    """
    newest = names.newest(folder)
    if newest is None:
        raise click.UsageError(
            f"{folder} is no export: it holds neither saved_model.pb nor folders of versions."
        )
    folder = newest

    from keras_pixelrnn.serving import check, operations

    said = "Running every signature with XLA off takes about half a minute."
    if xla:
        said = "Compiling every signature with XLA, for each size of a batch, takes some minutes."
    problems = check.check(folder, xla=xla, tell=lambda: click.echo(said, err=True))
    if problems:
        raise click.ClickException("\n".join(problems))
    graph = check.read(folder)
    used = sorted(operations.used(graph.graph_def))
    click.echo(
        f"{folder}: servable{' where XLA runs' if xla else ''}\n"
        f"Written by TensorFlow {graph.meta_info_def.tensorflow_version}; "
        f"{len(used)} operations, all in a stock server:\n{', '.join(used)}"
    )
