"""Make the tables of the help pages from the code: `python -m tests.tables.make_help`."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import click

from bulkdcm import help as pages
from bulkdcm import mappings
from bulkdcm.cli import cli, options
from bulkdcm.cli.events import EVENTS
from bulkdcm.errors import EXIT_CODES
from bulkdcm.iods import table
from bulkdcm.proof import KINDS
from bulkdcm.report import COLUMNS
from bulkdcm.settings import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TABLE = re.compile(r"(<!-- table: (?P<name>[^>]*) -->\n).*?(<!-- /table -->\n)", re.DOTALL)
_TOPICS = re.compile(r"(<!-- topics -->\n).*?(<!-- /topics -->\n)", re.DOTALL)


def made(name: str) -> str:
    """Return a table by its name."""
    kind, _, rest = name.partition(" ")
    if kind == "options":
        command, _, group = rest.partition(" ")
        return _options(command, group)
    return {
        "columns": _columns,
        "classes": table.markdown,
        "exit": _exit_codes,
        "events": _events,
        "mappings": _mappings,
        "findings": _findings,
        "byhand": _by_hand,
    }[kind]()


def page(topic: str) -> str:
    """Return a page with its tables as the code has them."""
    text = pages.path_of(topic).read_text(encoding="utf-8")
    text = _TABLE.sub(lambda match: match[1] + made(match["name"]) + match[3], text)
    topics = "".join(f"- `bulkdcm help {name}`: {pages.title(name)}\n" for name in pages.TOPICS if name != topic)
    return _TOPICS.sub(lambda match: match[1] + topics + match[2], text)


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _findings() -> str:
    rows = [(f"`{name}`", kind.meaning, kind.remedy) for name, kind in KINDS.items()]
    return _rows(("kind", "what", "remedy"), rows)


def _options(command: str, group: str) -> str:
    wanted = _names(group) if group else None
    rows = []
    for option in cli.commands[command].params:
        if isinstance(option, click.Option) and (wanted is None or option.name in wanted):
            names = ", ".join(f"`{name}`" for name in sorted([*option.opts, *option.secondary_opts], key=len))
            default = option.default if option.show_default else None
            shown = f" Default: `{default}`." if default not in {None, "", False} else ""
            rows.append((names, f"{option.help or ''}{shown}"))
    return _rows(("option", ""), rows)


def _by_hand() -> str:
    """Return the options that no settings file may hold, and which of them a run keeps."""
    rows = []
    for name, option in options.CONVERT.items():
        if why := options.by_hand(option):
            rows.append((f"`{option.opts[-1]}`", why, "yes" if name in KEPT else "no"))
    return _rows(("option", "why it is given by hand", "kept by a run"), rows)


def _names(group: str) -> set[str]:
    def command() -> None:
        pass

    for option in options.GROUPS[group]:
        option(command)
    return {parameter.name for parameter in command.__click_params__}


def _columns() -> str:
    return _rows(("column", ""), [(f"`{column.name}`", column.description) for column in COLUMNS])


def _exit_codes() -> str:
    return _rows(("exit code", ""), [(str(code), meaning) for code, meaning in EXIT_CODES.items()])


def _events() -> str:
    rows = []
    for name, kind in EVENTS.items():
        more = ", and what `summary.json` has" if name == "end" else ""
        asked = f" ({', '.join(kind.identifying)})" if kind.identifying else ""
        rows.append((f"`{name}`", kind.meaning, f"{', '.join(kind.keys)}{more}{asked}"))
    return _rows(("event", "when", "what it holds (with `--identifiers`)"), rows)


def _mappings() -> str:
    rows = []
    for name in mappings.names():
        path = mappings.find(name)
        assert path
        rows.append((f"`{name}`", tomllib.loads(path.read_text(encoding="utf-8"))["title"]))
    return _rows(("name", "of"), rows)


def main() -> None:
    """Put the tables into all pages."""
    for topic in pages.TOPICS:
        pages.path_of(topic).write_text(page(topic), encoding="utf-8")


if __name__ == "__main__":
    main()
