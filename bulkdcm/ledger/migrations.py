"""How an older release's ledger becomes one of this: numbered steps, each in one transaction with its record.

A column that `FIELDS` has since a version is added by that version's step; only what is more than that is written here.
What was recorded stays as it is, and so do its checksums. A new ledger takes all steps, one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm._version import __version__
from bulkdcm.ledger import schema

if TYPE_CHECKING:
    import sqlite3

# A step that has been released is never changed.
_STEPS: dict[int, tuple[str, ...]] = {
    1: (
        """CREATE TABLE outcome (
        ordinal INTEGER PRIMARY KEY, status TEXT NOT NULL, attempt INTEGER NOT NULL,
        checksum INTEGER NOT NULL, decisive_checksum INTEGER NOT NULL)""",
        # Outputs of earlier attempts, which go once the run is over.
        "CREATE TABLE obsolete (output TEXT PRIMARY KEY)",
        "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT)",
    ),
    2: (
        "ALTER TABLE obsolete ADD COLUMN output_size_bytes INTEGER",
        "ALTER TABLE obsolete ADD COLUMN output_mtime_ns INTEGER",
        "ALTER TABLE obsolete ADD COLUMN output_sha256 TEXT",
        # Outputs that workers have been asked for: what a killed run left at these names is ours.
        "CREATE TABLE claim (output TEXT PRIMARY KEY)",
        # Files that are complete and recorded under the names they are about to get.
        "CREATE TABLE move (staged TEXT PRIMARY KEY, output TEXT)",
    ),
    3: ("ALTER TABLE obsolete RENAME COLUMN output_mtime_ns TO output_version",),
    4: (
        # What a report says of the manifest's rows, so that one can be made without the manifest.
        "CREATE TABLE listing (number INTEGER PRIMARY KEY, content TEXT)",
        # How far a run had come, and when.
        "CREATE TABLE pace (run INTEGER, at_s REAL, converted INTEGER, failed INTEGER)",
    ),
}
# Columns of `FIELDS` that had another name before.
_RENAMED: dict[int, dict[str, str]] = {
    3: {"source_mtime_ns": "source_version", "output_mtime_ns": "output_version"},
}


def missing(connection: sqlite3.Connection) -> range:
    """Return the steps that a ledger has not taken."""
    return range(int(connection.execute("PRAGMA user_version").fetchone()[0]) + 1, schema.VERSION + 1)


def take(connection: sqlite3.Connection, number: int) -> None:
    """Take a step, within the caller's transaction, and record it."""
    for statement in _STEPS.get(number, ()):
        connection.execute(statement)
    known = {row[1] for row in connection.execute("PRAGMA table_info(outcome)")}
    for old, new in _RENAMED.get(number, {}).items():
        if old in known:
            connection.execute(f'ALTER TABLE outcome RENAME COLUMN "{old}" TO "{new}"')
            known.add(new)
    for field in schema.FIELDS:
        if field.since == number and field.name not in known:
            connection.execute(f'ALTER TABLE outcome ADD COLUMN "{field.name}" {field.kind}')
    connection.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, release TEXT)")
    connection.execute("INSERT INTO migration VALUES (?, ?)", (number, __version__))
    connection.execute(f"PRAGMA user_version = {number}")
