"""A ledger as it is at one moment, read while a run writes it or after one was killed; nothing is changed, and nobody waits."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from bulkdcm import names
from bulkdcm.errors import LedgerError
from bulkdcm.ledger import migrations
from bulkdcm.ledger.database import Database
from bulkdcm.ledger.files import FILE, FOLDER, MARKER, refuse_foreign
from bulkdcm.ledger.ledger import Ledger
from bulkdcm.ledger.schema import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Snapshot(Database):
    """A ledger's file, opened for reading only: what is committed later isn't seen.

    With WAL, a transaction that reads keeps nobody from writing. With another journal it would, and an older release's file must
    be brought to this one's form: both are copied into memory first.

    Parameters
    ----------
    path
        The SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.notes = path, []
        with self.explained():
            refuse_foreign(path)
            self.connection = _opened(path, "mode=ro")
            try:
                self._look(path)
            except BaseException:
                self.connection.close()
                raise

    def _look(self, path: Path) -> None:
        try:
            self.journal_mode = str(self.value("PRAGMA journal_mode"))
        except sqlite3.OperationalError:  # SQLite can't make its journal's index, as on a medium that is only read
            if _pending(path):
                raise
            self.connection.close()
            self.connection = _opened(path, "immutable=1")
            self.journal_mode = str(self.value("PRAGMA journal_mode"))
        if self.journal_mode != "wal" or self._older():
            self._copy()
        self.connection.execute("BEGIN")
        self.refuse_strange()

    def _older(self) -> bool:
        return 0 < int(self.value("PRAGMA user_version")) < VERSION

    def _copy(self) -> None:
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.backup(memory)
        self.connection.close()
        self.connection = memory
        if self._older():
            for number in migrations.missing(memory):
                migrations.take(memory, number)


def _opened(path: Path, how: str) -> sqlite3.Connection:
    address = f"{names.uri(str(path.absolute()))}?{how}"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)


def _pending(path: Path) -> bool:
    """Whether something is only in the journal."""
    journal = path.with_name(f"{path.name}-wal")
    return journal.exists() and journal.stat().st_size > 0


@contextlib.contextmanager
def snapshot(folder: Path, elsewhere: Path | None) -> Iterator[Ledger]:
    """Yield the ledger of an output folder as it is now, for reading.

    Parameters
    ----------
    folder
        The output folder.
    elsewhere
        Where its ledger is; None for inside it.

    Raises
    ------
    LedgerError
        If there is none, or it can't be read.
    """
    path = elsewhere or folder / FOLDER / FILE
    if not path.is_file():
        gone = (folder / FOLDER / MARKER).exists()
        msg = f"{path}: no such ledger. " + (
            "It is gone, or the run had another: name that with --ledger, or name the manifest, with this folder as --out."
            if gone
            else "Name the output folder of a run (the --out of `bulkdcm convert`)."
        )
        raise LedgerError(msg)
    database = _Snapshot(path)
    try:
        yield Ledger(database)
    finally:
        database.close()
