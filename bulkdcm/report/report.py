"""What became of every row of a run, and what is said of all of them together."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bulkdcm.problem import cause
from bulkdcm.report.columns import STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from bulkdcm.model import Problem

_EXAMPLES, _CAUSES = 3, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of every row.

    Attributes
    ----------
    table
        One line for each manifest row, in manifest order; columns as in `COLUMNS`.
    warnings
        What the preflight said without stopping the run.
    notes
        What the user should know of the run: a slower ledger, outputs that no row has any more.
    ran
        Ordinals of the rows this run converted or failed; the others' outcome is from before.
    elapsed_s
        Wall time of the run.
    n_jobs
        Workers.
    interrupted
        128 and the number of the signal that stopped the run before its end; else 0.
    partial
        Whether the run was to take only some of the rows.
    """

    table: pd.DataFrame
    warnings: tuple[Problem, ...]
    elapsed_s: float
    n_jobs: int
    ran: Sequence[int]
    notes: tuple[str, ...] = ()
    interrupted: int = 0
    partial: bool = False

    def count(self, status: str) -> int:
        """Return the number of rows with a status."""
        return int((self.table["status"] == status).sum())

    @property
    def exit_code(self) -> int:
        """0: every row (of a part of them: every one that ran) converted. 1: some are not. 130, 143: interrupted."""
        if self.interrupted:
            return self.interrupted
        wanted = self.table.iloc[list(self.ran)] if self.partial else self.table
        return 0 if (wanted["status"] == "converted").all() else 1

    def summary(self) -> dict[str, Any]:
        """Return counts and failures by reason of all rows, sizes, rates and stage shares of what this run did; for JSON."""
        ran = self.table.iloc[list(self.ran)]
        now = ran[ran["status"] == "converted"]
        spent = {name: float(ran[name].fillna(0).sum()) for name in STAGES}
        total = sum(spent.values())
        elapsed_s = max(self.elapsed_s, 1e-9)
        sizes = {name: int(now[name].fillna(0).sum()) for name in ("source_size_bytes", "output_size_bytes")}
        return {
            "rows": len(self.table),
            **{status: self.count(status) for status in ("converted", "failed", "pending")},
            "converted_now": len(now),
            "earlier_outputs_kept": int(self.table["earlier_source_sha256"].notna().sum()),
            "notes": list(self.notes),
            "warnings": [problem.text for problem in self.warnings],
            "failures": self._failures(),
            "elapsed_s": round(self.elapsed_s, 3),
            "workers": self.n_jobs,
            "images_per_s": round(len(now) / elapsed_s, 1),
            "source_mb_per_s": round(sizes["source_size_bytes"] / 1e6 / elapsed_s, 2),
            "output_mb_per_s": round(sizes["output_size_bytes"] / 1e6 / elapsed_s, 2),
            **sizes,
            "stage_shares": {
                name.removesuffix("_s"): round(s / total, 4) if total else 0.0 for name, s in spent.items()
            },
            "interrupted": bool(self.interrupted),
        }

    def _failures(self) -> list[dict[str, Any]]:
        """Return failed rows by cause, the most frequent first: messages that differ only in names and numbers are one."""
        failed = self.table.loc[
            self.table["status"] == "failed", ["line", "stage", "error", "message", "source", "output"]
        ].fillna("")
        causes: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
        for line, stage, error, message, *names in failed.itertuples(index=False, name=None):
            told = message
            for name in filter(None, names):
                told = told.replace(name, "…")
            causes.setdefault((stage, error, cause(told)), []).append((int(line), message))
        found: list[dict[str, Any]] = [
            {
                "stage": stage,
                "error": error,
                "rows": len(rows),
                "lines": [line for line, _ in rows[:_EXAMPLES]],
                "examples": [f"line {line}: {text}" for line, text in rows[:_EXAMPLES]],
            }
            for (stage, error, _), rows in causes.items()
        ]
        return sorted(found, key=lambda entry: -entry["rows"])[:_CAUSES]


def warm_up() -> None:
    """Import pandas in a thread: it takes 0.4 s, as long as workers need to start."""
    threading.Thread(target=import_module, args=("pandas",), name="bulkdcm-import", daemon=True).start()
