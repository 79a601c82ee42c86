"""The run's memory: one SQLite row for each manifest row that was tried, written only by the parent.

What is committed here has happened: a chunk's files are in place and on the disk before its commit. Each row carries a
checksum, since SQLite by itself does not notice a flipped bit in a page.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import DISK_FAULTS, LedgerError, StorageError, of_system
from bulkdcm.ledger_files import APPLICATION_ID, FILE, FOLDER, MARKER, parts, refuse_foreign, refuse_link, why_not
from bulkdcm.ledger_schema import COLUMNS, CONTENT, DECISIVE, FILE_FACTS, TABLES, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_ENDS_RUN = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_UNSAID = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}  # SQLite keeps the system's reason to itself

_NAMES = list(COLUMNS)
_DECISIVE_PLACES = [CONTENT.index(name) for name in DECISIVE]
_FAR = 2**48
_FILE_FACTS = ", ".join(FILE_FACTS)
_UNOWNED = "output NOT IN (SELECT output FROM outcome WHERE output IS NOT NULL AND ordinal >= 0)"
_QUOTED = ", ".join(f'"{name}"' for name in _NAMES)  # rows and columns are SQL words


def open_ledger(folder: Path, elsewhere: Path | None) -> Ledger:
    """Return the ledger of an output folder.

    Raises
    ------
    LedgerError
        Where it can't be opened, is damaged or another folder's, or where a run has been here and its ledger is gone.
    StorageError
        Where the disk is full or failing.
    """
    path = elsewhere or folder / FOLDER / FILE
    marker = folder / FOLDER / MARKER
    for own in (marker,) if elsewhere else (marker, *parts(path)):
        refuse_link(own)
    if marker.exists() and not path.exists():
        msg = (
            f"a run has been at {folder}, but its ledger {path} is gone. Run `bulkdcm rebuild` to make it anew from the "
            f"outputs, or remove {folder / FOLDER} to start over."
        )
        raise LedgerError(msg)
    ledger = Ledger(path, begun=marker.exists())
    try:
        if elsewhere:  # one inside the folder moves and is copied with it
            ledger.belong_to(folder)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        ledger.close()
        raise of_system(error, marker, "made") from error
    except BaseException:
        ledger.close()
        raise
    return ledger


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
    untouched
        Whether no run has begun to write it.
    left_unclean
        Whether the last run that opened it was killed.

    Raises
    ------
    LedgerError
        Where it can't be opened, is damaged, or is of a newer version.
    """

    def __init__(self, path: Path, *, begun: bool = False) -> None:
        self.path = path
        self._guard = threading.Lock()  # work is handed out by a thread of joblib's
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.parent.name != FOLDER:
                refuse_foreign(path)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o666))  # says why it can't be opened; SQLite doesn't
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            # A run killed while it made its first ledger leaves an empty one, which is as good as none.
            if begun or self._value("SELECT count(*) FROM sqlite_master"):
                self._refuse_strange()
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")  # in the file itself, not the journal
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
            state = self._value("SELECT value FROM fact WHERE name = 'state'")
            self.untouched, self.left_unclean = state is None, state == "running"

    def _create(self) -> None:
        """Make the tables, and add what an older release's lack; what it recorded stays as it is."""
        with self._transaction():
            for table, columns in TABLES.items():
                declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({declared})")
                known = {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
                for name in columns.keys() - known:
                    self._connection.execute(f'ALTER TABLE {table} ADD COLUMN "{name}" {columns[name]}')
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _refuse_strange(self) -> None:
        other = f"remove {self.path.parent}" if self.path.parent.name == FOLDER else "name another with --ledger"
        remedy = f"Run `bulkdcm rebuild` to make it anew from the outputs, or {other} to start over"
        if self.path.stat().st_size == 0:
            msg = f"the ledger {self.path} is empty: it was cut off. {remedy}."
            raise LedgerError(msg)
        if self._value("PRAGMA application_id") != APPLICATION_ID:
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

    def fact(self, name: str) -> str:
        """Return what was noted under a name; empty where nothing was."""
        with self._explained():
            row = self._connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def note(self, name: str, value: str) -> None:
        """Note a fact of the whole work."""
        with self._explained():
            self._connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def belong_to(self, folder: Path) -> None:
        """Refuse another output folder than the one the ledger is of, and note the one it is of now.

        Raises
        ------
        LedgerError
            Where the ledger is of a folder that is still there.
        """
        own = os.path.realpath(folder)  # keeps bytes that are no text
        known = self.fact("out")
        other = json.loads(known) if known else own
        moved = (folder / FOLDER / MARKER).exists() and not Path(other, FOLDER, MARKER).exists()
        if other != own and not moved:
            msg = (
                f"the ledger {self.path} is of the output folder {other}, not of {own}. "
                "Give each output folder a ledger of its own with --ledger, or leave --ledger out."
            )
            raise LedgerError(msg)
        self.note("out", json.dumps(own))

    def mark(self, state: str) -> None:
        """Note that a run is ``running`` or ``ended``."""
        self.note("state", state)

    def record(
        self,
        outcomes: Iterable[Mapping[str, Any]],
        obsolete: Iterable[int] = (),
        moves: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Write outcomes in one commit, each replacing the row's last one.

        Parameters
        ----------
        outcomes
            With the keys of `CONTENT`; missing ones are NULL.
        obsolete
            Ordinals of rows whose present output must go once the run is over.
        moves
            (staged, final) names of files that these outcomes already have under their final names.
        """
        marks = ", ".join("?" * len(_NAMES))
        rows = []
        for outcome in outcomes:
            values = [outcome.get(name) for name in CONTENT]
            rows.append((*values, _checksum(values[1:]), _checksum([values[place] for place in _DECISIVE_PLACES[1:]])))
        with self._explained(), self._transaction():
            self._connection.executemany(
                f"INSERT OR IGNORE INTO obsolete ({_FILE_FACTS}) "  # noqa: S608  # names are ours
                f"SELECT {_FILE_FACTS} FROM outcome WHERE ordinal = ? AND output IS NOT NULL",
                [(ordinal,) for ordinal in obsolete],
            )
            self._connection.executemany(f"INSERT OR REPLACE INTO outcome ({_QUOTED}) VALUES ({marks})", rows)  # noqa: S608  # names are ours
            self._connection.executemany("INSERT OR REPLACE INTO move VALUES (?, ?)", moves)

    def amend(self, name: str, values: Mapping[int, Any]) -> None:
        """Write another value into one column of some rows, given by their ordinals."""
        if values:
            rows = (dict(zip(CONTENT, row, strict=True)) for row in self.outcomes() if row[0] in values)
            self.record([{**row, name: values[row["ordinal"]]} for row in rows])

    def earlier(self, ordinal: int) -> dict[str, Any]:
        """Return what is known of the output that a row has, for the record of a failed attempt; empty for none."""
        statement = f"SELECT {_FILE_FACTS}, status, source_sha256, earlier_source_sha256 FROM outcome WHERE ordinal = ?"  # noqa: S608  # ours
        with self._explained():
            row = self._connection.execute(statement, (ordinal,)).fetchone()
        if row is None or row[0] is None:
            return {}
        *facts, status, source_sha256, earlier_sha256 = row
        found = source_sha256 if status == "converted" else earlier_sha256
        return {**dict(zip(FILE_FACTS, facts, strict=True)), "earlier_source_sha256": found}

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

    def failures(self) -> dict[int, tuple[str, ...]]:
        """Return (stage, class of the error, release) of each row that failed, by its ordinal."""
        only, wanted = "WHERE status = 'failed'", ("ordinal", "stage", "error", "release")
        ordinal, *others = (CONTENT.index(name) for name in wanted)
        rows = self._checked(CONTENT, "checksum", only)
        return {int(row[ordinal]): tuple(str(row[place] or "") for place in others) for row in rows}

    def source_digests(self) -> dict[int, str]:
        """Return the SHA-256 of each converted row's source, by the row's ordinal."""
        statement = "SELECT ordinal, source_sha256 FROM outcome WHERE status = 'converted' AND ordinal >= 0"
        with self._explained():
            return dict(self._connection.execute(statement).fetchall())

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

    def orphans(self) -> list[tuple[Any, ...]]:
        """Return the outputs of rows that are no longer in the manifest, and that no row has now; as `FILE_FACTS`."""
        gone = f"ordinal < 0 AND output IS NOT NULL AND {_UNOWNED}"
        return self._files(f"SELECT {_FILE_FACTS} FROM outcome WHERE {gone} GROUP BY output")  # noqa: S608  # ours

    def forget_orphans(self) -> None:
        """Remove what is known of rows that are no longer in the manifest and of whose outputs none is left to remove."""
        with self._explained(), self._transaction():
            statement = f"DELETE FROM outcome WHERE ordinal < 0 AND (output IS NULL OR NOT {_UNOWNED})"  # noqa: S608  # ours
            self._connection.execute(statement)

    def obsolete(self) -> list[tuple[Any, ...]]:
        """Return the outputs of earlier attempts that no row has now; as `FILE_FACTS`."""
        return self._files(f"SELECT {_FILE_FACTS} FROM obsolete WHERE {_UNOWNED}")  # noqa: S608  # ours

    def _files(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._explained():
            return self._connection.execute(statement, values).fetchall()

    def forget_files(self, outputs: Iterable[str]) -> None:
        """Note that outputs of earlier attempts, or of rows that are gone, aren't there any more."""
        gone = [(output,) for output in outputs]
        with self._explained(), self._transaction():
            self._connection.executemany("DELETE FROM obsolete WHERE output = ?", gone)
            self._connection.executemany("DELETE FROM outcome WHERE ordinal < 0 AND output = ?", gone)
            self._connection.execute(f"DELETE FROM obsolete WHERE NOT {_UNOWNED}")  # noqa: S608  # ours

    def owners(self) -> dict[str, int]:
        """Return the ordinal of the row that has each output; of a multi-frame object, one of them."""
        return dict(self._files("SELECT output, ordinal FROM outcome WHERE output IS NOT NULL AND ordinal >= 0"))

    def claim(self, outputs: Iterable[str]) -> None:
        """Note names that workers are about to write; called from whichever thread hands out work."""
        with self._explained(), self._transaction(durable=False):
            self._connection.executemany("INSERT OR IGNORE INTO claim VALUES (?)", [(output,) for output in outputs])

    def claims(self) -> set[str]:
        """Return the names that a run which didn't come to its end may have written."""
        return {row[0] for row in self._files("SELECT output FROM claim")}

    def forget_claims(self, outputs: Iterable[str] | None = None) -> None:
        """Note that nothing is being written to some names; to any, where none are given."""
        with self._explained(), self._transaction(durable=False):
            if outputs is None:
                self._connection.execute("DELETE FROM claim")
            else:
                self._connection.executemany("DELETE FROM claim WHERE output = ?", [(output,) for output in outputs])

    def moves(self) -> list[tuple[Any, ...]]:
        """Return (staged, final) names of files that are recorded under the final ones and may not have them yet."""
        return self._files("SELECT staged, output FROM move")

    def forget_moves(self) -> None:
        """Note that all files have their final names."""
        with self._explained():
            self._connection.execute("DELETE FROM move")

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Commit the block as one; where it needn't survive a power cut, without waiting for the disk."""
        with self._guard:
            if not durable:
                self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                if not durable:
                    self._connection.execute("PRAGMA synchronous=FULL")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            cause = why_not(self.path) if code in _UNSAID else error
            if code in _ENDS_RUN or (isinstance(cause, OSError) and cause.errno in DISK_FAULTS):
                msg = f"the ledger {self.path} can't be written: {_said(cause)}. Make room or mend the disk, then run the same command again."
                raise StorageError(msg) from error
            msg = (
                f"the ledger {self.path} can't be used: {_said(cause or error)}. Check the disk and the permissions of --out; "
                "if the file is damaged, run `bulkdcm rebuild`."
            )
            raise LedgerError(msg) from error


def _said(error: BaseException | None) -> str:
    return getattr(error, "strerror", None) or str(error)


def _checksum(values: Sequence[Any]) -> int:
    """Return the checksum of a row's values; columns that a later release adds leave it as it was while they are empty."""
    last = len(values)
    while last and values[last - 1] is None:
        last -= 1
    return zlib.crc32(repr(tuple(values[:last])).encode("utf-8", "surrogatepass"))
