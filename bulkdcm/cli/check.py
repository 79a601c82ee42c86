"""``bulkdcm check``: the preflight alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.options import manifest_options, reading_options
from bulkdcm.cli.output import say
from bulkdcm.cli.problems import counted, show
from bulkdcm.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bulkdcm.model import Problem

_SHOWN = 2


@click.command()
@manifest_options
@click.option("--read", is_flag=True, help="Read every image, too: what is damaged, and what its SOP class can't be.")
@click.option("--json", "as_json", is_flag=True, help="All problems as JSON on the standard output, and nothing else.")
@reading_options
def check(manifest: Path, *, read: bool, as_json: bool, **options: Any) -> int:
    """Check MANIFEST whole, without writing a file and, unless asked, without reading an image; show rows of a mapped one."""
    from bulkdcm.conversion import api

    if as_json:
        return _as_json(lambda: api.check(manifest, read=read, **options), manifest)
    problems = api.check(manifest, read=read, **options)
    show(problems)
    if options["mapping"]:
        for row in api.first_rows(manifest, _SHOWN, **options):
            say(f"line {row.line}: {row.source} → {row.output}")
            for keyword, cell in row.attributes.items():
                say(f"    {keyword}  {cell}")
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = sum(problem.severity == "warning" for problem in problems)
    say(f"{manifest}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
    return ManifestError.exit_code if errors else 0


def _as_json(check: Callable[[], list[Problem]], manifest: Path) -> int:
    """Print what a check finds as one object: the counts, and each problem with all of its lines."""
    message = ""
    try:
        problems: Sequence[Problem] = check()
    except ManifestError as error:
        problems, message = error.problems, error.message
    single = [part for problem in problems for part in problem.parts or (problem,)]
    counts = {f"{kind}s": sum(one.severity == kind for one in problems) for kind in ("error", "warning", "note")}
    if message and not problems:
        counts["errors"] = 1
    records = [
        {
            "severity": one.severity,
            "lines": one.lines,
            "column": one.column,
            "value": one.value,
            "option": one.option,
            "rule": one.rule,
            "remedy": one.remedy,
        }
        for one in single
    ]
    click.echo(json.dumps({"manifest": str(manifest), **counts, "message": message, "problems": records}))
    return ManifestError.exit_code if counts["errors"] else 0
