"""Older ledgers become this release's, step by step, each with its record; what they hold stays as it was."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from bulkdcm.errors import LedgerError
from bulkdcm.ledger import migrations, schema
from bulkdcm.ledger.files import FILE, FOLDER
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.schema import CONTENT, DECISIVE

FIXTURES = Path(__file__).parents[1] / "fixtures"
# What a fixture holds, and the version that its release had.
OLD = {"ledger_0.1.0": 1, "ledger_2": 2}


def lay(name: str, out: Path) -> Path:
    """Put a ledger of an older release into an output folder; return its path."""
    (out / FOLDER).mkdir()
    path = out / FOLDER / FILE
    shutil.copy(FIXTURES / name / FILE, path)
    (out / FOLDER / "ledger-exists").touch()
    return path


def asked(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("name", OLD)
def test_an_old_ledger_opens_takes_the_steps_that_it_lacks_and_keeps_what_it_holds(name, tmp_path):
    path = lay(name, tmp_path)
    assert asked(path, "PRAGMA user_version") == [(OLD[name],)]
    before = asked(path, "SELECT ordinal, status, output, source_sha256, checksum FROM outcome ORDER BY ordinal")
    for _ in range(2):
        ledger = open_ledger(tmp_path, None)
        rows = [dict(zip(CONTENT, row, strict=True)) for row in ledger.outcomes()]  # which looks at the checksums
        assert len(list(ledger.decisive())) == len(rows) == 21
        ledger.close()
    assert (
        asked(path, "SELECT ordinal, status, output, source_sha256, checksum FROM outcome ORDER BY ordinal") == before
    )
    assert rows[0]["source_version"] == 1_700_000_000_000_000_000
    taken = range(OLD[name] + 1, schema.VERSION + 1)
    assert asked(path, "SELECT number FROM migration ORDER BY number") == [(number,) for number in taken]
    assert asked(path, "PRAGMA user_version") == [(schema.VERSION,)]


@pytest.mark.parametrize("name", OLD)
def test_an_old_ledger_has_the_columns_of_a_new_one(name, tmp_path):
    (tmp_path / "new").mkdir()
    open_ledger(tmp_path / "new", None).close()
    (tmp_path / "old").mkdir()
    lay(name, tmp_path / "old")
    open_ledger(tmp_path / "old", None).close()
    for table in ("outcome", "obsolete", "claim", "move", "fact", "migration"):
        old, new = (
            {row[1] for row in asked(tmp_path / place / FOLDER / FILE, f"PRAGMA table_info({table})")}
            for place in ("old", "new")
        )
        assert old == new != set(), table


def test_a_step_that_fails_leaves_nothing_of_itself(tmp_path, monkeypatch):
    path = lay("ledger_0.1.0", tmp_path)
    steps = {**migrations._STEPS, 3: (*migrations._STEPS[3], "ALTER TABLE nonsense ADD COLUMN x TEXT")}
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "_STEPS", steps)
        with pytest.raises(LedgerError):
            open_ledger(tmp_path, None)
    assert asked(path, "PRAGMA user_version") == [(2,)]
    assert asked(path, "SELECT number FROM migration") == [(2,)]
    assert "output_mtime_ns" in {row[1] for row in asked(path, "PRAGMA table_info(obsolete)")}
    open_ledger(tmp_path, None).close()
    assert asked(path, "PRAGMA user_version") == [(schema.VERSION,)]


def test_every_field_has_one_place_that_no_other_has():
    assert sorted(field.place for field in schema.FIELDS) == list(range(1, len(schema.FIELDS) + 1))
    deciding = sorted(field.decides for field in schema.FIELDS if field.decides)
    assert deciding == list(range(1, len(deciding) + 1))
    assert len({field.name for field in schema.FIELDS}) == len(schema.FIELDS)
    assert set(schema.FILE_FACTS) <= set(DECISIVE) <= set(CONTENT)
    assert set(migrations._STEPS) <= set(range(1, schema.VERSION + 1))


def test_later_fields_have_later_places():
    """Else a row of an older release would have another checksum."""
    by_place = sorted(schema.FIELDS, key=lambda field: field.place)
    assert [field.since for field in by_place] == sorted(field.since for field in schema.FIELDS)
