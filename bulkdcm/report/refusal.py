"""The summary of a run that was refused, or stopped by an error: yesterday's success must not be taken for today's."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from typing import TYPE_CHECKING

from bulkdcm.errors import BusyError, StorageError
from bulkdcm.printable import ERRORS, visible
from bulkdcm.report.writers import SUMMARY, WRITERS

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.errors import RunError
    from bulkdcm.report.report import Asked
    from bulkdcm.stores import Store

_COUNTS = ("rows", "converted", "failed", "pending", "converted_now", "failed_now", "failed_before")


def refused_since(asked: Asked, folder: Path) -> str:
    """Return why a run at an output folder was refused that began after another; empty if none was.

    Parameters
    ----------
    asked
        Of the other run, whose ledger is there.
    folder
        The output folder.
    """
    try:
        facts = json.loads((folder / SUMMARY).read_bytes())
        later = datetime.fromisoformat(facts["started_at"]) > asked.started_at
        return visible(str(facts["refused"])) if later else ""
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return ""


def write_refusal(error: RunError, asked: Asked, elapsed_s: float, folder: Path, outputs: Store) -> None:
    """Write the summary of a run that ended by an error into an output folder that has one.

    Parameters
    ----------
    error
        Why. If another run is there, its summary is that run's business.
    asked
        What the run was asked for.
    elapsed_s
        How long it took.
    folder, outputs
        The output folder.
    """
    path = folder / SUMMARY
    if isinstance(error, BusyError):
        return
    with contextlib.suppress(OSError, StorageError):
        if not (path.is_file() and not path.is_symlink() and WRITERS[SUMMARY].recognise(path)):
            return
        facts = {
            **asked.facts(elapsed_s),
            "exit_code": error.exit_code,
            "refused": visible(error.message),
            **dict.fromkeys(_COUNTS, 0),
            "elapsed_s": round(elapsed_s, 3),
        }
        with outputs.writing(SUMMARY) as file:
            file.write((json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode("utf-8", ERRORS))
