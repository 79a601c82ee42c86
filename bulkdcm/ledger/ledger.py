"""The run's memory: one SQLite row for each manifest row that was tried, written only by the parent.

What is committed here has happened: a chunk's files are in place and on the disk before its commit. Each row carries a
checksum, since SQLite by itself does not notice a flipped bit in a page.
"""

from __future__ import annotations

import contextlib
import json
from itertools import compress
from operator import itemgetter, ne
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bulkdcm import names
from bulkdcm.errors import LedgerError, of_system
from bulkdcm.ledger.block import Block
from bulkdcm.ledger.database import Database, among
from bulkdcm.ledger.files import FILE, FOLDER, MARKER, parts, refuse_link
from bulkdcm.ledger.insertion import insertion
from bulkdcm.ledger.outputs import FILE_COLUMNS
from bulkdcm.ledger.runs import BLOCK as _BLOCK
from bulkdcm.ledger.runs import Runs
from bulkdcm.ledger.schema import CONTENT, DECISIVE, checksum, sealed
from bulkdcm.ledger.seals import checksums

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bulkdcm.ledger.runs import Listing


_FAR = 2**48
_NOTHING = (None,) * len(CONTENT)  # of a row that isn't there, with its checksum
_unsealed = itemgetter(slice(-1))


class RecordedObject(NamedTuple):
    """An object that is in place, for those that refer to it."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    referenced: str | None
    """Digest of what it refers to itself."""


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)  # rows and columns are SQL words


def open_ledger(folder: Path, elsewhere: Path | None) -> Ledger:
    """Return the ledger of an output folder.

    Raises
    ------
    LedgerError
        If it can't be opened, is damaged or another folder's, or if a run has been here and its ledger is gone.
    StorageError
        If the disk is full or failing.
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
    database = Database(path, begun=marker.exists())
    try:
        ledger = Ledger(database)
        if elsewhere:  # one inside the folder moves and is copied with it
            ledger.belong_to(folder)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        database.close()
        raise of_system(error, marker, "made") from error
    except BaseException:
        database.close()
        raise
    return ledger


class Ledger(Runs):
    """An open ledger.

    Parameters
    ----------
    database
        Its file.

    Attributes
    ----------
    untouched
        Whether no run has begun to write it.
    left_unclean
        Whether the last run that opened it was killed.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.path = database.path
        state = self.fact("state")
        self.untouched, self.left_unclean = not state, state == "running"

    @property
    def journal_mode(self) -> str:
        """``wal``, or another where the file system can't do WAL."""
        return self._database.journal_mode

    @property
    def notes(self) -> list[str]:
        """What the user should know of it."""
        return self._database.notes

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self._database.close()

    def belong_to(self, folder: Path) -> None:
        """Refuse another output folder than the one the ledger is of, and note the one it is of now.

        Raises
        ------
        LedgerError
            If the ledger is of a folder that is still there.
        """
        own = names.real(folder)  # keeps bytes that are no text
        known = self.fact("out")
        other = json.loads(known) if known else own
        moved = (folder / FOLDER / MARKER).exists() and not Path(other, FOLDER, MARKER).exists()
        if other != own and not moved and not _same(other, own):
            msg = (
                f"the ledger {self.path} is of the output folder {other}, not of {own}. "
                "Give each output folder a ledger of its own with --ledger, or leave --ledger out."
            )
            raise LedgerError(msg)
        self.note("out", json.dumps(own))

    def mark(self, state: str) -> None:
        """Note that a run is ``running`` or ``ended``."""
        self.note("state", state)

    def record(self, outcomes: Iterable[Mapping[str, Any]]) -> None:
        """Write outcomes in one commit, each replacing the row's last one.

        Parameters
        ----------
        outcomes
            With keys of `CONTENT`; missing ones are NULL.
        """
        self.insert([sealed(outcome) for outcome in outcomes])

    def insert(
        self,
        rows: Sequence[Sequence[Any]],
        obsolete: Iterable[int] = (),
        moves: Iterable[tuple[str, str]] = (),
        *,
        paced: bool = False,
    ) -> None:
        """Write rows in one commit, each replacing the row's last one.

        Parameters
        ----------
        rows
            As `schema.sealed` gives them.
        obsolete
            Ordinals of rows whose present output must go once the run is over.
        moves
            (staged, final) names of files that these rows already have under their final names.
        paced
            Whether the rows count for how far the run has come.
        """
        with self._database.explained(), self._database.transaction():
            self._database.connection.executemany(
                f"INSERT OR IGNORE INTO obsolete ({FILE_COLUMNS}) "  # noqa: S608  # names are ours
                f"SELECT {FILE_COLUMNS} FROM outcome WHERE ordinal = ? AND output IS NOT NULL",
                [(ordinal,) for ordinal in obsolete],
            )
            if rows:
                self._database.connection.executemany(*insertion(rows))
            self._database.connection.executemany("INSERT OR REPLACE INTO move VALUES (?, ?)", moves)
            if paced and rows:
                self.keep_pace(rows)

    def amend(self, name: str, values: Mapping[int, Any]) -> None:
        """Write another value into one column of some rows, given by their ordinals."""
        if values:
            rows = (dict(zip(CONTENT, row, strict=True)) for row in self.outcomes() if row[0] in values)
            self.record([{**row, name: values[row["ordinal"]]} for row in rows])

    def outcomes(self) -> Iterator[tuple[Any, ...]]:
        """Yield the outcomes of the manifest's rows, in its order, each a tuple in the order of `CONTENT`.

        Raises
        ------
        LedgerError
            If a row is not what was written.
        """
        return self._checked(CONTENT, "checksum", "WHERE ordinal >= 0")

    def records(self, ordinals: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return what is recorded of some rows, by their ordinals, with keys of `CONTENT`."""
        statement = f"SELECT {_quoted(CONTENT)} FROM outcome WHERE ordinal IN"  # noqa: S608  # names are ours
        rows = among(self._database.fetch, statement, ordinals)
        return {row[0]: dict(zip(CONTENT, row, strict=True)) for row in rows}

    def duplicates(self, most: int) -> list[tuple[str, str]]:
        """Return (SOP Instance UID, output) of objects that another output has, too, up to `most`."""
        statement = (
            "SELECT DISTINCT sop_instance_uid, output FROM outcome WHERE status = 'converted' AND sop_instance_uid IN ("
            "SELECT sop_instance_uid FROM outcome WHERE status = 'converted' GROUP BY sop_instance_uid "
            "HAVING count(DISTINCT output) > 1) ORDER BY sop_instance_uid, output LIMIT ?"
        )
        return self._database.fetch(statement, (most,))

    def outputs_of(self, uids: Sequence[str]) -> dict[str, str]:
        """Return the output of each object, by its SOP Instance UID; of those that it knows."""
        statement = "SELECT sop_instance_uid, output FROM outcome WHERE status = 'converted' AND sop_instance_uid IN"
        return dict(among(self._database.fetch, statement, uids))

    def blocks(self, rows: int, own: Sequence[int]) -> Iterator[Block]:
        """Yield the outcomes of the manifest's first `rows` rows in blocks with `CONTENT`, one after the other; None for what isn't there.

        Parameters
        ----------
        rows
            How many.
        own
            Of each row whether this very process has just recorded it, so that its checksum says nothing new.

        Raises
        ------
        LedgerError
            If a row is not what was written.
        """
        names = (*CONTENT, "checksum")
        statement = f"SELECT {_quoted(names)} FROM outcome WHERE ordinal >= ? AND ordinal < ? ORDER BY ordinal"  # noqa: S608  # names are ours
        for start in range(0, rows, _BLOCK):
            stop = min(start + _BLOCK, rows)
            found = self._database.fetch(statement, (start, stop))
            block = Block.of(names, list(zip(*found, strict=True))) if found else None
            if block and not all(own[start:stop]):
                self._compare(block, own)
            if block is None or block.count < stop - start:
                known = {row[0]: row for row in found}
                whole = [known.get(ordinal) or (ordinal, *_NOTHING) for ordinal in range(start, stop)]
                block = Block.of(names, list(zip(*whole, strict=True)))
            yield block

    def decisive(self) -> Iterator[tuple[Any, ...]]:
        """Yield what resuming needs of every row, orphans too, in the order of `DECISIVE`.

        Raises
        ------
        LedgerError
            If a row is not what was written.
        """
        names = (*DECISIVE, "decisive_checksum")
        with self._database.explained():
            statement = f"SELECT {_quoted(names)} FROM outcome ORDER BY ordinal"  # noqa: S608  # names are ours
            found = self._database.connection.execute(statement)
            while rows := found.fetchmany(_BLOCK):
                block = Block.of(names, list(zip(*rows, strict=True)))
                damaged = map(ne, checksums(block, DECISIVE[1:]), block[names[-1]])
                for row in compress(rows, damaged):
                    raise self._damaged(row[0])
                yield from map(_unsealed, rows)

    def failures(self) -> dict[int, tuple[str, ...]]:
        """Return (stage, class of the error, release) of each row that failed, by its ordinal."""
        only, wanted = "WHERE status = 'failed'", ("ordinal", "stage", "error", "release")
        ordinal, *others = (CONTENT.index(name) for name in wanted)
        rows = self._checked(CONTENT, "checksum", only)
        return {int(row[ordinal]): tuple(str(row[place] or "") for place in others) for row in rows}

    def objects(self, ordinals: Iterable[int]) -> list[RecordedObject | None]:
        """Return what was made of rows, given by their ordinals; None for one that has no object now."""
        statement = (
            "SELECT study_instance_uid, series_instance_uid, sop_instance_uid, sop_class_uid, referenced "
            "FROM outcome WHERE ordinal = ? AND status = 'converted'"
        )
        found = (self._database.fetch(statement, (ordinal,)) for ordinal in ordinals)
        return [RecordedObject(*rows[0]) if rows else None for rows in found]

    def source_digests(self) -> dict[int, str]:
        """Return the SHA-256 of each converted row's source, by the row's ordinal."""
        statement = "SELECT ordinal, source_sha256 FROM outcome WHERE status = 'converted' AND ordinal >= 0"
        return dict(self._database.fetch(statement))

    def _checked(self, names: Sequence[str], seal: str, only: str) -> Iterator[tuple[Any, ...]]:
        with self._database.explained():
            for row in self._database.connection.execute(
                f"SELECT {_quoted((*names, seal))} FROM outcome {only} ORDER BY ordinal"  # noqa: S608  # names are ours
            ):
                if checksum(row[1:-1]) != row[-1]:
                    raise self._damaged(row[0])
                yield row[:-1]

    def _compare(self, block: Block, own: Sequence[int]) -> None:
        """Raise where a row that is not this process' own has another checksum than it was written with."""
        recorded = block["checksum"]
        for place, found in enumerate(checksums(block, CONTENT[1:])):
            if found != recorded[place] and not own[ordinal := block["ordinal"][place]]:
                raise self._damaged(ordinal)

    def _damaged(self, ordinal: int) -> LedgerError:
        return LedgerError(
            f"the ledger {self.path} is damaged: row {ordinal} is not what was written. "
            f"Run `bulkdcm rebuild` to make it anew from the outputs."
        )

    def renumber(
        self, moves: Iterable[tuple[int, int]], listing: Listing | None = None, told: Mapping[str, Any] | None = None
    ) -> None:
        """Follow a manifest that has changed, in one commit, so that no row is ever called by the name of another.

        Parameters
        ----------
        moves
            (old, new) ordinals of rows; a new one below 0 sets the row aside.
        listing
            How its rows are named; None if that stays as it is.
        told
            What is to be known of the run that begins.
        """
        with self._database.explained(), self._database.transaction():
            # By way of numbers far away, since the new place may not be free yet.
            statement = "UPDATE outcome SET ordinal = ? WHERE ordinal = ?"
            self._database.connection.executemany(statement, [(new + _FAR, old) for old, new in moves])
            self._database.connection.execute(
                "UPDATE outcome SET ordinal = ordinal - ? WHERE ordinal > ?", (_FAR, _FAR // 2)
            )
            if listing:
                self.list_rows(listing)
            if told:
                self.tell_of_run(**told)


def _same(other: str, own: str) -> bool:
    """Whether two real paths lead to one folder, as where capitals and small letters are one."""
    with contextlib.suppress(OSError):
        return Path(other).samefile(own)
    return False
