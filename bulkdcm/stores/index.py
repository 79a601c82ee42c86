"""What is in archives, so that none is listed twice: an SQLite file of the run's own, valid while an archive is the same."""

from __future__ import annotations

import os
import sqlite3
import threading
import zlib
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm import names
from bulkdcm.stores.archives import key
from bulkdcm.stores.members import DamagedError, Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_VERSION = 1  # of the tables, and of what is called a fault
_SCHEMA = """
CREATE TABLE IF NOT EXISTS archive (id INTEGER PRIMARY KEY, name BLOB UNIQUE, size INTEGER, mtime_ns INTEGER, fault TEXT, ends TEXT);
CREATE TABLE IF NOT EXISTS member (
    archive INTEGER, name BLOB, offset INTEGER, packed INTEGER, size INTEGER, crc INTEGER, deflated INTEGER, version TEXT, fault TEXT, seal INTEGER,
    PRIMARY KEY (archive, name)
) WITHOUT ROWID;
"""
_TWICE = "several members have its name, and which of them is meant isn't certain"
_INSERT = """
INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET fault = ?, seal = NULL
"""
_TOGETHER = 500  # members that are asked for at once
_KEPT = 8  # indexes that a process holds open


class Listed(NamedTuple):
    """An archive as it was listed.

    Attributes
    ----------
    number
        Of it in the index.
    size, mtime_ns
        Of its file.
    fault
        Why none of its members can be used; empty if they can.
    ends
        Why the rest of it isn't known, if some of it is; empty if all of it is.
    """

    number: int
    size: int
    mtime_ns: int
    fault: str
    ends: str


class Known(NamedTuple):
    """What is asked for of many members at once; as in `Member`."""

    size: int
    version: str
    fault: str


class Index:
    """Of archives, by their names under the image root.

    Parameters
    ----------
    path
        Of the file.
    writes
        Whether it is made if it isn't there, and may be written.
    earlier
        Whether it may be that of an earlier run: it is looked through for damage, and what wasn't listed whole then is to be
        listed anew, since a disk may be well again, or a package installed.

    Attributes
    ----------
    dropped
        Whether there was such a one.
    """

    def __init__(self, path: str, *, writes: bool = False, earlier: bool = False) -> None:
        self._lock = threading.Lock()
        self.dropped = False
        if not writes:
            self._connection = _connected(f"{names.uri(path)}?mode=ro")
            return
        self._connection = _connected(names.uri(path))
        try:
            self._prepare(earlier=earlier)
        except sqlite3.DatabaseError:  # another release's, or damaged: it is only a help, and made anew
            self._connection.close()
            os.unlink(path)
            self._connection = _connected(names.uri(path))
            self._prepare()

    def _prepare(self, *, earlier: bool = False) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version not in {0, _VERSION}:
            raise sqlite3.DatabaseError
        if earlier and self._connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError
        self._connection.executescript(f"PRAGMA synchronous = OFF; {_SCHEMA} PRAGMA user_version = {_VERSION};")
        if earlier:
            with self._connection as connection:
                gone = connection.execute("DELETE FROM archive WHERE fault != '' OR ends != ''")
                connection.execute("DELETE FROM member WHERE archive NOT IN (SELECT id FROM archive)")
                self.dropped = gone.rowcount > 0

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __del__(self) -> None:
        if connection := getattr(self, "_connection", None):
            connection.close()

    def archive(self, name: str) -> Listed | None:
        """Return what is known of an archive; None if it isn't listed."""
        with self._lock:
            row = self._connection.execute(
                "SELECT id, size, mtime_ns, fault, ends FROM archive WHERE name = ?", (_bytes(name),)
            ).fetchone()
        return Listed(*row) if row else None

    def member(self, archive: int, name: str) -> Member | None:
        """Return what is known of a member; None if it isn't listed."""
        name = key(name)
        with self._lock:
            row = self._connection.execute(
                "SELECT offset, packed, size, crc, deflated, version, fault, seal FROM member WHERE archive = ? AND name = ?",
                (archive, _bytes(name)),
            ).fetchone()
        if row is None:
            return None
        member = Member(name, *row[:-1])
        if not member.fault and row[-1] != _seal(member):  # a wrong offset would be another's bytes
            msg = "damaged"
            raise sqlite3.DatabaseError(msg)
        return member

    def known(self, archive: int, names: Iterable[str]) -> Iterator[Known | None]:
        """Yield what is known of many members, in their order; None for those that aren't listed."""
        keys = map(_bytes, map(key, names))
        while block := list(islice(keys, _TOGETHER)):
            asked = ", ".join("?" * len(block))
            with self._lock:
                rows = self._connection.execute(
                    f"SELECT name, size, version, fault FROM member WHERE archive = ? AND name IN ({asked})",  # noqa: S608  # only marks
                    (archive, *block),
                ).fetchall()
            found = {row[0]: Known(*row[1:]) for row in rows}
            yield from map(found.get, block)

    def names(self, archive: int) -> Iterator[tuple[str, str]]:
        """Yield the name of each member of an archive, and its fault."""
        with self._lock:
            rows = self._connection.execute("SELECT name, fault FROM member WHERE archive = ?", (archive,)).fetchall()
        for name, fault in rows:
            yield name.decode("utf-8", "surrogateescape"), fault

    def put(self, name: str, size: int, mtime_ns: int, members: Iterable[Member], *, certain: bool = True) -> Listed:
        """List an archive anew.

        Parameters
        ----------
        name, size, mtime_ns
            Of the archive.
        members
            What is in it; a `DamagedError` at its end says why the rest isn't known.
        certain
            Whether what came before such an error can be used.
        """
        fault = ends = ""
        with self._lock, self._connection as connection:
            connection.execute(
                "DELETE FROM member WHERE archive IN (SELECT id FROM archive WHERE name = ?)", (_bytes(name),)
            )
            connection.execute("DELETE FROM archive WHERE name = ?", (_bytes(name),))
            number = connection.execute(
                "INSERT INTO archive VALUES (NULL, ?, ?, ?, '', '')", (_bytes(name), size, mtime_ns)
            ).lastrowid
            try:
                rows = ((number, _bytes(one.name), *one[1:], _seal(one), _TWICE) for one in members)
                connection.executemany(_INSERT, rows)
            except DamagedError as error:
                some = connection.execute("SELECT 1 FROM member WHERE archive = ? LIMIT 1", (number,)).fetchone()
                if certain and some:
                    ends = str(error)
                else:
                    fault = str(error)
            connection.execute("UPDATE archive SET fault = ?, ends = ? WHERE id = ?", (fault, ends, number))
        return Listed(number or 0, size, mtime_ns, fault, ends)


def _connected(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, check_same_thread=False)


def _seal(member: Member) -> int:
    """Return a checksum of what is known of a member, which the disk may spoil."""
    name, offset, packed, size, crc, deflated, version, fault = member
    return zlib.crc32(
        repr((name, offset, packed, size, crc, int(deflated), version, fault)).encode("utf-8", "surrogatepass")
    )


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


_held: dict[str, tuple[tuple[int, ...], Index]] = {}
_holding = threading.Lock()


def held(path: str) -> Index | None:
    """Return the index at a path for reading, which a process opens once; None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    identity = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
    with _holding:
        known = _held.pop(path, None)
        if known is None or known[0] != identity:
            known = (identity, Index(path))
        while len(_held) >= _KEPT:
            del _held[next(iter(_held))]
        _held[path] = known
    return known[1]


def let_go(folder: str) -> None:
    """Close the indexes in a folder that this process holds open: Windows removes and replaces no file that is."""
    with _holding:
        for path in [path for path in _held if path.startswith(f"{folder}/")]:
            _held.pop(path)[1].close()
