"""``bulkdcm classes``: the SOP classes that can be written."""

from __future__ import annotations

import click

from bulkdcm.cli.options import examples


@click.command(epilog=examples("classes", "classes --markdown"))
@click.option("--markdown", is_flag=True, help="As a Markdown table.")
def classes(*, markdown: bool) -> int:
    """List the SOP classes: name, pixels, Modality, and the columns each can't do without."""
    from rich.console import Console
    from rich.table import Table

    from bulkdcm.iods import table

    if markdown:
        click.echo(table.markdown(), nl=False)
        return 0
    shown = Table(*table.HEADS, box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for row in table.lines():
        shown.add_row(*row)
    Console(highlight=False).print(shown)
    return 0
