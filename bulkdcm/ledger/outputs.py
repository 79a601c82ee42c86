"""What a ledger knows of output files: whose they are, which go, and which don't have their names yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkdcm.ledger.schema import FILE_FACTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bulkdcm.ledger.database import Database

FILE_COLUMNS = ", ".join(FILE_FACTS)
_UNOWNED = "output NOT IN (SELECT output FROM outcome WHERE output IS NOT NULL AND ordinal >= 0)"


class Outputs:
    """The files that a ledger's rows have, had, or are about to have.

    Parameters
    ----------
    database
        Of the ledger.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def earlier(self, ordinal: int) -> dict[str, Any]:
        """Return what is known of the output that a row has, for the record of a failed attempt; empty for none."""
        statement = (
            f"SELECT {FILE_COLUMNS}, status, source_sha256, earlier_source_sha256 FROM outcome WHERE ordinal = ?"  # noqa: S608  # ours
        )
        rows = self._database.fetch(statement, (ordinal,))
        if not rows or rows[0][0] is None:
            return {}
        *facts, status, source_sha256, earlier_sha256 = rows[0]
        found = source_sha256 if status == "converted" else earlier_sha256
        return {**dict(zip(FILE_FACTS, facts, strict=True)), "earlier_source_sha256": found}

    def orphans(self) -> list[tuple[Any, ...]]:
        """Return the outputs of rows that are no longer in the manifest, and that no row has now; as `FILE_FACTS`."""
        gone = f"ordinal < 0 AND output IS NOT NULL AND {_UNOWNED}"
        return self._database.fetch(f"SELECT {FILE_COLUMNS} FROM outcome WHERE {gone} GROUP BY output")  # noqa: S608  # ours

    def forget_orphans(self) -> None:
        """Remove what is known of rows that are no longer in the manifest and of whose outputs none is left to remove."""
        with self._database.explained(), self._database.transaction():
            statement = f"DELETE FROM outcome WHERE ordinal < 0 AND (output IS NULL OR NOT {_UNOWNED})"  # noqa: S608  # ours
            self._database.connection.execute(statement)

    def obsolete(self) -> list[tuple[Any, ...]]:
        """Return the outputs of earlier attempts that no row has now; as `FILE_FACTS`."""
        return self._database.fetch(f"SELECT {FILE_COLUMNS} FROM obsolete WHERE {_UNOWNED}")  # noqa: S608  # ours

    def forget_files(self, outputs: Iterable[str]) -> None:
        """Note that outputs of earlier attempts, or of rows that are gone, aren't there any more."""
        gone = [(output,) for output in outputs]
        with self._database.explained(), self._database.transaction():
            self._database.connection.executemany("DELETE FROM obsolete WHERE output = ?", gone)
            self._database.connection.executemany("DELETE FROM outcome WHERE ordinal < 0 AND output = ?", gone)
            self._database.connection.execute(f"DELETE FROM obsolete WHERE NOT {_UNOWNED}")  # noqa: S608  # ours

    def owners(self) -> dict[str, int]:
        """Return the ordinal of the row that has each output; of a multi-frame object, one of them."""
        return dict(
            self._database.fetch("SELECT output, ordinal FROM outcome WHERE output IS NOT NULL AND ordinal >= 0")
        )

    def claim(self, outputs: Iterable[str]) -> None:
        """Note names that workers are about to write; called from whichever thread hands out work."""
        with self._database.explained(), self._database.transaction(durable=False):
            self._database.connection.executemany(
                "INSERT OR IGNORE INTO claim VALUES (?)", [(output,) for output in outputs]
            )

    def claims(self) -> set[str]:
        """Return the names that a run which didn't come to its end may have written."""
        return {row[0] for row in self._database.fetch("SELECT output FROM claim")}

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
        """Return files that are recorded under their final names and may not have them yet.

        Of each its staged name, the final one, and whether no row has that.
        """
        return self._database.fetch(f"SELECT staged, output, ({_UNOWNED}) IS NOT 0 FROM move")  # noqa: S608  # ours

    def forget_moves(self) -> None:
        """Note that all files have their final names."""
        with self._database.explained():
            self._database.connection.execute("DELETE FROM move")
