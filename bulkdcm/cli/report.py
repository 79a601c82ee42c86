"""``bulkdcm report``: what a ledger knows, as files and on the terminal, at any time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.events import Events, to_standard_output, without_examples
from bulkdcm.cli.options import examples
from bulkdcm.cli.output import say
from bulkdcm.cli.paths import LOCAL_PATH

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.report import Report


@click.command(epilog=examples("report dicom", "report dicom --against old/dicom"))
@click.argument("out", type=LOCAL_PATH)
@click.option("--identifiers", is_flag=True, help="Let patients' names and IDs, paths and messages into report.html.")
@click.option(
    "--against",
    type=LOCAL_PATH,
    metavar="OLD",
    help="Another run's output folder or report: say which rows differ in status, bytes or reason.",
)
@click.option("--ledger", type=LOCAL_PATH, help="The run's memory. [OUT/.bulkdcm/ledger.sqlite]")
@click.option(
    "--json", "as_json", is_flag=True, help="Tell events as JSON lines on the standard output, and nothing else."
)
def report(out: Path, *, identifiers: bool, against: Path | None, ledger: Path | None, as_json: bool) -> int:
    """Report on the run at OUT: also while it is under way, and after one that was killed."""
    from rich.console import Console

    from bulkdcm.conversion import retelling
    from bulkdcm.report import differences, recorded, terminal
    from bulkdcm.report.changes import Changes
    from bulkdcm.report.read import read_report

    changes = Changes(read_report(against)) if against else None
    events = Events([to_standard_output] if as_json else [], identifiers=identifiers)
    with events.of("report", out):
        with recorded(out, ledger) as (told, images):
            found = retelling.retold(replace(told, changes=changes), out, images, identifiers=identifiers)
            written = retelling.rewrite(found, out)
        facts = _summary(found, identifiers=identifiers)
        events.tell("end", **facts | {"exit_code": 0, "run_exit_code": facts["exit_code"]})
    if as_json:
        return 0
    console = Console(highlight=False)
    for line in (*terminal.lines(found, str(written), console.width), *differences.lines(changes)):
        console.print(line, soft_wrap=not console.is_terminal)
    _say_state(found)
    return 0


def _summary(found: Report, *, identifiers: bool) -> dict[str, Any]:
    """Return the summary for programs; names and messages only if they are asked for."""
    facts = found.summary()
    if not identifiers:
        for name in ("warnings", "notes", "manifest"):
            del facts[name]
        facts["failures"] = without_examples(facts["failures"])
    return facts | ({"same": found.changes.same, "changes": dict(found.changes.counts)} if found.changes else {})


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
            "a run is under way and will write its own report when it ends. Until then only this page is written, beside the "
            "ledger; the other files of the report are left as they are.",
            err=True,
            prefix="note: ",
        )
    elif found.state == "killed":
        say("the run didn't come to its end. Run the same `bulkdcm convert` again to go on.", err=True, prefix="note: ")
