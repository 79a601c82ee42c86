"""A ledger's SQLite file, opened: refused where it isn't ours or damaged, brought to this release, and its errors explained."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import DISK_FAULTS, LedgerError, StorageError
from bulkdcm.ledger import migrations
from bulkdcm.ledger.files import APPLICATION_ID, FOLDER, refuse_foreign, why_not
from bulkdcm.ledger.schema import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

_ENDS_RUN = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_UNSAID = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}  # SQLite keeps the system's reason to itself
_MOST_ASKED = 500  # SQLite may be built to take no more than 999


def among(
    fetch: Callable[[str, Sequence[Any]], Iterable[tuple[Any, ...]]], statement: str, values: Sequence[Any]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that have one of some values, which are asked for a part at a time.

    Parameters
    ----------
    fetch
        Returns the rows of a statement with values.
    statement
        Up to and with ``IN``.
    values
        Any number of them.
    """
    for start in range(0, len(values), _MOST_ASKED):
        asked = values[start : start + _MOST_ASKED]
        yield from fetch(f"{statement} ({', '.join('?' * len(asked))})", asked)


class Database:
    """The open file of a ledger: whole, ours, and of this release.

    Parameters
    ----------
    path
        The SQLite file; made where it is missing.
    begun
        Whether a run has had it open, so that it must hold something.

    Attributes
    ----------
    connection
        To SQLite.
    journal_mode
        ``wal``, or another where the file system can't do WAL.
    notes
        What the user should know of it.

    Raises
    ------
    LedgerError
        If it can't be opened, is damaged, or is of a newer version.
    """

    def __init__(self, path: Path, *, begun: bool = False) -> None:
        self.path = path
        self._guard = threading.Lock()  # work is handed out by a thread of joblib's
        with self.explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.parent.name != FOLDER:
                refuse_foreign(path)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o666))  # says why it can't be opened; SQLite doesn't
            self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._begin(begun=begun)
            except BaseException:
                self.connection.close()
                raise

    def _begin(self, *, begun: bool) -> None:
        """Refuse what is no ledger of this release or an older one; bring an older one to this one's tables."""
        # A run killed while it made its first ledger leaves an empty one, which is as good as none.
        if begun or self.value("SELECT count(*) FROM sqlite_master"):
            self.refuse_strange()
        self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")  # in the file itself, not the journal
        self.journal_mode = str(self.value("PRAGMA journal_mode=WAL"))
        self.connection.execute("PRAGMA synchronous=FULL")
        for name in ("fullfsync", "checkpoint_fullfsync"):  # macOS leaves it in the disk's own memory without these
            self.connection.execute(f"PRAGMA {name}=1")
        for number in migrations.missing(self.connection):
            with self.transaction():
                migrations.take(self.connection, number)
        self.notes = (
            []
            if self.journal_mode == "wal"
            else [f"the ledger's file system can't do WAL; its journal is {self.journal_mode} and commits are slower"]
        )

    def refuse_strange(self) -> None:
        """Refuse a file that is cut off, another program's, of a newer release, or damaged.

        Raises
        ------
        LedgerError
            If it is.
        """
        other = f"remove {self.path.parent}" if self.path.parent.name == FOLDER else "name another with --ledger"
        remedy = f"Run `bulkdcm rebuild` to make it anew from the outputs, or {other} to start over"
        if self.path.stat().st_size == 0:
            msg = f"the ledger {self.path} is empty: it was cut off. {remedy}."
            raise LedgerError(msg)
        if self.value("PRAGMA application_id") != APPLICATION_ID:
            msg = f"{self.path} is no ledger of bulkdcm. {remedy}."
            raise LedgerError(msg)
        if int(self.value("PRAGMA user_version")) > VERSION:
            msg = f"the ledger {self.path} is from a newer bulkdcm. Update bulkdcm, or use another --out."
            raise LedgerError(msg)
        if self.value("SELECT count(*) FROM sqlite_master WHERE type IN ('view', 'trigger')"):
            msg = f"the ledger {self.path} has views or triggers, which no run makes. {remedy}."
            raise LedgerError(msg)
        if (found := self.value("PRAGMA quick_check(1)")) != "ok":
            msg = f"the ledger {self.path} is damaged: {found}. {remedy}."
            raise LedgerError(msg)

    def value(self, statement: str) -> Any:
        """Return the first value of the first row; None where there is none."""
        row = self.connection.execute(statement).fetchone()
        return row[0] if row else None

    def fetch(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that a statement gives."""
        with self.explained():
            return self.connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self.connection.close()

    @contextlib.contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Commit the block as one; where it needn't survive a power cut, without waiting for the disk."""
        with self._guard:
            if not durable:
                self.connection.execute("PRAGMA synchronous=NORMAL")
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
                raise
            else:
                self.connection.execute("COMMIT")
            finally:
                if not durable:
                    self.connection.execute("PRAGMA synchronous=FULL")

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Raise what SQLite and the system say as the error of a run, with what to do."""
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
