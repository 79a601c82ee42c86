"""``bulkdcm report``: what a ledger knows, as files and on the terminal, at any time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bulkdcm.cli.options import LOCAL_PATH
from bulkdcm.cli.output import say

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.report import Report


@click.command()
@click.argument("out", type=LOCAL_PATH)
@click.option("--identifiers", is_flag=True, help="Let patients' names and IDs, paths and messages into report.html.")
@click.option(
    "--against",
    type=LOCAL_PATH,
    metavar="OLD",
    help="Another run's output folder or report: say which rows differ in status, bytes or reason.",
)
@click.option("--ledger", type=LOCAL_PATH, help="The run's memory. [OUT/.bulkdcm/ledger.sqlite]")
def report(out: Path, *, identifiers: bool, against: Path | None, ledger: Path | None) -> int:
    """Report on the run at OUT: also while it is under way, and after one that was killed."""
    from rich.console import Console

    from bulkdcm.conversion import retelling
    from bulkdcm.report import differences, recorded, terminal
    from bulkdcm.report.changes import Changes
    from bulkdcm.report.read import read_report

    changes = Changes(read_report(against)) if against else None
    with recorded(out, ledger) as (told, images):
        found = retelling.retold(replace(told, changes=changes), out, images, identifiers=identifiers)
        written = retelling.rewrite(found, out)
    console = Console(highlight=False)
    for line in (*terminal.lines(found, str(written), console.width), *differences.lines(changes)):
        console.print(line, soft_wrap=not console.is_terminal)
    _say_state(found)
    return 0


def _say_state(found: Report) -> None:
    """Say what a report is worth of a run that isn't over, or that another has followed."""
    if found.refused:
        say(
            f"a later run was refused, and the summary beside the report stays that one's: {found.refused}",
            err=True,
            prefix="note: ",
        )
    if found.state == "running":
        say(
            "a run is under way, and writes its own report at its end: until then the page stands beside the ledger, and no "
            "other file of the report is touched.",
            err=True,
            prefix="note: ",
        )
    elif found.state == "killed":
        say("the run didn't come to its end. Run the same `bulkdcm convert` again to go on.", err=True, prefix="note: ")
