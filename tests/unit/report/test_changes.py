"""Two reports beside each other, and reports read back from their files."""

from __future__ import annotations

import pandas as pd
import pytest

import bulkdcm
from bulkdcm.errors import StorageError
from bulkdcm.report import recorded, write
from bulkdcm.report.changes import Changes
from bulkdcm.stores import Local
from tests import ledgers


def folder(place, outcomes, sources):
    ledgers.folder_of(place, sources, outcomes)
    with recorded(place, keep=True) as (report, _):
        write(report, Local(root=str(place)))
        return report.table


def test_status_bytes_reasons_and_rows_that_came_or_went_are_told(tmp_path):
    sources = ["same.png", "bytes.png", "status.png", "reason.png", "gone.png", "twice.png", "twice.png"]
    old = [ledgers.outcome(n, f"{n}") for n in range(7)]
    fail = {"status": "failed", "stage": "read", "error": "ReadError", "output_sha256": None}
    old[3] |= fail | {"message": "reason.png: no file"}
    table = folder(tmp_path / "old", old, sources)
    new = [dict(row) for row in old]
    new[1]["output_sha256"] = "f" * 64
    new[2] |= fail | {"message": "status.png: no file"}
    new[3]["message"] = "reason.png: no pixels"
    new[6]["output_sha256"] = "e" * 64
    order = [6, 5, 3, 2, 1, 0]
    moved = [{**new[o], "ordinal": n} for n, o in enumerate(order)] + [ledgers.outcome(6, "new.png")]
    changes = Changes(table)
    ledgers.folder_of(tmp_path / "new", [*(sources[o] for o in order), "new.png"], moved)
    with recorded(tmp_path / "new") as (report, _):
        for block in report.rows:
            changes.take(block)
    changes.close()
    # Rows that share a source are known by their order, so that both of them have changed places.
    assert changes.same == 1
    assert dict(changes.counts) == {"bytes": 3, "reason": 1, "status": 1, "new": 1, "gone": 1}
    assert [(c.kind, c.line, c.source) for c in changes.rows if c.kind != "bytes"] == [
        ("reason", 4, "reason.png"),
        ("status", 5, "status.png"),
        ("new", 8, "new.png"),
        ("gone", 6, "gone.png"),
    ]
    reason = next(c for c in changes.rows if c.kind == "reason")
    assert (reason.before, reason.now) == ("reason.png: no file", "reason.png: no pixels")


def test_a_report_comes_back_from_each_of_its_files(tmp_path):
    sources = ["=1+1.png", "'=2.png", "a\r\nb.png", 'c,"d.png', "患者.png", "NA", "null", "00123"]
    table = folder(tmp_path, [ledgers.outcome(n, s, every=3) for n, s in enumerate(sources)][:7], sources)
    for path in (tmp_path, tmp_path / "report.csv", tmp_path / "report.parquet"):
        pd.testing.assert_frame_equal(bulkdcm.read_report(path), table)


def test_a_report_of_an_earlier_release_has_the_later_columns_empty(tmp_path):
    (tmp_path / "report.csv").write_text("line,source,output,status\n2,a.png,,pending\n", encoding="utf-8")
    table = bulkdcm.read_report(tmp_path)
    assert (table["line"][0], table["source"][0]) == (2, "a.png")
    assert table["output"].isna().all()
    assert str(table["decode_s"].dtype) == "Float64"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("report.csv", "a,b\n", "aren't those of a report"),
        ("report.csv", "line,source,output,status,colour\n", "doesn't know .colour.; update bulkdcm"),
        ("report.csv", "line,source,output,status\n2,a.png\n", "can't be read as a report"),
        ("report.csv", "line,source,output,status\nx,a.png,,\n", "can't be read as a report"),
        ("report.parquet", "no parquet", "can't be read as a report"),
    ],
)
def test_what_is_no_report_is_refused(name, text, told, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(StorageError, match=told):
        bulkdcm.read_report(tmp_path / name)


def test_no_report_at_all_is_said(tmp_path):
    with pytest.raises(StorageError, match=r"report\.csv: No such file"):
        bulkdcm.read_report(tmp_path)
