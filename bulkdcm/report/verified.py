"""What `bulkdcm verify` found at an output folder after the run that a report is of."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm.printable import visible

if TYPE_CHECKING:
    from pathlib import Path

FILE = "verify.json"


class Kind(NamedTuple):
    """Findings of one kind: how many, what they are, and what to do."""

    rows: int
    meaning: str
    remedy: str


class Verified(NamedTuple):
    """A verification: of how many files how many were proved, what was found, and whether it came to its end."""

    files: int
    proved: int
    complete: bool
    ended_at: datetime
    kinds: list[Kind]


def verified(folder: Path, run_started_at: datetime) -> Verified | None:
    """Return what was found of the run that began at a time; None if it was not verified."""
    try:
        facts = json.loads((folder / FILE).read_bytes())
        ended_at = datetime.fromisoformat(facts["ended_at"])
        if datetime.fromisoformat(facts["run_started_at"]) != run_started_at:
            return None
        kinds = [
            Kind(int(kind["count"]), visible(str(kind["meaning"])), visible(str(kind["remedy"])))
            for kind in facts["kinds"].values()
        ]
        return Verified(int(facts["files"]), int(facts["proved"]), bool(facts["complete"]), ended_at, kinds)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
