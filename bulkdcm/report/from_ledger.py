"""A report of what a ledger knows now: at any time, also while a run is under way or after one was killed."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from bulkdcm.errors import LedgerError
from bulkdcm.ledger.files import FOLDER
from bulkdcm.ledger.lock import is_held
from bulkdcm.ledger.snapshot import snapshot
from bulkdcm.report.report import Asked, Report
from bulkdcm.report.rows import Rows, completed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.report.report import State


@contextlib.contextmanager
def recorded(folder: Path, elsewhere: Path | None = None, *, keep: bool = False) -> Iterator[tuple[Report, str]]:
    """Yield the report of an output folder and the folder of the images; its rows can be read within the block.

    Parameters
    ----------
    folder
        The output folder.
    elsewhere
        Where its ledger is; None for inside it.
    keep
        Whether the rows are kept to be read again.

    Raises
    ------
    LedgerError
        If there is no ledger, it can't be read, or an earlier release wrote it.
    """
    with snapshot(folder, elsewhere) as ledger:
        facts = ledger.run_facts()
        if "asked" not in facts or not ledger.fact("listing"):
            msg = (
                f"the ledger {ledger.path} doesn't say which rows the manifest has: an earlier release of bulkdcm wrote it, or the "
                "run has only begun. Run the same `bulkdcm convert` again; rows that are done stay as they are."
            )
            raise LedgerError(msg)
        rows = ledger.row_count()
        ran = ledger.ran(rows)
        blocks = completed(ledger.blocks(rows, bytes(rows)), ledger.listed(), facts.get("unchanged", ()))
        pace = tuple(ledger.pace())
        report = Report(
            asked=Asked.noted(facts["asked"]),
            rows=Rows(blocks, ran, keep=keep),
            warnings=(),
            told=tuple(facts.get("warnings", ())),
            notes=tuple(facts.get("notes", ())),
            elapsed_s=facts.get("elapsed_s", pace[-1][0] if pace else 0.0),
            n_jobs=facts.get("workers", 0),
            interrupted=facts.get("interrupted", 0),
            partial=facts.get("partial", False),
            state=_state(ledger, folder, ended="elapsed_s" in facts),
            pace=pace,
        )
        yield report, json.loads(ledger.fact("images") or '""')


def _state(ledger: Ledger, folder: Path, *, ended: bool) -> State:
    if ended or not ledger.left_unclean:
        return "ended"
    return "running" if is_held(folder / FOLDER) else "killed"
