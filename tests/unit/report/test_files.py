"""A ledger's outcomes as a spreadsheet, a program and a person get to see them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from rich.console import Console

from bulkdcm.errors import StorageError
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.model import Problem
from bulkdcm.report import COLUMNS, Report, Rows, complete, write
from bulkdcm.report.terminal import lines
from bulkdcm.stores import Local
from tests.reports import ASKED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bulkdcm.ledger.block import Block

DONE = {"status": "converted", "rows": 7, "decode_s": 0.25, "source_size_bytes": 10**6, "output_size_bytes": 2 * 10**6}
READ = {"status": "failed", "stage": "read", "error": "ReadError", "message": "no file"}
DECODE = {"status": "failed", "stage": "decode", "error": "PixelError", "message": "no pixels"}


def completed(recorded: list[Block], sources: Sequence[str]) -> Iterator[Block]:
    at = 0
    for block in recorded:
        names = sources[at : at + block.count]
        yield complete(block, range(at + 2, at + 2 + block.count), names, [f"{name}.dcm" for name in names])
        at += block.count


@pytest.fixture
def reported(tmp_path_factory):
    """Return a function: outcomes of the first rows, and the sources of all, to the report of a new ledger of theirs."""

    def report(
        *outcomes: dict[str, object], sources=("a.png", "b.png", "c.png", "d.png"), ran=None, **options
    ) -> Report:
        ledger = open_ledger(tmp_path_factory.mktemp("ledger"), None)
        ledger.record({"attempt": 1, **outcome, "ordinal": ordinal} for ordinal, outcome in enumerate(outcomes))
        marks = [ordinal in ran if ran is not None else ordinal < len(outcomes) for ordinal in range(len(sources))]
        recorded = list(ledger.blocks(len(sources), [0] * len(sources)))
        ledger.close()
        usual = {"warnings": (), "elapsed_s": 1.0, "n_jobs": 2}
        return Report(asked=ASKED, rows=Rows(completed(recorded, sources), marks), **{**usual, **options})

    return report


def printed(report: Report) -> str:
    console = Console(width=200, file=io.StringIO())
    for line in lines(report, "out/report.csv"):
        console.print(line)
    return console.file.getvalue()


def test_every_column_has_the_type_it_declares_whether_rows_have_run_or_not(reported):
    declared = {column.name: column.dtype for column in COLUMNS}
    for report in (reported(DONE, READ), reported(), reported(sources=())):
        assert {name: str(dtype) for name, dtype in report.table.dtypes.items()} == declared


def test_more_rows_than_a_block_stay_in_order(reported, monkeypatch):
    monkeypatch.setattr("bulkdcm.ledger.ledger._BLOCK", 2)
    monkeypatch.setattr("bulkdcm.report.table._TOGETHER", 1)
    table = reported(DONE, READ, DONE | {"rows": 8}, DECODE).table
    assert list(table["status"]) == ["converted", "failed", "converted", "failed"]
    assert [None if pd.isna(rows) else rows for rows in table["rows"]] == [7, None, 8, None]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n"])
def test_a_source_named_as_a_formula_is_made_harmless_in_the_csv_alone(start, reported, tmp_path):
    source = f"{start}HYPERLINK(0).png"
    write(reported(DONE, sources=(source, "a=b.png")), Local(root=str(tmp_path)))
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["source"], first["output"]) == (f"'{source}", f"'{source}.dcm")
    assert (second["source"], second["output"]) == ("a=b.png", "a=b.png.dcm")
    assert pd.read_parquet(tmp_path / "report.parquet")["source"][0] == source


@pytest.mark.parametrize("source", ["x\r=HYPERLINK(0).png", "\rx.png"])
def test_a_carriage_return_in_a_source_begins_no_new_row(source, reported, tmp_path):
    write(reported(READ, sources=(source,)), Local(root=str(tmp_path)))
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == 2


def test_text_of_every_script_and_cells_of_many_lines_come_back_from_both_files(reported, tmp_path):
    message = 'no "pixels",\nÅngström 患者'
    found = reported(DECODE | {"message": message}, sources=("00123.png",))
    write(found, Local(root=str(tmp_path)))
    assert pd.read_csv(tmp_path / "report.csv", dtype=str)["message"][0] == message
    again = pd.read_parquet(tmp_path / "report.parquet")
    assert list(again.columns) == [column.name for column in COLUMNS]
    assert (again["message"][0], again["source"][0], again["line"][0]) == (message, "00123.png", 2)
    assert "患者" in (tmp_path / "summary.json").read_text(encoding="utf-8")


def test_writing_again_replaces_the_files_and_leaves_no_other(reported, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    write(reported(READ), Local(root=str(folder)))
    write(reported(DONE), Local(root=str(folder)))
    assert json.loads((folder / "summary.json").read_text(encoding="utf-8"))["failed"] == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "report.csv",
        "report.html",
        "report.parquet",
        "summary.json",
    ]


def test_a_report_that_cannot_be_put_in_its_place_says_so_and_leaves_nothing_half_written(reported, tmp_path):
    folder = tmp_path / "out"
    (folder / "report.csv").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"report\.csv: can't be written"):
        write(reported(DONE), Local(root=str(folder)))
    assert [path.name for path in folder.iterdir()] == ["report.csv"]


def test_failures_are_grouped_by_reason_the_commonest_first_with_three_examples(reported):
    sources = [f"{n}.png" for n in range(6)]
    summary = reported(READ, DECODE, DECODE, DECODE, DECODE, sources=sources).summary()
    decode, read = summary["failures"]
    assert (decode["stage"], decode["error"], decode["rows"]) == ("decode", "PixelError", 4)
    assert decode["examples"] == ["line 3: no pixels", "line 4: no pixels", "line 5: no pixels"]
    assert read == {"stage": "read", "error": "ReadError", "rows": 1, "lines": [2], "examples": ["line 2: no file"]}
    assert (summary["failed"], summary["pending"]) == (5, 1)


def test_the_summary_carries_warnings_notes_workers_and_that_it_was_interrupted(reported):
    warning = Problem(rule="odd", remedy="Look", lines=(2,), severity="warning")
    summary = reported(DONE, warnings=(warning,), notes=("slow",), interrupted=143).summary()
    assert summary["warnings"] == ["line 2: odd. Look"]
    assert (summary["notes"], summary["workers"], summary["interrupted"]) == (["slow"], 2, True)
    assert summary["stage_shares"] == {"read": 0.0, "decode": 1.0, "build": 0.0, "encode": 0.0, "store": 0.0}


def test_a_run_that_did_nothing_divides_by_nothing(reported):
    summary = reported(elapsed_s=0.0).summary()
    assert (summary["images_per_s"], summary["source_mb_per_s"]) == (0.0, 0.0)
    assert set(summary["stage_shares"].values()) == {0.0}


@pytest.mark.parametrize(
    ("outcomes", "ran", "partial", "code"),
    [
        ((DONE, READ), [0], True, 0),
        ((DONE, READ), [0, 1], True, 1),
        ((DONE, READ), [0], False, 1),
        ((DONE, DONE, DONE), [0, 1, 2], False, 1),
        ((DONE, DONE, DONE, DONE), [], False, 0),
    ],
)
def test_a_part_of_the_rows_answers_for_itself_alone(outcomes, ran, partial, code, reported):
    assert reported(*outcomes, ran=ran, partial=partial).exit_code == code


def test_people_see_counts_reasons_and_where_the_report_is(reported):
    text = printed(reported(DONE, DONE, DECODE, ran=[1, 2]))
    for words in ("2 of 4 rows converted", "(1 of them before)", "1 failed", "1 pending", "line 4: no pixels"):
        assert words in text
    assert "with 2 workers" in text
    assert "out/report.csv" in text
    assert "before" not in printed(reported(DONE))


def test_a_message_is_shown_as_it_is_and_never_as_markup(reported):
    assert "[red]boom[/red]" in printed(reported(DECODE | {"message": "[red]boom[/red]"}))


def test_failures_of_one_kind_have_causes_of_their_own_and_each_is_told_once(reported):
    sources = [f"f{n}/{n}.png" for n in range(9)]
    causes = [f"{sources[n]}: {n + 10} pixels are transparent" for n in range(6)]
    causes += [f"{sources[n]}: the PNG is cut off at byte {n}" for n in range(6, 9)]
    failed = [DECODE | {"message": message} for message in causes]
    report = reported(*failed, sources=sources)
    first, second = report.summary()["failures"]
    assert (first["rows"], first["lines"], second["rows"]) == (6, [2, 3, 4], 3)
    assert "lines 2, 3, 4 and 3 more: f0/0.png: 10 pixels are transparent" in printed(report)
    assert printed(report).count("pixels are transparent") == 1


def test_a_name_that_would_act_on_a_terminal_is_shown(reported):
    report = reported(DECODE | {"message": "a\x1b[31m\u202e.png: no pixels"}, sources=["a\x1b[31m\u202e.png"])
    assert r"line 2: a\x1b[31m\u202e.png: no pixels" in printed(report)
