"""The files a ledger is made of: where they lie, whether they are ours, and out of the way with them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from bulkdcm import filesystem, names
from bulkdcm.errors import LedgerError, of_system

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ".bulkdcm"
FILE = "ledger.sqlite"
MARKER = "ledger-exists"
ARCHIVES = "archives"  # what is known of the archives that sources are in
APPLICATION_ID = 0x62646C67
_HEADER_BYTES = 100  # of an SQLite file


def parts(path: Path) -> list[Path]:
    """Return the files of the ledger at `path`: itself and SQLite's journal."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]


def refuse_link(path: Path) -> None:
    """Refuse a file of the run's own that is a link, a folder or a pipe.

    Raises
    ------
    LedgerError
        If it is.
    """
    try:
        what = filesystem.not_a_plain_file(path)
    except OSError as error:
        raise of_system(error, path, "read") from error
    if what:
        msg = f"{path} is {what}, which no run makes. Remove it, or name the ledger's place with --ledger."
        raise LedgerError(msg)


def set_aside(folder: Path, elsewhere: Path | None) -> None:
    """Rename the ledger of an output folder, whatever state it is in, so that a new one can be made.

    Raises
    ------
    LedgerError
        If `elsewhere` is a file, and no ledger.
    """
    path = elsewhere or folder / FOLDER / FILE
    try:
        if elsewhere:
            refuse_foreign(path)
        (folder / FOLDER / MARKER).unlink(missing_ok=True)
        number = 1
        while any(_old(part, number).exists() for part in parts(path)):
            number += 1
        for part in parts(path):
            if part.exists() and part.stat().st_size:  # an empty one is filled, as at a first run
                part.rename(_old(part, number))
    except OSError as error:
        raise of_system(error, path, "renamed") from error


def _old(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.old{number if number > 1 else ''}")


def refuse_foreign(path: Path) -> None:
    """Refuse a file that isn't ours: its header says whose it is, also if the rest is damaged; an empty one is nobody's.

    Raises
    ------
    LedgerError
        If it is another's.
    OSError
        If it can't be read.
    """
    if not path.exists():
        return
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
        if not head:
            return
    if not head.startswith(b"SQLite format 3\0") or APPLICATION_ID not in {
        int.from_bytes(head[68:72], "big"),
        _recovered_id(path),
    }:
        msg = f"{path} is no ledger of bulkdcm, so it is left as it is. Name another file with --ledger."
        raise LedgerError(msg)


def _recovered_id(path: Path) -> int:
    """Return the application's id of a database whose header is still in its journal, as a killed run leaves it; else 0."""
    if not path.with_name(f"{path.name}-wal").exists():
        return 0
    try:
        with contextlib.closing(sqlite3.connect(f"{names.uri(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            return int(connection.execute("PRAGMA application_id").fetchone()[0])
    except sqlite3.Error:
        return 0


def why_not(path: Path) -> OSError | None:
    """Return why files can't be made beside `path`, as SQLite's journals are; None where they can."""
    probe = path.with_name(f".{path.name}-probe-{os.getpid()}")
    try:
        probe.write_bytes(bytes(_HEADER_BYTES))
        probe.unlink()
        os.close(os.open(path, os.O_RDWR))
    except OSError as error:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
        return error
    return None
