"""What became of every row of a run, and what is said of all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any, Literal

from bulkdcm._version import __version__
from bulkdcm.printable import printable
from bulkdcm.report import notebook
from bulkdcm.report.look import Look
from bulkdcm.report.table import table_of
from bulkdcm.report.tally import SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from bulkdcm.model import Problem
    from bulkdcm.report.changes import Changes
    from bulkdcm.report.rows import Rows
    from bulkdcm.report.verified import Verified

State = Literal["ended", "running", "killed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run was asked for, and when.

    Attributes
    ----------
    manifest
        Its path.
    manifest_sha256
        Of that file; empty if it is none, or couldn't be read.
    started_at
        In UTC.
    release
        Of the bulkdcm that ran.
    """

    manifest: str
    started_at: datetime
    manifest_sha256: str = ""
    release: str = __version__

    @classmethod
    def noted(cls, facts: Mapping[str, str]) -> Asked:
        """Return what `note` has made facts of."""
        return cls(**{**facts, "started_at": datetime.fromisoformat(facts["started_at"])})  # type: ignore[arg-type]  # texts

    @property
    def note(self) -> dict[str, str]:
        """All of it as texts, for the ledger."""
        return {
            "manifest": self.manifest,
            "started_at": self.started_at.isoformat(),
            "manifest_sha256": self.manifest_sha256,
            "release": self.release,
        }

    def facts(self, elapsed_s: float) -> dict[str, Any]:
        """Return what every summary begins with."""
        ended_at = self.started_at + timedelta(seconds=elapsed_s)
        return {
            "release": self.release,
            "started_at": self.started_at.isoformat(timespec="milliseconds"),
            "ended_at": ended_at.isoformat(timespec="milliseconds"),
            "manifest": printable(self.manifest),
            "manifest_sha256": self.manifest_sha256,
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of every row.

    Attributes
    ----------
    asked
        What the run was asked for.
    rows
        What became of each, in manifest order, and what is counted of all.
    warnings
        What the preflight said without stopping the run.
    notes
        What the user should know of the run: a slower ledger, outputs that no row has any more.
    elapsed_s
        Wall time of the run.
    n_jobs
        Workers.
    interrupted
        128 and the number of the signal that stopped the run before its end; else 0.
    partial
        Whether the run was to take only some of the rows.
    state
        ``ended``; ``running`` or ``killed`` of a run that the report doesn't come from.
    told
        Warnings of which only the text is known.
    pace
        When the run recorded rows, in seconds from its beginning, and how many it converted and failed.
    changes
        What another report says otherwise, if the two are compared.
    look
        How the page is to be made.
    refused
        Why a later run at the same place was refused, if one was.
    verification
        What `bulkdcm verify` has found since; None if it hasn't looked.
    """

    asked: Asked
    rows: Rows
    warnings: tuple[Problem, ...]
    elapsed_s: float
    n_jobs: int
    notes: tuple[str, ...] = ()
    interrupted: int = 0
    partial: bool = False
    state: State = "ended"
    told: tuple[str, ...] = ()
    pace: tuple[tuple[float, int, int], ...] = ()
    changes: Changes | None = None
    look: Look = field(default_factory=Look)
    refused: str = ""
    verification: Verified | None = None

    @cached_property
    def table(self) -> pd.DataFrame:
        """One line for each manifest row, in manifest order; columns as in `COLUMNS`. Made when it is first asked for."""
        return table_of(self.rows)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return notebook.html(self.summary())

    @property
    def ran(self) -> Sequence[int]:
        """Ordinals of the rows this run converted or failed; the others' outcome is from before."""
        return list(compress(range(len(self.rows)), self.rows.ran))

    def count(self, status: str) -> int:
        """Return the number of rows with a status."""
        return self.rows.tally.statuses[status]

    @property
    def exit_code(self) -> int:
        """0: every row (of a part of them: every one that ran) converted. 1: some are not. 130, 143: interrupted."""
        if self.interrupted:
            return self.interrupted
        tally = self.rows.tally
        wanted = tally.ran_statuses if self.partial else tally.statuses
        return 0 if wanted["converted"] == wanted.total() else 1

    @property
    def warning_texts(self) -> list[str]:
        """What the preflight said, each in a line."""
        return [*(problem.text for problem in self.warnings), *self.told]

    def facts(self) -> dict[str, Any]:
        """Return what the ledger keeps of the run, so that its report can be made again."""
        return {
            "asked": self.asked.note,
            "workers": self.n_jobs,
            "elapsed_s": self.elapsed_s,
            "interrupted": self.interrupted,
            "partial": self.partial,
            "warnings": self.warning_texts,
            "notes": list(self.notes),
        }

    def summary(self) -> dict[str, Any]:
        """Return counts and failures by reason of all rows, sizes, rates and stage shares of what this run did; for JSON."""
        tally = self.rows.tally
        converted_now = tally.ran_statuses["converted"]
        total = sum(tally.spent_s.values())
        elapsed_s = max(self.elapsed_s, 1e-9)
        read, written = (tally.sizes_bytes[name] for name in SIZES)
        failed_now = tally.ran_statuses["failed"]
        return {
            **self.asked.facts(self.elapsed_s),
            "exit_code": self.exit_code,
            "refused": "",
            "rows": len(self.rows),
            **{status: self.count(status) for status in ("converted", "failed", "pending")},
            "converted_now": converted_now,
            "failed_now": failed_now,
            "failed_before": self.count("failed") - failed_now,
            "earlier_outputs_kept": tally.earlier_kept,
            "notes": list(self.notes),
            "warnings": self.warning_texts,
            "failures": tally.failures,
            "elapsed_s": round(self.elapsed_s, 3),
            "workers": self.n_jobs,
            "images_per_s": round(converted_now / elapsed_s, 1),
            "source_mb_per_s": round(read / 1e6 / elapsed_s, 2),
            "output_mb_per_s": round(written / 1e6 / elapsed_s, 2),
            **tally.sizes_bytes,
            "stage_shares": {
                name.removesuffix("_s"): round(s / total, 4) if total else 0.0 for name, s in tally.spent_s.items()
            },
            "interrupted": bool(self.interrupted),
            "state": self.state,
        }
