"""``bulkdcm doctor``: what is here, what is missing, and what brings it."""

from __future__ import annotations

from pathlib import Path

import click

from bulkdcm.cli.options import examples
from bulkdcm.cli.output import say
from bulkdcm.cli.paths import LOCAL_PATH

_COLORS = {"ok": "green", "missing": "yellow", "wrong": "red"}


@click.command(epilog=examples("doctor", "doctor --out dicom"))
@click.option("-o", "--out", type=LOCAL_PATH, default=".", show_default=True, help="Folder to write to.")
def doctor(*, out: Path) -> int:
    """Say what is on this machine: Python, packages, validators, cores, memory, disk, locks; and what brings what is missing."""
    from bulkdcm import surroundings

    folder = Path(out)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent  # an output folder is made by the first run
    wrong = 0
    for fact in surroundings.facts(folder):
        wrong += fact.state == "wrong"
        state = click.style(f"{fact.state:<8}", fg=_COLORS[fact.state])
        remedy = f". {fact.remedy}" if fact.remedy else ""
        say(f"{fact.what}: {fact.found}{remedy}", prefix=state)
    return 1 if wrong else 0
