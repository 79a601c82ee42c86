"""What is made of many rows together is what each of them alone would be: checksums, the ledger's lines, the report's files."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import bulkdcm
from bulkdcm.ledger import ledger as ledger_module
from bulkdcm.ledger import seals
from bulkdcm.ledger.block import Block
from bulkdcm.ledger.database import Database
from bulkdcm.ledger.ledger import Ledger
from bulkdcm.ledger.schema import CONTENT, DECISIVE, FIELDS, checksum, sealed
from bulkdcm.printable import ERRORS
from bulkdcm.report import COLUMNS, Report, Rows, complete, write
from bulkdcm.stores import Local
from tests.reports import ASKED

QUICK = settings(
    derandomize=True,
    deadline=None,
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
TEXTS = st.one_of(
    st.sampled_from(["", "converted", "it's", '"', "\\", "a,b", "=1", "-", "'", "'=1", "''-", "a=b-c", "\x7f", "Ångström", "患者", "null", "\0", "\1"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.text("0123456789abcdef", min_size=64, max_size=64),
)  # fmt: skip
VALUES = {
    "TEXT": TEXTS,
    "INTEGER": st.integers(-(2**63), 2**63 - 1),
    "REAL": st.floats(0, 1e9).map(lambda number: number + 0.0) | st.integers(0, 300).map(lambda number: number / 1e6),
}
KINDS = {field.name: field.kind for field in FIELDS}


@st.composite
def records(draw, most: int = 40):
    """Return records of rows, many of whose columns are the same for all or missing in some."""
    count = draw(st.sampled_from([1, 2, 5, most]))
    columns = {}
    for name in CONTENT[1:]:
        values = VALUES[KINDS[name]]
        one = st.just([draw(st.none() | values)] * count)
        several = st.lists(st.none() | values, min_size=count, max_size=count)
        columns[name] = draw(st.one_of(one, several, st.lists(values, min_size=count, max_size=count)))
    columns["status"] = draw(st.lists(st.sampled_from(["converted", "failed"]), min_size=count, max_size=count))
    columns["attempt"] = [1] * count
    return [{"ordinal": o, **{name: column[o] for name, column in columns.items()}} for o in range(count)]


def block_of(rows: list[dict[str, object]]) -> Block:
    return Block.of(CONTENT, [[row.get(name) for row in rows] for name in CONTENT])


@given(records())
@QUICK
def test_checksums_of_many_rows_are_those_of_each(rows):
    columns = seals.columns_of(rows)
    assert list(zip(*columns, strict=True)) == [sealed(row) for row in rows]
    block = block_of(rows)
    for names in (CONTENT[1:], DECISIVE[1:], CONTENT[-1:], ()):
        assert seals.checksums(block, names) == [checksum([row[name] for name in names]) for row in rows]


@pytest.mark.parametrize(
    "texts", [["\ud800", "a"], ["a\n", "b"], ["a'", 'b"'], ["a", None], ["é", "e"], ["", ""], [1, "1"]]
)
def test_texts_that_are_not_plain_have_the_checksums_of_each(texts):
    block = Block.of(["a"], [texts])
    assert seals.checksums(block, ["a"]) == [checksum([text]) for text in texts]


def test_many_different_numbers_have_their_own_texts():
    for shift in (0.0, 0.5):
        numbers = [number + shift for number in range(200_000)]
        for start in range(0, len(numbers), 1000):
            some = [number for number in numbers[start : start + 1000] for _ in range(2)]
            assert list(seals.texts_of(Block.of(["a"], [some]), "a")) == [repr(number) for number in some]


@given(records())
@QUICK
def test_rows_that_are_written_together_are_what_was_handed_over(tmp_path_factory, rows):
    ledger = Ledger(Database(tmp_path_factory.mktemp("ledger") / "ledger.sqlite"))
    try:
        ledger.insert([sealed(row) for row in rows])
        written = [tuple(row[name] for name in CONTENT) for row in rows]
        assert list(ledger.outcomes()) == written  # which looks at the checksums
        blocks = list(ledger.blocks(len(rows) + 3, [0] * (len(rows) + 3)))
        found = [row for block in blocks for row in zip(*(block[name] for name in CONTENT), strict=True)]
        assert found[: len(rows)] == written
        assert [row[1:] for row in found[len(rows) :]] == [(None,) * (len(CONTENT) - 1)] * 3
    finally:
        ledger.close()


@pytest.mark.parametrize("count", [2, 40])
@pytest.mark.parametrize("value", ["it's", "a\0b", "x" * 5000, "'; DROP TABLE outcome; --", "?1", "患者"])
def test_a_text_that_all_rows_share_is_written_as_it_is(value, count, tmp_path):
    ledger = Ledger(Database(tmp_path / "ledger.sqlite"))
    rows = [{"ordinal": o, "status": "failed", "attempt": -(2**63), "message": value} for o in range(count)]
    ledger.record(rows)
    assert [(row[CONTENT.index("message")], row[CONTENT.index("attempt")]) for row in ledger.outcomes()] == [
        (value, -(2**63))
    ] * count
    ledger.close()


def reported(rows, *, keep=True) -> Report:
    lines = [row["ordinal"] + 2 for row in rows]
    sources = [f"{line}.png" for line in lines]
    blocks = [
        complete(
            block_of(rows[at : at + 20]), lines[at : at + 20], sources[at : at + 20], [""] * len(rows[at : at + 20])
        )
        for at in range(0, len(rows), 20)
    ]
    marks = [row["ordinal"] % 3 == 0 for row in rows]
    return Report(asked=ASKED, rows=Rows(blocks, marks, keep=keep), warnings=(), elapsed_s=1.0, n_jobs=1)


def cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    return f"'{value}" if value.lstrip("'")[:1] in set("=+-@\t\r\n") else value


def line_of(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # quotes a carriage return, too
    return text.getvalue().removesuffix("\r\n") + "\n"


@given(records())
@QUICK
def test_the_files_hold_each_row_as_it_is(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("out")
    report = reported(rows)
    write(report, Local(root=str(folder)))
    given = [
        [
            row["ordinal"] + 2,
            f"{row['ordinal'] + 2}.png",
            row["output"],
        ]
        + [row[column.name] for column in COLUMNS[3:]]
        for row in rows
    ]
    given = [[None if value == "" else value for value in row] for row in given]
    plain = [line_of([column.name for column in COLUMNS]), *(line_of([cell(value) for value in row]) for row in given)]
    assert (folder / "report.csv").read_bytes() == "".join(plain).encode("utf-8", ERRORS)
    expected = pd.DataFrame(
        {
            column.name: pd.array([row[place] for row in given], dtype=column.dtype)
            for place, column in enumerate(COLUMNS)
        }
    )
    pd.testing.assert_frame_equal(report.table, expected)
    expected.to_parquet(folder / "plain.parquet", index=False)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "report.parquet"), pd.read_parquet(folder / "plain.parquet"))
    for path in (folder, folder / "report.parquet"):
        pd.testing.assert_frame_equal(bulkdcm.read_report(path), expected)


@given(records())
@QUICK
def test_what_is_counted_in_blocks_is_what_the_table_holds(rows):
    report = reported(rows)
    facts, table = report.summary(), report.table
    ran = table.iloc[report.ran]
    now = ran[ran["status"] == "converted"]
    assert report.ran == [row["ordinal"] for row in rows if row["ordinal"] % 3 == 0]
    assert facts["failed"] == (table["status"] == "failed").sum() == sum(entry["rows"] for entry in facts["failures"])
    assert facts["converted_now"] == len(now)
    assert facts["earlier_outputs_kept"] == table["earlier_source_sha256"].notna().sum()
    sizes = [sum(value for value in now["source_size_bytes"].tolist() if value is not pd.NA)]
    assert [facts["source_size_bytes"]] == sizes
    total = sum(report.rows.tally.spent_s.values())
    assert total == pytest.approx(ran[list(report.rows.tally.spent_s)].fillna(0).to_numpy(dtype=float).sum())


def test_rows_that_were_not_kept_are_written_once_and_counted(tmp_path):
    rows = [{"ordinal": o, "status": "converted", "attempt": 1} for o in range(50)]
    report = reported(rows, keep=False)
    write(report, Local(root=str(tmp_path)))
    assert report.count("converted") == 50
    with pytest.raises(ValueError, match="keep_rows"):
        _ = report.table


def test_blocks_are_large_enough_to_share_and_small_enough_for_a_cache():
    assert 100 <= ledger_module._BLOCK <= 5000
