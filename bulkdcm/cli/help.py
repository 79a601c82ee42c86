"""``bulkdcm help``: the pages that travel with the program."""

from __future__ import annotations

import difflib
import sys

import click

from bulkdcm import help as pages
from bulkdcm.cli.options import examples
from bulkdcm.cli.output import say
from bulkdcm.errors import SettingsError


@click.command("help", epilog=examples("help", "help mappings"))
@click.argument("topic", required=False, default="")
def help_page(topic: str) -> int:
    """Show the page on TOPIC, or the list of topics; nothing is fetched."""
    if not topic:
        for name in pages.TOPICS:
            say(f"{name:<10}{pages.title(name)}")
        say("")
        say("`bulkdcm help TOPIC` shows one, `bulkdcm COMMAND --help` the options of a command.")
        return 0
    if topic not in pages.TOPICS:
        close = difflib.get_close_matches(topic, pages.TOPICS, n=1)
        meant = f"Did you mean {close[0]}?" if close else f"There are {', '.join(pages.TOPICS)}."
        msg = f"no page is called {topic!r}. {meant}"
        raise SettingsError(msg)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(pages.page(topic)))
    else:
        click.echo(pages.page(topic), nl=False)
    return 0
