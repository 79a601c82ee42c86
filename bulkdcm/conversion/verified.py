"""Which files an interrupted verification has found right, so that the next goes on where it stopped.

A verification that comes to its end forgets it: the next looks at every file again, since a disk changes bytes without a word.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from bulkdcm.errors import LedgerError
from bulkdcm.ledger.database import among
from bulkdcm.ledger.files import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_FILE = "verifying.sqlite"


class Stamps:
    """Stamps of files in which nothing was found, by the ordinals of their rows.

    Parameters
    ----------
    out
        The output folder.
    again
        Whether to forget an interrupted verification.
    """

    def __init__(self, out: Path, *, again: bool) -> None:
        self._path = out / FOLDER / _FILE
        if again:
            self.forget()
        try:
            self._connection = self._opened()
        except sqlite3.DatabaseError:  # what is damaged is worth nothing
            self.forget()
            try:
                self._connection = self._opened()
            except sqlite3.Error as error:
                msg = f"{self._path}: can't be written: {error}. Check its permissions."
                raise LedgerError(msg) from error

    def _opened(self) -> sqlite3.Connection:
        # Chunks are packed by a thread of the engine's. A power cut may cost the file, which is then made anew.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=MEMORY")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("CREATE TABLE IF NOT EXISTS stamp (ordinal INTEGER PRIMARY KEY, stamp INTEGER)")
        except BaseException:
            connection.close()
            raise
        return connection

    def of(self, ordinals: Sequence[int]) -> dict[int, int]:
        """Return the stamps of some rows."""
        return dict(among(self._connection.execute, "SELECT ordinal, stamp FROM stamp WHERE ordinal IN", ordinals))

    def note(self, stamps: Mapping[int, int]) -> None:
        """Note files in which nothing was found."""
        if stamps:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR REPLACE INTO stamp VALUES (?, ?)", stamps.items())
            self._connection.execute("COMMIT")

    def close(self, *, complete: bool) -> None:
        """End; what was noted stays if the verification didn't come to its end."""
        self._connection.close()
        if complete:
            self.forget()

    def forget(self) -> None:
        """Remove what was noted."""
        for suffix in ("", "-journal"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()
