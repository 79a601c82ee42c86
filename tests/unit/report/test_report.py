"""Outcomes to one line a row: table, files, summary."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from rich.console import Console

import bulkdcm
from bulkdcm.ledger.block import Block
from bulkdcm.ledger.schema import CONTENT
from bulkdcm.report import COLUMNS, Report, Rows, complete, write
from bulkdcm.report.terminal import lines, size
from bulkdcm.stores import Local
from tests.reports import ASKED


def report(*outcomes: dict[str, object], rows: int = 3, ran=None, **options) -> Report:
    known = {outcome["ordinal"]: outcome for outcome in outcomes}
    recorded = Block.of(CONTENT, [[known.get(n, {}).get(name) for n in range(rows)] for name in CONTENT])
    lines = list(range(2, rows + 2))
    block = complete(recorded, lines, [f"{n}.png" for n in lines], [f"{n}.dcm" for n in lines])
    marks = [ordinal in (known if ran is None else ran) for ordinal in range(rows)]
    return Report(asked=ASKED, rows=Rows([block], marks), warnings=(), elapsed_s=2.0, n_jobs=1, **options)


DONE = {"ordinal": 1, "status": "converted", "output": "x.dcm", "source_size_bytes": 4_000_000, "output_size_bytes": 6_000_000, "decode_s": 0.3, "build_s": 0.1, "attempt": 1}  # fmt: skip
BAD = {
    "ordinal": 0,
    "status": "failed",
    "stage": "decode",
    "error": "PixelError",
    "message": "=cmd(): bad",
    "attempt": 2,
}


def test_every_row_has_a_line_in_manifest_order_whatever_became_of_it():
    table = report(DONE, BAD).table
    assert list(table["line"]) == [2, 3, 4]
    assert list(table["status"]) == ["failed", "converted", "pending"]
    assert list(table["output"]) == ["2.dcm", "x.dcm", "4.dcm"]
    assert list(table.columns) == [column.name for column in COLUMNS]


@pytest.mark.parametrize(("options", "outcomes", "code"), [({}, [DONE], 1), ({"interrupted": 130}, [DONE], 130)])
def test_the_exit_code_says_whether_all_is_converted(options, outcomes, code):
    assert report(*outcomes, **options).exit_code == code
    assert report(DONE | {"ordinal": 0}, rows=1).exit_code == 0


def test_the_summary_counts_groups_and_rates():
    facts = report(DONE, BAD).summary()
    assert (facts["rows"], facts["converted"], facts["failed"], facts["pending"]) == (3, 1, 1, 1)
    assert facts["failures"] == [
        {"stage": "decode", "error": "PixelError", "rows": 1, "lines": [2], "examples": ["line 2: =cmd(): bad"]}
    ]
    assert (facts["images_per_s"], facts["source_mb_per_s"], facts["output_mb_per_s"]) == (0.5, 2.0, 3.0)
    assert facts["stage_shares"]["decode"] == 0.75
    assert (facts["started_at"], facts["ended_at"]) == (
        "2026-01-02T03:04:05.000+00:00",
        "2026-01-02T03:04:07.000+00:00",
    )
    assert (facts["manifest"], facts["manifest_sha256"], facts["release"]) == ("m.csv", "0" * 64, bulkdcm.__version__)
    assert (facts["exit_code"], facts["refused"], facts["failed_now"], facts["failed_before"]) == (1, "", 1, 0)


def test_rates_and_sizes_are_those_of_this_run():
    some = report(DONE, DONE | {"ordinal": 2}, ran=[2])
    assert some.summary()["converted"] == 2
    assert some.summary()["converted_now"] == 1
    assert some.summary()["source_size_bytes"] == 4_000_000


def test_the_files_hold_the_frame_and_run_no_formula(tmp_path):
    write(report(DONE, BAD), Local(root=str(tmp_path)))
    text = pd.read_csv(tmp_path / "report.csv", dtype=str)
    assert text["message"][0] == "'=cmd(): bad"
    assert len(text) == 3
    assert pd.read_parquet(tmp_path / "report.parquet")["message"][0] == "=cmd(): bad"
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["failed"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "report.csv",
        "report.html",
        "report.parquet",
        "summary.json",
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_as_a_formula(start, tmp_path):
    write(report(BAD | {"message": f"{start}1+1"}), Local(root=str(tmp_path)))
    assert pd.read_csv(tmp_path / "report.csv", dtype=str)["message"][0].startswith("'")


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e9, "2.5 GB"), (3e12, "3.0 TB")]
)
def test_sizes_for_people(count, shown):
    assert size(count) == shown


@pytest.mark.parametrize("width", [40, 80])
def test_the_summary_fits_a_terminal_and_its_stages_differ_without_colours(width):
    shown = io.StringIO()
    console = Console(width=width, file=shown, no_color=True, highlight=False)
    stages = dict.fromkeys(("read_s", "decode_s", "build_s", "encode_s", "store_s"), 0.2)
    found = report(DONE | stages, BAD | {"message": "word " * 60})
    for line in lines(found, "a/folder", width):
        console.print(line)
    said = shown.getvalue().splitlines()
    assert max(map(len, said)) <= width
    bar = next(line for line in said if "░" in line)
    assert len(set(bar)) == 5
    assert len(bar) >= min(60, width) - 5
    for sign, name in zip("░█▒▓▚", ("read", "decode", "build", "encode", "store"), strict=True):
        assert f"{sign} {name}" in shown.getvalue().replace("\n", " ")
