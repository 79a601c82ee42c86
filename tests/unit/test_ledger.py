"""The run's memory: committed is kept, damage is noticed."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from bulkdcm.errors import LedgerError
from bulkdcm.ledger.files import FILE, FOLDER, set_aside
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.schema import CONTENT, DECISIVE, sealed


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


def outputs(ledger, *, orphans=False):
    names, rows = (DECISIVE, ledger.decisive()) if orphans else (CONTENT, ledger.outcomes())
    return [(row[0], row[names.index("output")]) for row in rows]


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
    assert orphans_of(ledger) == ["1.dcm"]
    ledger.forget_files(["1.dcm"])
    assert orphans_of(ledger) == []


def test_obsolete_outputs_are_those_no_row_has(ledger):
    ledger.record([record(0, output="a.dcm", output_size_bytes=7), record(1, output="b.dcm")])
    ledger.insert([sealed(record(0, output="b.dcm")), sealed(record(1, output="c.dcm"))], [0, 1])
    assert ledger.obsolete() == [("a.dcm", 7, None, None)]
    ledger.forget_files(["a.dcm"])
    assert ledger.obsolete() == []


def test_a_failed_row_has_the_output_of_an_earlier_attempt(ledger):
    ledger.record([record(0, output_sha256="o", source_sha256="s"), record(1, status="failed", output=None)])
    earlier = ledger.earlier(0)
    assert earlier == {
        "output": "0.dcm", "output_size_bytes": None, "output_version": None, "output_sha256": "o",
        "earlier_source_sha256": "s",
    }  # fmt: skip
    assert ledger.earlier(1) == ledger.earlier(7) == {}
    ledger.record([record(0, status="failed", source_sha256="new", stage="decode", error="E", release="r", **earlier)])
    assert ledger.earlier(0) == earlier
    assert ledger.failures()[0] == ("decode", "E", "r")
    ledger.renumber([(0, -1)])
    assert orphans_of(ledger) == ["0.dcm"]


def test_names_that_were_claimed_are_known_until_they_are_forgotten(tmp_path):
    first = open_ledger(tmp_path, None)
    first.claim(["a.dcm", "b.dcm"])
    first.claim(["b.dcm", "c.dcm"])
    first.close()
    again = open_ledger(tmp_path, None)
    assert again.claims() == {"a.dcm", "b.dcm", "c.dcm"}
    again.forget_claims(["a.dcm"])
    assert again.claims() == {"b.dcm", "c.dcm"}
    again.forget_claims()
    assert again.claims() == set()
    again.close()


def test_another_value_in_one_column_keeps_the_row_valid(ledger):
    ledger.record([record(0, source_version=1), record(1, source_version=2)])
    ledger.amend("source_version", {1: 9})
    place = DECISIVE.index("source_version")
    assert [row[place] for row in ledger.decisive()] == [1, 9]


def orphans_of(ledger):
    return [file[0] for file in ledger.orphans()]


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

    def read() -> None:
        with closing(open_ledger(tmp_path, None)) as ledger:
            list(ledger.outcomes())

    with pytest.raises(LedgerError, match=words) as caught:
        read()
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


def test_what_resuming_needs_comes_for_every_row_set_aside_or_not(ledger):
    ledger.record([record(0, settings="s", source_version=5), record(1, status="failed", output=None)])
    ledger.renumber([(0, -1)])
    aside, failed = (dict(zip(DECISIVE, values, strict=True)) for values in ledger.decisive())
    assert (aside["ordinal"], aside["status"], aside["settings"], aside["source_version"]) == (-1, "converted", "s", 5)
    assert (failed["ordinal"], failed["status"], failed["output"], failed["attempt"]) == (1, "failed", None, 1)


@pytest.mark.parametrize("column", ["status", "identity", "output", "output_version", "attempt", "decisive_checksum"])
def test_damage_to_what_decides_is_noticed_by_a_resume(column, tmp_path):
    first = open_ledger(tmp_path, None)
    first.record([record(0), record(1)])
    first.close()
    change(tmp_path / FOLDER / FILE, f"UPDATE outcome SET {column} = 77 WHERE ordinal = 1")
    again = open_ledger(tmp_path, None)
    with pytest.raises(LedgerError, match=r"row 1 is not what was written. Run `bulkdcm rebuild`"):
        list(again.decisive())
    again.close()


def test_damage_to_the_rest_is_noticed_by_the_report_and_does_not_stop_a_resume(tmp_path):
    first = open_ledger(tmp_path, None)
    first.record([record(0, message="all is well")])
    first.close()
    change(tmp_path / FOLDER / FILE, "UPDATE outcome SET message = 'all is lost'")
    again = open_ledger(tmp_path, None)
    assert len(list(again.decisive())) == 1
    with pytest.raises(LedgerError, match="row 0 is not what was written"):
        list(again.outcomes())
    again.close()


@pytest.mark.parametrize(
    ("others", "orphans"),
    [
        ([], ["1.dcm"]),
        ([record(5, output="1.dcm")], []),
        ([record(5, output="1.dcm", status="failed")], []),
    ],
)
def test_an_output_is_an_orphan_s_only_while_no_row_has_it(others, orphans, ledger):
    ledger.record([record(1), record(2, status="failed", output=None)])
    ledger.renumber([(1, -1), (2, -2)])
    ledger.record(others)
    assert orphans_of(ledger) == orphans


def test_forgetting_orphans_leaves_rows_with_the_same_output(ledger):
    ledger.record([record(0, output="x.dcm"), record(1, output="x.dcm"), record(2)])
    ledger.renumber([(0, -1), (2, -2)])
    ledger.forget_orphans()
    assert outputs(ledger, orphans=True) == [(-2, "2.dcm"), (1, "x.dcm")]


def test_a_commit_that_fails_keeps_none_of_its_rows(ledger):
    ledger.record([record(0)])
    with pytest.raises(LedgerError, match="can't be used"):
        ledger.insert([sealed(record(1)), sealed(record(2, status=None))], [0])
    assert outputs(ledger) == [(0, "0.dcm")]
    assert ledger.obsolete() == []


@pytest.mark.parametrize(("content", "words"), [(b"", "cut off"), (b"no database" * 99, "rebuild")])
def test_a_file_that_is_no_ledger_any_more_is_refused(content, words, tmp_path):
    open_ledger(tmp_path, None).close()
    (tmp_path / FOLDER / FILE).write_bytes(content)
    with pytest.raises(LedgerError, match=words):
        open_ledger(tmp_path, None)


def test_a_first_run_killed_before_its_ledger_held_anything_begins_anew(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).touch()
    first = open_ledger(tmp_path, None)
    assert outputs(first) == []
    assert not first.left_unclean
    first.close()


def test_a_ledger_set_aside_is_kept_under_another_name(tmp_path):
    first = open_ledger(tmp_path, None)
    first.record([record(0)])
    first.close()
    set_aside(tmp_path, None)
    again = open_ledger(tmp_path, None)
    assert outputs(again) == []
    again.close()
    connection = sqlite3.connect(tmp_path / FOLDER / f"{FILE}.old")
    assert connection.execute("SELECT output FROM outcome").fetchall() == [("0.dcm",)]
    connection.close()
