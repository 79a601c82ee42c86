"""``bulkdcm check``: the preflight alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.options import manifest_options, reading_options
from bulkdcm.cli.output import say
from bulkdcm.cli.problems import counted, show
from bulkdcm.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN = 2


@click.command()
@manifest_options
@click.option("--read", is_flag=True, help="Read every image, too: what is damaged, and what its SOP class can't be.")
@reading_options
def check(manifest: Path, *, read: bool, **options: Any) -> int:
    """Check MANIFEST whole, without writing a file and, unless asked, without reading an image; show rows of a mapped one."""
    from bulkdcm.conversion import api

    problems = api.check(manifest, read=read, **options)
    show(problems)
    if options["mapping"]:
        for row in api.first_rows(manifest, _SHOWN, **options):
            say(f"line {row.line}: {row.source} → {row.output}")
            for keyword, cell in row.attributes.items():
                say(f"    {keyword}  {cell}")
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    say(f"{manifest}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
    return ManifestError.exit_code if errors else 0
