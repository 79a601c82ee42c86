"""``bulkdcm mappings``: the mappings of public datasets that come with the package."""

from __future__ import annotations

import difflib
import textwrap
import tomllib
from typing import TYPE_CHECKING, Any

import click

from bulkdcm import mappings as shipped
from bulkdcm.cli.options import examples
from bulkdcm.cli.output import say
from bulkdcm.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WIDTH = 80
_HOW = (
    "`bulkdcm convert TABLE --mapping NAME --out dicom` uses one. `bulkdcm mappings NAME` prints it, with comments on the "
    "dataset's folders; to change it, print it into a file and give that to --mapping."
)


@click.command(epilog=examples("mappings", "mappings nih-chestxray14 > mapping.toml"))
@click.argument("name", required=False, default="")
@click.option("--schema", is_flag=True, help="Print the JSON schema of mappings, for editors.")
def mappings(name: str, *, schema: bool) -> int:
    """List the mappings of public datasets; with NAME, print the one that is called so."""
    if schema:
        click.echo(shipped.SCHEMA.read_text(encoding="utf-8"), nl=False)
        return 0
    if name:
        click.echo(_file(name).read_text(encoding="utf-8"), nl=False)
        return 0
    for each in shipped.names():
        for line in _entry(each, tomllib.loads(_file(each).read_text(encoding="utf-8"))):
            say(line)
        say("")
    for line in _wrapped(_HOW, indent=""):
        say(line)
    return 0


def _file(name: str) -> Path:
    path = shipped.find(name)
    if path is None:
        names = shipped.names()
        close = [each for each in names if name in each] or difflib.get_close_matches(name, names, n=1)
        meant = f"Did you mean {' or '.join(close)}?" if close else "`bulkdcm mappings` lists those that there are."
        msg = f"no mapping is called {name!r}. {meant}"
        raise SettingsError(msg)
    return path


def _entry(name: str, data: dict[str, Any]) -> Iterator[str]:
    """Yield the lines on one mapping: its name, what it is for, what it makes, which columns it doesn't use and why."""
    yield name
    yield from _wrapped(data["title"])
    yield from _wrapped(f"makes: {', '.join(data['columns'])}")
    reasons: dict[str, list[str]] = {}
    for column, reason in data.get("unused", {}).items():
        reasons.setdefault(reason, []).append(column or '""')
    for reason, columns in reasons.items():
        yield from _wrapped(f"not used: {', '.join(columns)} ({reason})")


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent * 3,
        break_long_words=False,
        break_on_hyphens=False,
    )
