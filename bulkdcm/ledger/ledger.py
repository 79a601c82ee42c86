"""The run's memory: one SQLite row for each manifest row that was tried, written only by the parent.

What is committed here has happened: a chunk's files are in place and on the disk before its commit. Each row carries a
checksum, since SQLite by itself does not notice a flipped bit in a page.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bulkdcm.errors import LedgerError, of_system
from bulkdcm.ledger.database import Database
from bulkdcm.ledger.files import FILE, FOLDER, MARKER, parts, refuse_link
from bulkdcm.ledger.schema import CONTENT, DECISIVE, FILE_FACTS, STORED, checksum, sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


_FAR = 2**48
_FILE_FACTS = ", ".join(FILE_FACTS)
_UNOWNED = "output NOT IN (SELECT output FROM outcome WHERE output IS NOT NULL AND ordinal >= 0)"
_QUOTED = ", ".join(f'"{name}"' for name in STORED)  # rows and columns are SQL words
_MARKS = ", ".join("?" * len(STORED))


class RecordedObject(NamedTuple):
    """An object that is in place, for those that refer to it."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    referenced: str | None
    """Digest of what it refers to itself."""


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


class Ledger:
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
        self._database = database
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

    def fact(self, name: str) -> str:
        """Return what was noted under a name; empty where nothing was."""
        with self._database.explained():
            row = self._database.connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def note(self, name: str, value: str) -> None:
        """Note a fact of the whole work."""
        with self._database.explained():
            self._database.connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

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
        rows: Iterable[Sequence[Any]],
        obsolete: Iterable[int] = (),
        moves: Iterable[tuple[str, str]] = (),
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
        """
        with self._database.explained(), self._database.transaction():
            self._database.connection.executemany(
                f"INSERT OR IGNORE INTO obsolete ({_FILE_FACTS}) "  # noqa: S608  # names are ours
                f"SELECT {_FILE_FACTS} FROM outcome WHERE ordinal = ? AND output IS NOT NULL",
                [(ordinal,) for ordinal in obsolete],
            )
            self._database.connection.executemany(f"INSERT OR REPLACE INTO outcome ({_QUOTED}) VALUES ({_MARKS})", rows)  # noqa: S608  # names are ours
            self._database.connection.executemany("INSERT OR REPLACE INTO move VALUES (?, ?)", moves)

    def amend(self, name: str, values: Mapping[int, Any]) -> None:
        """Write another value into one column of some rows, given by their ordinals."""
        if values:
            rows = (dict(zip(CONTENT, row, strict=True)) for row in self.outcomes() if row[0] in values)
            self.record([{**row, name: values[row["ordinal"]]} for row in rows])

    def earlier(self, ordinal: int) -> dict[str, Any]:
        """Return what is known of the output that a row has, for the record of a failed attempt; empty for none."""
        statement = f"SELECT {_FILE_FACTS}, status, source_sha256, earlier_source_sha256 FROM outcome WHERE ordinal = ?"  # noqa: S608  # ours
        with self._database.explained():
            row = self._database.connection.execute(statement, (ordinal,)).fetchone()
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

    def objects(self, ordinals: Iterable[int]) -> list[RecordedObject | None]:
        """Return what was made of rows, given by their ordinals; None for one that has no object now."""
        statement = (
            "SELECT study_instance_uid, series_instance_uid, sop_instance_uid, sop_class_uid, referenced "
            "FROM outcome WHERE ordinal = ? AND status = 'converted'"
        )
        with self._database.explained():
            rows = [self._database.connection.execute(statement, (ordinal,)).fetchone() for ordinal in ordinals]
        return [row and RecordedObject(*row) for row in rows]

    def source_digests(self) -> dict[int, str]:
        """Return the SHA-256 of each converted row's source, by the row's ordinal."""
        statement = "SELECT ordinal, source_sha256 FROM outcome WHERE status = 'converted' AND ordinal >= 0"
        with self._database.explained():
            return dict(self._database.connection.execute(statement).fetchall())

    def _checked(self, names: Sequence[str], seal: str, only: str) -> Iterator[tuple[Any, ...]]:
        quoted = ", ".join(f'"{name}"' for name in (*names, seal))
        with self._database.explained():
            for row in self._database.connection.execute(f"SELECT {quoted} FROM outcome {only} ORDER BY ordinal"):  # noqa: S608  # names are ours
                if checksum(row[1:-1]) != row[-1]:
                    msg = (
                        f"the ledger {self.path} is damaged: row {row[0]} is not what was written. "
                        f"Run `bulkdcm rebuild` to make it anew from the outputs."
                    )
                    raise LedgerError(msg)
                yield row[:-1]

    def renumber(self, moves: Iterable[tuple[int, int]]) -> None:
        """Follow a manifest that has changed: (old, new) ordinals of rows; a new one below 0 sets the row aside."""
        with self._database.explained(), self._database.transaction():
            # By way of numbers far away, since the new place may not be free yet.
            statement = "UPDATE outcome SET ordinal = ? WHERE ordinal = ?"
            self._database.connection.executemany(statement, [(new + _FAR, old) for old, new in moves])
            self._database.connection.execute(
                "UPDATE outcome SET ordinal = ordinal - ? WHERE ordinal > ?", (_FAR, _FAR // 2)
            )

    def orphans(self) -> list[tuple[Any, ...]]:
        """Return the outputs of rows that are no longer in the manifest, and that no row has now; as `FILE_FACTS`."""
        gone = f"ordinal < 0 AND output IS NOT NULL AND {_UNOWNED}"
        return self._files(f"SELECT {_FILE_FACTS} FROM outcome WHERE {gone} GROUP BY output")  # noqa: S608  # ours

    def forget_orphans(self) -> None:
        """Remove what is known of rows that are no longer in the manifest and of whose outputs none is left to remove."""
        with self._database.explained(), self._database.transaction():
            statement = f"DELETE FROM outcome WHERE ordinal < 0 AND (output IS NULL OR NOT {_UNOWNED})"  # noqa: S608  # ours
            self._database.connection.execute(statement)

    def obsolete(self) -> list[tuple[Any, ...]]:
        """Return the outputs of earlier attempts that no row has now; as `FILE_FACTS`."""
        return self._files(f"SELECT {_FILE_FACTS} FROM obsolete WHERE {_UNOWNED}")  # noqa: S608  # ours

    def _files(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._database.explained():
            return self._database.connection.execute(statement, values).fetchall()

    def forget_files(self, outputs: Iterable[str]) -> None:
        """Note that outputs of earlier attempts, or of rows that are gone, aren't there any more."""
        gone = [(output,) for output in outputs]
        with self._database.explained(), self._database.transaction():
            self._database.connection.executemany("DELETE FROM obsolete WHERE output = ?", gone)
            self._database.connection.executemany("DELETE FROM outcome WHERE ordinal < 0 AND output = ?", gone)
            self._database.connection.execute(f"DELETE FROM obsolete WHERE NOT {_UNOWNED}")  # noqa: S608  # ours

    def owners(self) -> dict[str, int]:
        """Return the ordinal of the row that has each output; of a multi-frame object, one of them."""
        return dict(self._files("SELECT output, ordinal FROM outcome WHERE output IS NOT NULL AND ordinal >= 0"))

    def claim(self, outputs: Iterable[str]) -> None:
        """Note names that workers are about to write; called from whichever thread hands out work."""
        with self._database.explained(), self._database.transaction(durable=False):
            self._database.connection.executemany(
                "INSERT OR IGNORE INTO claim VALUES (?)", [(output,) for output in outputs]
            )

    def claims(self) -> set[str]:
        """Return the names that a run which didn't come to its end may have written."""
        return {row[0] for row in self._files("SELECT output FROM claim")}

    def forget_claims(self, outputs: Iterable[str] | None = None) -> None:
        """Note that nothing is being written to some names; to any, where none are given."""
        with self._database.explained(), self._database.transaction(durable=False):
            if outputs is None:
                self._database.connection.execute("DELETE FROM claim")
            else:
                self._database.connection.executemany(
                    "DELETE FROM claim WHERE output = ?", [(output,) for output in outputs]
                )

    def moves(self) -> list[tuple[Any, ...]]:
        """Return (staged, final) names of files that are recorded under the final ones and may not have them yet."""
        return self._files("SELECT staged, output FROM move")

    def forget_moves(self) -> None:
        """Note that all files have their final names."""
        with self._database.explained():
            self._database.connection.execute("DELETE FROM move")
