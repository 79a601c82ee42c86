"""What a ledger knows of the runs themselves, and of the manifest's rows as far as a report names them."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bulkdcm.ledger.outputs import Outputs
from bulkdcm.ledger.schema import STORED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from bulkdcm.ledger.database import Database

BLOCK = 500
"""Rows read at once: as many as a processor's cache holds."""
Named = dict[str, "list[Any]"]
_STATUS = STORED.index("status")
_NAMES = ("line", "source", "output", "patient")


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a manifest as a report names them, each column as its distinct values and a code a row.

    Attributes
    ----------
    lines
        Of the file.
    sources, outputs
        Codes and values.
    patients
        A number for each row's patient, in the order of their coming; 0 if the row doesn't tell. No name, and no ID: a ledger
        is what people send along with a question.
    """

    lines: npt.NDArray[Any]
    sources: tuple[npt.NDArray[Any], Sequence[str]]
    outputs: tuple[npt.NDArray[Any], Sequence[str]]
    patients: npt.NDArray[Any]

    @property
    def digest(self) -> str:
        """Tells one listing from another."""
        found = hashlib.sha256()
        for codes, values in (self.sources, self.outputs):
            found.update(codes.tobytes() + "\0".join(values).encode("utf-8", "surrogatepass") + b"\1")
        found.update(self.lines.tobytes() + self.patients.tobytes())
        return found.hexdigest()

    def named(self) -> Iterator[Named]:
        """Yield line, source, output and patient of the rows, a block of rows at a time."""
        for first in range(0, len(self.lines), BLOCK):
            part = slice(first, first + BLOCK)
            texts = ([values[code] for code in codes[part].tolist()] for codes, values in (self.sources, self.outputs))
            columns: tuple[list[Any], ...] = (self.lines[part].tolist(), *texts, self.patients[part].tolist())
            yield dict(zip(_NAMES, columns, strict=True))


class Runs(Outputs):
    """The runs that a ledger has seen, and the rows of their manifest.

    Parameters
    ----------
    database
        Of the ledger.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._run, self._began_s = 0, 0.0

    def fact(self, name: str) -> str:
        """Return what was noted under a name; empty where nothing was."""
        rows = self._database.fetch("SELECT value FROM fact WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def note(self, name: str, value: str) -> None:
        """Note a fact of the whole work."""
        with self._database.explained():
            self._database.connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def run_facts(self) -> dict[str, Any]:
        """Return what is known of the last run; empty of ledgers that no run of this release has had."""
        found = self.fact("run")
        return dict(json.loads(found)) if found else {}

    def begin_run(self, began_s: float) -> int:
        """Return the number of a run that begins.

        Parameters
        ----------
        began_s
            By `time.perf_counter`.
        """
        self._run, self._began_s = self._last + 1, began_s
        with self._database.explained():
            self._database.connection.execute("DELETE FROM pace")  # of earlier ones
        return self._run

    def tell_of_run(self, **facts: Any) -> None:
        """Note more of the run that is under way."""
        known = self.run_facts()
        known = known if known.get("number") == self._run else {"number": self._run}
        self.note("run", json.dumps({**known, **facts}))

    def keep_pace(self, rows: Sequence[Sequence[Any]]) -> None:
        """Note how many rows were recorded just now; within the transaction that records them."""
        counted = Counter(row[_STATUS] for row in rows)
        at_s = round(time.perf_counter() - self._began_s, 3)
        self._database.connection.execute(
            "INSERT INTO pace VALUES (?, ?, ?, ?)", (self._run, at_s, counted["converted"], counted["failed"])
        )

    def pace(self) -> list[tuple[float, int, int]]:
        """Return when the last run recorded rows, in seconds from its beginning, and how many it converted and failed."""
        statement = "SELECT at_s, converted, failed FROM pace WHERE run = ? ORDER BY rowid"
        return [(row[0], row[1], row[2]) for row in self._database.fetch(statement, (self._last,))]

    @property
    def _last(self) -> int:
        return int(self.run_facts().get("number", 0))

    def list_rows(self, listing: Listing) -> None:
        """Write how the manifest's rows are named, within the caller's transaction, if that has changed."""
        connection, digest = self._database.connection, listing.digest
        if self.fact("listing") != digest:
            connection.execute("DELETE FROM listing")
            written = (json.dumps(block, separators=(",", ":")) for block in listing.named())
            connection.executemany("INSERT INTO listing VALUES (?, ?)", enumerate(written))
            self.note("listing", digest)

    def listed(self) -> Iterator[Named]:
        """Yield how the manifest's rows are named, a block of rows at a time: line, source, output, patient."""
        for (content,) in self._database.fetch("SELECT content FROM listing ORDER BY number"):
            yield json.loads(content)

    def row_count(self) -> int:
        """Return how many rows the manifest has."""
        last = self._database.fetch("SELECT number, content FROM listing ORDER BY number DESC LIMIT 1")
        return last[0][0] * BLOCK + len(json.loads(last[0][1])["line"]) if last else 0

    def ran(self, rows: int) -> bytearray:
        """Return for each of the manifest's rows 1 if the last run recorded it, else 0."""
        found = bytearray(rows)
        statement = "SELECT ordinal FROM outcome WHERE run = ? AND ordinal BETWEEN 0 AND ?"
        for (ordinal,) in self._database.fetch(statement, (self._last, rows - 1)):
            found[ordinal] = 1
        return found
