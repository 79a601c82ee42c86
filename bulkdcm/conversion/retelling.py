"""A report written again of what a ledger says, without its run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bulkdcm import names, pictures
from bulkdcm.ledger.files import FOLDER
from bulkdcm.report import PAGE, SUMMARY, WRITERS, refuse_foreign, refused_since, verified, write
from bulkdcm.stores import Local

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.report import Report
    from bulkdcm.stores import Store


def retold(report: Report, folder: Path, images_root: str, *, identifiers: bool = False) -> Report:
    """Return a report that a ledger gave with all that its page needs.

    Parameters
    ----------
    report, images_root
        As `report.recorded` yields them.
    folder
        The output folder.
    identifiers
        Whether names, IDs, paths and messages as they are may be in the page.
    """
    sources = Local(root=images_root, option="--images") if images_root else None
    look = pictures.look(to_look_at(folder), sources, identifiers=identifiers)
    found = verified(folder, report.asked.started_at)
    return replace(report, look=look, refused=refused_since(report.asked, folder), verification=found)


def rewrite(report: Report, folder: Path) -> Path:
    """Write the files of a report that a ledger gave, and return the one to look at.

    While a run is under way only the page is written, beside the ledger: the run writes all files at its end, and what is known
    now must not come to lie over what is known then. The summary of a later run that was refused stays, since the ledger knows
    nothing of that one.

    Raises
    ------
    StorageError
        If a file of a report's name is none, or one can't be written.
    """
    running = report.state == "running"
    place = folder / FOLDER if running else folder
    refuse_foreign(place)
    names = {PAGE} if running else set(WRITERS) - ({SUMMARY} if report.refused else set())
    write(report, Local(root=str(place)), names)
    return place / PAGE


def to_look_at(folder: Path) -> Store:
    """Return an output folder to read from; people link its folders as they like."""
    return Local(root=names.real(folder), follow_links=True)
