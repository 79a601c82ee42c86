"""What became of every row of a run, and what is said of all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any

from bulkdcm._version import __version__
from bulkdcm.printable import printable
from bulkdcm.report import notebook
from bulkdcm.report.table import table_of
from bulkdcm.report.tally import SIZES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd

    from bulkdcm.model import Problem
    from bulkdcm.report.rows import Rows


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
    """

    manifest: str
    started_at: datetime
    manifest_sha256: str = ""

    def facts(self, elapsed_s: float) -> dict[str, Any]:
        """Return what every summary begins with."""
        ended_at = self.started_at + timedelta(seconds=elapsed_s)
        return {
            "release": __version__,
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
    """

    asked: Asked
    rows: Rows
    warnings: tuple[Problem, ...]
    elapsed_s: float
    n_jobs: int
    notes: tuple[str, ...] = ()
    interrupted: int = 0
    partial: bool = False

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
            "warnings": [problem.text for problem in self.warnings],
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
        }
