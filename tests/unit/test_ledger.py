"""The run's memory: committed is kept, damage is noticed."""

from __future__ import annotations

import sqlite3

import pytest

from bulkdcm.errors import LedgerError
from bulkdcm.ledger import FILE, FOLDER, open_ledger, set_aside


def record(ordinal: int, **changes):
    return {
        "ordinal": ordinal,
        "status": "converted",
        "output": f"{ordinal}.dcm",
        "attempt": 1,
        "identity": ordinal,
        **changes,
    }


@pytest.fixture
def ledger(tmp_path):
    found = open_ledger(tmp_path, None)
    yield found
    found.close()


def outputs(ledger, **options):
    return list(ledger.outcomes(("ordinal", "output"), **options))


def test_outcomes_come_back_in_manifest_order_and_the_last_one_counts(ledger):
    ledger.record([record(2), record(0)])
    ledger.record([record(1), record(2, output="new.dcm")])
    assert outputs(ledger) == [(0, "0.dcm"), (1, "1.dcm"), (2, "new.dcm")]


def test_what_is_committed_is_there_after_opening_again(tmp_path):
    first = open_ledger(tmp_path, None)
    assert first.journal_mode == "wal"
    first.mark("running")
    first.record([record(0)])
    first.close()
    second = open_ledger(tmp_path, None)
    assert outputs(second) == [(0, "0.dcm")]
    assert second.left_unclean
    second.mark("ended")
    second.close()
    third = open_ledger(tmp_path, None)
    assert not third.left_unclean
    third.close()


def test_rows_that_move_and_rows_that_go(ledger):
    ledger.record([record(0), record(1), record(2)])
    ledger.renumber([(0, 2), (2, 0), (1, -1)])
    assert outputs(ledger) == [(0, "2.dcm"), (2, "0.dcm")]
    assert outputs(ledger, orphans=True)[0] == (-1, "1.dcm")
    assert ledger.orphans() == ["1.dcm"]
    ledger.forget_orphans(["1.dcm"])
    assert ledger.orphans() == []


def test_obsolete_outputs_are_those_no_row_has(ledger):
    ledger.record([record(0, output="a.dcm"), record(1, output="b.dcm")], ["b.dcm", "old.dcm"])
    assert ledger.obsolete() == ["old.dcm"]
    ledger.forget_obsolete()
    assert ledger.obsolete() == []


def change(path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE outcome SET output_sha256 = 'x'", "damaged"),
        ("UPDATE outcome SET output = NULL", "damaged"),
        ("PRAGMA user_version = 99", "newer"),
        ("PRAGMA application_id = 1", "no ledger"),
    ],
)
def test_what_is_not_what_was_written_is_refused_with_the_remedy(statement, words, tmp_path):
    first = open_ledger(tmp_path, None)
    first.record([record(0)])
    first.close()
    change(tmp_path / FOLDER / FILE, statement)
    with pytest.raises(LedgerError, match=words) as caught:
        list(open_ledger(tmp_path, None).outcomes())
    assert "rebuild" in str(caught.value) or "Update" in str(caught.value)


def test_a_ledger_that_is_gone_is_not_taken_for_a_new_one(tmp_path):
    open_ledger(tmp_path, None).close()
    (tmp_path / FOLDER / FILE).unlink()
    with pytest.raises(LedgerError, match="gone"):
        open_ledger(tmp_path, None)
    set_aside(tmp_path, None)
    open_ledger(tmp_path, None).close()


def test_a_ledger_elsewhere(tmp_path):
    place = tmp_path / "far" / "l.sqlite"
    open_ledger(tmp_path, place).close()
    assert place.exists()
    assert not (tmp_path / FOLDER / FILE).exists()
