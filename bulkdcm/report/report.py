"""Ledger and manifest to one DataFrame with a line for every manifest row, and the files made from it."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import threading
import time
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from bulkdcm.errors import StorageError
from bulkdcm.printable import ERRORS
from bulkdcm.problem import cause
from bulkdcm.report.columns import COLUMNS, CSV, PARQUET, STAGES, SUMMARY, TEMPORARY_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from bulkdcm.model import Problem

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_EXAMPLES, _CAUSES = 3, 100
_BLOCK = 20_000  # rows made into columns at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of every row.

    Attributes
    ----------
    frame
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

    frame: pd.DataFrame
    warnings: tuple[Problem, ...]
    elapsed_s: float
    n_jobs: int
    ran: Sequence[int]
    notes: tuple[str, ...] = ()
    interrupted: int = 0
    partial: bool = False

    def count(self, status: str) -> int:
        """Return the number of rows with a status."""
        return int((self.frame["status"] == status).sum())

    @property
    def exit_code(self) -> int:
        """0: every row (of a part of them: every one that ran) converted. 1: some are not. 130, 143: interrupted."""
        if self.interrupted:
            return self.interrupted
        wanted = self.frame.iloc[list(self.ran)] if self.partial else self.frame
        return 0 if (wanted["status"] == "converted").all() else 1

    def summary(self) -> dict[str, Any]:
        """Return counts and failures by reason of all rows, sizes, rates and stage shares of what this run did; for JSON."""
        ran = self.frame.iloc[list(self.ran)]
        now = ran[ran["status"] == "converted"]
        spent = {name: float(ran[name].fillna(0).sum()) for name in STAGES}
        total = sum(spent.values())
        elapsed_s = max(self.elapsed_s, 1e-9)
        sizes = {name: int(now[name].fillna(0).sum()) for name in ("source_size_bytes", "output_size_bytes")}
        return {
            "rows": len(self.frame),
            **{status: self.count(status) for status in ("converted", "failed", "pending")},
            "converted_now": len(now),
            "earlier_outputs_kept": int(self.frame["earlier_source_sha256"].notna().sum()),
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
        failed = self.frame.loc[
            self.frame["status"] == "failed", ["line", "stage", "error", "message", "source", "output"]
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

    def write(self, folder: Path) -> None:
        """Write ``report.csv``, ``summary.json`` and, where pyarrow is there, ``report.parquet`` into `folder`.

        Raises
        ------
        StorageError
            Where they can't be written.
        """
        _replace(folder / CSV, self._write_csv)
        with contextlib.suppress(ImportError):
            _replace(folder / PARQUET, lambda file: self.frame.to_parquet(file, index=False))
        text = json.dumps(self.summary(), indent=2, ensure_ascii=False) + "\n"
        _replace(folder / SUMMARY, lambda file: file.write(text.encode("utf-8", ERRORS)))

    def _write_csv(self, binary: IO[bytes]) -> None:
        """Write the lines in blocks: a whole copy made harmless would be as large as the frame again."""
        with io.TextIOWrapper(binary, encoding="utf-8", errors=ERRORS, newline="") as file:
            for start in range(0, max(len(self.frame), 1), _BLOCK):
                block = self.frame.iloc[start : start + _BLOCK].copy()
                bare = True
                for column in COLUMNS:
                    if column.dtype == "string":
                        block[column.name] = texts = _harmless(block[column.name])
                        bare &= not texts.str.contains("\r", regex=False).any()
                block.to_csv(
                    file,
                    index=False,
                    header=start == 0,
                    lineterminator="\n",
                    # Python before 3.11.9 gives a cell with a CR no quotes by itself.
                    quoting=csv.QUOTE_MINIMAL if bare else csv.QUOTE_NONNUMERIC,
                )


def _harmless(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Put an apostrophe before what a spreadsheet would run as a formula (OWASP, CSV injection)."""
    risky = texts.str.startswith(_FORMULA_STARTS).fillna(value=False).astype(bool)
    return texts.where(~risky, "'" + texts)


def _replace(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    temporary = path.with_name(f".{path.name}-{time.time_ns()}{TEMPORARY_SUFFIX}")
    try:
        with temporary.open("xb") as file:  # a new one, so that no link is followed
            write(file)
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if not isinstance(error, OSError):
            raise
        msg = f"{path}: the report can't be written: {error.strerror or error}. Make room, then run the same command again."
        raise StorageError(msg) from error


def warm_up() -> None:
    """Import pandas in a thread: it takes 0.4 s, as long as workers need to start."""
    threading.Thread(target=import_module, args=("pandas",), name="bulkdcm-import", daemon=True).start()


def frame_of(
    lines: Sequence[int],
    sources: Sequence[str],
    outputs: Sequence[str],
    recorded: Iterable[tuple[Any, ...]],
    names: Sequence[str],
) -> pd.DataFrame:
    """Return the report's frame.

    Parameters
    ----------
    lines, sources, outputs
        Of every manifest row, in order; an output may be empty where only the UIDs tell it.
    recorded
        Outcomes as tuples in the order of `names`.
    names
        The ledger's columns; ``ordinal`` is the position among `lines`.
    """
    import pandas as pd

    kinds = {column.name: column.dtype for column in COLUMNS if column.name in names}
    array: Any = pd.array  # its overloads know no name of a type that varies
    once: dict[str, str] = {}  # equal texts of different rows are one object
    blocks = []
    records = iter(recorded)
    while block := list(islice(records, _BLOCK)):
        columns = dict(zip(names, zip(*block, strict=True), strict=True))
        ordinals = pd.Index(columns["ordinal"], dtype="int64")
        typed = {
            name: array([text and once.setdefault(text, text) for text in columns[name]], dtype="string")
            if kind == "string"
            else array(columns[name], dtype=kind)
            for name, kind in kinds.items()
        }
        blocks.append(pd.DataFrame(typed, index=ordinals))
    none = pd.DataFrame(
        {name: array([], dtype=kind) for name, kind in kinds.items()}, index=pd.Index([], dtype="int64")
    )
    known = pd.concat(blocks or [none])
    frame = known if len(known) == len(lines) else known.reindex(range(len(lines)))
    frame["line"], frame["source"] = list(lines), array(sources, dtype="string")
    planned = pd.Series([output or None for output in outputs], index=frame.index, dtype="string")
    frame["output"] = frame["output"].fillna(planned)
    frame["status"] = frame["status"].fillna("pending")
    frame = frame.reset_index(drop=True)[[column.name for column in COLUMNS]]
    return frame.astype({"line": "Int64"})
