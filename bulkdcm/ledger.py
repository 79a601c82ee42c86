"""The run's memory: one SQLite row for each manifest row that was tried, written only by the parent.

What is committed here has happened: a chunk's files are in place and on the disk before its commit. Each row carries a
checksum, since SQLite by itself does not notice a flipped bit in a page.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import LedgerError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

FOLDER = ".bulkdcm"
FILE = "ledger.sqlite"
_MARKER = "ledger-exists"
VERSION = 1  # of the tables below
_APPLICATION_ID = 0x62646C67
_ENDS_RUN = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}

# What decides whether a row is done, with a checksum of its own, so that a resume reads no more than this.
DECISIVE = (
    "ordinal",
    "status",
    "identity",
    "metadata",
    "schema_number",
    "settings",
    "source_size_bytes",
    "source_mtime_ns",
    "output",
    "output_size_bytes",
    "output_mtime_ns",
    "output_sha256",
    "attempt",
)

# One column for each key of `Converted.record` and `Failed.record`, then what resuming needs, then what the ledger counts.
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
    **dict.fromkeys(("worker", "source_mtime_ns", "output_mtime_ns"), "INTEGER"),
    **dict.fromkeys(("identity", "metadata", "schema_number"), "INTEGER"),
    **dict.fromkeys(("settings", "reason"), "TEXT"),
    "attempt": "INTEGER NOT NULL",
    "checksum": "INTEGER NOT NULL",
    "decisive_checksum": "INTEGER NOT NULL",
}
_NAMES = list(COLUMNS)
CONTENT = _NAMES[:-2]  # without the checksums, which the ledger makes itself
_DECISIVE_PLACES = [CONTENT.index(name) for name in DECISIVE]
_FAR = 2**48
_UNOWNED = "output NOT IN (SELECT output FROM outcome WHERE status = 'converted' AND ordinal >= 0)"
_QUOTED = ", ".join(f'"{name}"' for name in _NAMES)  # rows and columns are SQL words


def open_ledger(folder: Path, elsewhere: Path | None) -> Ledger:
    """Return the ledger of an output folder.

    Raises
    ------
    LedgerError
        Where it can't be opened or is damaged, or where a run has been here and its ledger is gone.
    """
    path = elsewhere or folder / FOLDER / FILE
    marker = folder / FOLDER / _MARKER
    if marker.exists() and not path.exists():
        msg = (
            f"a run has been at {folder}, but its ledger {path} is gone. Run `bulkdcm rebuild` to make it anew from the "
            f"outputs, or remove {folder / FOLDER} to start over."
        )
        raise LedgerError(msg)
    ledger = Ledger(path, begun=marker.exists())
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        ledger.close()
        msg = f"{marker}: {error.strerror}. Check the permissions of --out."
        raise LedgerError(msg) from error
    return ledger


def set_aside(folder: Path, elsewhere: Path | None) -> None:
    """Rename the ledger of an output folder, whatever state it is in, so that a new one can be made."""
    path = elsewhere or folder / FOLDER / FILE
    (folder / FOLDER / _MARKER).unlink(missing_ok=True)
    for suffix in ("", "-wal", "-shm"):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.replace(old.with_name(f"{old.name}.old"))


class Ledger:
    """An open ledger.

    Parameters
    ----------
    path
        The SQLite file; made where it is missing.
    begun
        Whether a run has had it open, so that it must hold something.

    Attributes
    ----------
    journal_mode
        ``wal``, or another where the file system can't do WAL.
    notes
        What the user should know of it.
    left_unclean
        Whether the last run that opened it was killed.

    Raises
    ------
    LedgerError
        Where it can't be opened, is damaged, or is of a newer version.
    """

    def __init__(self, path: Path, *, begun: bool = False) -> None:
        self.path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None)
            # A run killed while it made its first ledger leaves an empty one, which is as good as none.
            if begun or self._value("SELECT count(*) FROM sqlite_master"):
                self._refuse_strange()
            self.journal_mode = str(self._value("PRAGMA journal_mode=WAL"))
            self._connection.execute("PRAGMA synchronous=FULL")
            self._create()
            self.notes = (
                []
                if self.journal_mode == "wal"
                else [
                    f"the ledger's file system can't do WAL; its journal is {self.journal_mode} and commits are slower"
                ]
            )
            self.left_unclean = self._value("SELECT value FROM fact WHERE name = 'state'") == "running"

    def _create(self) -> None:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        with self._transaction():
            for statement in (
                f"CREATE TABLE IF NOT EXISTS outcome ({columns})",
                "CREATE TABLE IF NOT EXISTS obsolete (output TEXT PRIMARY KEY) WITHOUT ROWID",
                "CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
                f"PRAGMA user_version = {VERSION}",
                f"PRAGMA application_id = {_APPLICATION_ID}",
            ):
                self._connection.execute(statement)

    def _refuse_strange(self) -> None:
        remedy = f"Run `bulkdcm rebuild` to make it anew from the outputs, or remove {self.path.parent} to start over"
        if self.path.stat().st_size == 0:
            msg = f"the ledger {self.path} is empty: it was cut off. {remedy}."
            raise LedgerError(msg)
        if self._value("PRAGMA application_id") != _APPLICATION_ID:
            msg = f"{self.path} is no ledger of bulkdcm. {remedy}."
            raise LedgerError(msg)
        if int(self._value("PRAGMA user_version")) > VERSION:
            msg = f"the ledger {self.path} is from a newer bulkdcm. Update bulkdcm, or use another --out."
            raise LedgerError(msg)
        if (found := self._value("PRAGMA quick_check(1)")) != "ok":
            msg = f"the ledger {self.path} is damaged: {found}. {remedy}."
            raise LedgerError(msg)

    def _value(self, statement: str) -> Any:
        row = self._connection.execute(statement).fetchone()
        return row[0] if row else None

    def mark(self, state: str) -> None:
        """Note that a run is ``running`` or ``ended``."""
        with self._explained():
            self._connection.execute("INSERT OR REPLACE INTO fact VALUES ('state', ?)", (state,))

    def record(self, outcomes: Iterable[Mapping[str, Any]], obsolete: Iterable[str] = ()) -> None:
        """Write outcomes in one commit, each replacing the row's last one.

        Parameters
        ----------
        outcomes
            With the keys of `CONTENT`; missing ones are NULL.
        obsolete
            Outputs of earlier attempts that must go once the run is over.
        """
        marks = ", ".join("?" * len(_NAMES))
        rows = []
        for outcome in outcomes:
            values = [outcome.get(name) for name in CONTENT]
            rows.append((*values, _checksum(values[1:]), _checksum([values[place] for place in _DECISIVE_PLACES[1:]])))
        with self._explained(), self._transaction():
            self._connection.executemany(f"INSERT OR REPLACE INTO outcome ({_QUOTED}) VALUES ({marks})", rows)  # noqa: S608  # names are ours
            self._connection.executemany("INSERT OR IGNORE INTO obsolete VALUES (?)", [(path,) for path in obsolete])

    def outcomes(self) -> Iterator[tuple[Any, ...]]:
        """Yield the outcomes of the manifest's rows, in its order, each a tuple in the order of `CONTENT`.

        Raises
        ------
        LedgerError
            Where a row is not what was written.
        """
        return self._checked(CONTENT, "checksum", "WHERE ordinal >= 0")

    def decisive(self) -> Iterator[tuple[Any, ...]]:
        """Yield what resuming needs of every row, orphans too, in the order of `DECISIVE`.

        Raises
        ------
        LedgerError
            Where a row is not what was written.
        """
        return self._checked(DECISIVE, "decisive_checksum", "")

    def _checked(self, names: Sequence[str], checksum: str, only: str) -> Iterator[tuple[Any, ...]]:
        quoted = ", ".join(f'"{name}"' for name in (*names, checksum))
        with self._explained():
            for row in self._connection.execute(f"SELECT {quoted} FROM outcome {only} ORDER BY ordinal"):  # noqa: S608  # names are ours
                if _checksum(row[1:-1]) != row[-1]:
                    msg = (
                        f"the ledger {self.path} is damaged: row {row[0]} is not what was written. "
                        f"Run `bulkdcm rebuild` to make it anew from the outputs."
                    )
                    raise LedgerError(msg)
                yield row[:-1]

    def renumber(self, moves: Iterable[tuple[int, int]]) -> None:
        """Follow a manifest that has changed: (old, new) ordinals of rows; a new one below 0 sets the row aside."""
        with self._explained(), self._transaction():
            # By way of numbers far away, since the new place may not be free yet.
            statement = "UPDATE outcome SET ordinal = ? WHERE ordinal = ?"
            self._connection.executemany(statement, [(new + _FAR, old) for old, new in moves])
            self._connection.execute("UPDATE outcome SET ordinal = ordinal - ? WHERE ordinal > ?", (_FAR, _FAR // 2))

    def orphans(self) -> list[str]:
        """Return the outputs of rows that are no longer in the manifest, and that no row has now."""
        statement = f"SELECT DISTINCT output FROM outcome WHERE status = 'converted' AND ordinal < 0 AND {_UNOWNED}"  # noqa: S608  # ours
        return self._outputs(statement)

    def forget_orphans(self, outputs: Iterable[str]) -> None:
        """Remove what is known of orphans with these outputs."""
        with self._explained(), self._transaction():
            statement = "DELETE FROM outcome WHERE ordinal < 0 AND output = ?"
            self._connection.executemany(statement, [(path,) for path in outputs])

    def obsolete(self) -> list[str]:
        """Return the outputs of earlier attempts that no row has now."""
        return self._outputs(f"SELECT output FROM obsolete WHERE {_UNOWNED}")  # noqa: S608  # ours

    def _outputs(self, statement: str) -> list[str]:
        with self._explained():
            return [row[0] for row in self._connection.execute(statement)]

    def forget_obsolete(self) -> None:
        """Note that the obsolete outputs have gone."""
        with self._explained():
            self._connection.execute("DELETE FROM obsolete")

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _ENDS_RUN:
                msg = f"the ledger {self.path} can't be written: {error}. Make room or mend the disk, then run the same command again."
                raise StorageError(msg) from error
            msg = (
                f"the ledger {self.path} can't be used: {error}. Check the disk and the permissions of --out; "
                "where the file is damaged, run `bulkdcm rebuild`."
            )
            raise LedgerError(msg) from error


def _checksum(values: Sequence[Any]) -> int:
    return zlib.crc32(repr(tuple(values)).encode("utf-8", "surrogatepass"))
