"""``bulkdcm check``: the preflight alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.options import manifest_options
from bulkdcm.cli.output import say
from bulkdcm.cli.problems import counted, show
from bulkdcm.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN = 2


@click.command()
@manifest_options
def check(manifest: Path, **options: Any) -> int:
    """Check MANIFEST whole, without reading an image or writing a file; of a mapped one, show the first rows."""
    from bulkdcm.conversion import api

    problems = api.check(manifest, **options)
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
