"""The run's memory: one SQLite row for each manifest row that was tried, written only by the parent."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bulkdcm.model import Outcome

FOLDER = ".bulkdcm"
_FILE = "ledger.sqlite"
# One column for each key of `Converted.record` and `Failed.record`, and the attempts that only the ledger counts.
COLUMNS: dict[str, str] = {
    "ordinal": "INTEGER PRIMARY KEY",
    "status": "TEXT NOT NULL",
    **dict.fromkeys(("stage", "error", "message", "traceback", "output"), "TEXT"),
    **dict.fromkeys(("study_instance_uid", "series_instance_uid", "sop_instance_uid", "sop_class_uid"), "TEXT"),
    **dict.fromkeys(("transfer_syntax_uid", "photometric_interpretation"), "TEXT"),
    **dict.fromkeys(("rows", "columns", "bits_stored", "samples_per_pixel"), "INTEGER"),
    **dict.fromkeys(("source_size_bytes", "output_size_bytes"), "INTEGER"),
    **dict.fromkeys(("source_sha256", "output_sha256", "decisions"), "TEXT"),
    **dict.fromkeys(("read_s", "decode_s", "build_s", "encode_s", "store_s"), "REAL"),
    "worker": "INTEGER",
    "attempt": "INTEGER NOT NULL",
}
_RECORDED = [name for name in COLUMNS if name != "attempt"]
_QUOTED = {name: f'"{name}"' for name in COLUMNS}  # rows and columns are SQL words


class Ledger:
    """An open ledger.

    Parameters
    ----------
    folder
        The output folder.

    Raises
    ------
    LedgerError
        Where it can't be opened.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FOLDER / _FILE
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            columns = ", ".join(f"{_QUOTED[name]} {kind}" for name, kind in COLUMNS.items())
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS outcome ({columns})")

    def begin(self) -> None:
        """Forget the outcomes of an earlier run."""
        with self._explained():
            self._connection.execute("DELETE FROM outcome")

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Write outcomes in one commit; a row tried again replaces its outcome and counts an attempt more."""
        names = ", ".join(_QUOTED[name] for name in _RECORDED)
        marks = ", ".join(f":{name}" for name in _RECORDED)
        changed = ", ".join(f"{_QUOTED[name]} = excluded.{_QUOTED[name]}" for name in _RECORDED[1:])
        statement = (
            f"INSERT INTO outcome ({names}, attempt) VALUES ({marks}, 1) "  # noqa: S608  # names are ours
            f"ON CONFLICT (ordinal) DO UPDATE SET {changed}, attempt = attempt + 1"
        )
        nothing = dict.fromkeys(_RECORDED)
        with self._explained(), self._transaction():
            self._connection.executemany(statement, [{**nothing, **outcome.record()} for outcome in outcomes])

    def outcomes(self) -> Iterator[tuple[Any, ...]]:
        """Yield the outcomes in manifest order, each a tuple in the order of `COLUMNS`."""
        with self._explained():
            names = ", ".join(_QUOTED.values())
            yield from self._connection.execute(f"SELECT {names} FROM outcome ORDER BY ordinal")  # noqa: S608  # names are ours

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            msg = f"the ledger {self.path} can't be used: {error}. Check the disk and the permissions of --out."
            raise LedgerError(msg) from error
