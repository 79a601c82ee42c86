"""``bulkdcm check``: the preflight alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.events import Events, to_standard_output
from bulkdcm.cli.options import checking_options, examples, manifest_options, reading_options
from bulkdcm.cli.output import say
from bulkdcm.cli.problems import show
from bulkdcm.cli.taking import TakingCommand
from bulkdcm.errors import ManifestError
from bulkdcm.printable import counted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bulkdcm.model import ManifestRow

_SHOWN = 2


@click.command(
    cls=TakingCommand,
    epilog=examples(
        "check manifest.csv", "check metadata.csv --mapping mapping.toml --images png", "check manifest.csv --read"
    ),
)
@manifest_options
@click.option("--read", is_flag=True, help="Read every image, too: what is damaged, and what its SOP class can't be.")
@checking_options
@reading_options
def check(manifest: Path, *, read: bool, as_json: bool, identifiers: bool, **options: Any) -> int:
    """Check MANIFEST whole, without writing a file and, unless asked, without reading an image; show rows of a mapped one."""
    from bulkdcm.conversion import api

    events = Events([to_standard_output] if as_json else [], identifiers=identifiers)
    with events.of("check", manifest):
        problems, rows = api.checked(manifest, _SHOWN if options["mapping"] else 0, read=read, **options)
        events.problems(problems)
        counts = {kind: sum(problem.severity == kind for problem in problems) for kind in ("error", "warning", "note")}
        code = ManifestError.exit_code if counts["error"] else 0
        events.tell("end", exit_code=code, **{f"{kind}s": count for kind, count in counts.items()})
    if not as_json:
        show(problems)
        _show_rows(rows)
        say(f"{manifest}: {counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}")
    return code


def _show_rows(rows: Iterable[ManifestRow]) -> None:
    for row in rows:
        say(f"line {row.line}: {row.source} → {row.output}")
        for keyword, cell in row.attributes.items():
            say(f"    {keyword}  {cell}")
