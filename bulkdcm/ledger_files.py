"""The files a ledger is made of: where they lie, whether they are ours, and out of the way with them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from bulkdcm import system
from bulkdcm.errors import LedgerError, of_system

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ".bulkdcm"
FILE = "ledger.sqlite"
MARKER = "ledger-exists"
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
        Where it is.
    """
    try:
        what = system.not_a_plain_file(path)
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
        Where `elsewhere` is a file, and no ledger.
    """
    path = elsewhere or folder / FOLDER / FILE
    try:
        if elsewhere and path.exists() and not _is_ledger(path):
            msg = f"{path} is no ledger of bulkdcm, so it is left as it is. Name another file with --ledger."
            raise LedgerError(msg)
        (folder / FOLDER / MARKER).unlink(missing_ok=True)
        number = 1
        while any(_old(part, number).exists() for part in parts(path)):
            number += 1
        for part in parts(path):
            if part.exists():
                part.rename(_old(part, number))
    except OSError as error:
        raise of_system(error, path, "renamed") from error


def _old(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.old{number if number > 1 else ''}")


def _is_ledger(path: Path) -> bool:
    """Whether a file is one of ours: its header says so, also where the rest is damaged; an empty one is nobody's."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    return not head or (head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION_ID.to_bytes(4, "big"))


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
