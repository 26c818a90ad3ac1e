"""`pixelrnn models`"""

import json
from pathlib import Path

import click

from keras_pixelrnn import presets
from keras_pixelrnn.presets.card import architecture, card


@click.command("models")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="everything that is known of them, as JSON")
def command(name, as_json):
    """List the models that come along, with their figures; or tell all about one, by NAME.

    Architectures without weights, the papers' sizes, are `keras_pixelrnn.models.ARCHITECTURES`.
    """
    if name is not None:
        try:
            found = presets.facts(name)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        try:
            own = not presets.comes_along(name)
            click.echo(json.dumps(found, indent=2) if as_json else card(found, own=own), nl=as_json)
        except ValueError as error:
            raise click.ClickException(f"{Path(name) / presets.FACTS}: {error}") from error
        return
    found = [presets.facts(name) for name in presets.names()]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    rows = [("NAME", "IMAGES", "MODEL", "PARAMETERS", "TEST NATS", "BITS/DIM", "DATA")]
    for facts in found:
        test = facts["test"]
        rows.append(
            (
                facts["name"],
                "x".join(map(str, facts["image_shape"])),
                architecture(facts) + (" given label" if facts.get("num_classes") else ""),
                f"{facts['parameters']:,}",
                f"{test['nats']:.2f} ± {test['standard_error']:.2f}",
                f"{test['bits_per_dim']:.4f}",
                facts["dataset"]["name"],
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    click.echo("\nDraw: pixelrnn sample NAME. More about one: pixelrnn models NAME.")
