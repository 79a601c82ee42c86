"""Whole runs: exit codes, the same bytes always, every row accounted for."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import subprocess
import sys
import time

import pandas as pd
import pydicom
import pytest

import bulkdcm
from bulkdcm import iods
from bulkdcm.engines import ENGINES
from tests.systems import own_paths


def test_a_run_converts_every_row_and_says_so(dataset, tmp_path, bulkdcm_command):
    done = bulkdcm_command("convert", dataset / "manifest.csv", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "24 of 24 rows converted" in done.stdout
    report = pd.read_csv(tmp_path / "out/report.csv", dtype=str)
    assert list(report["status"]) == ["converted"] * 24
    assert list(report["line"]) == [str(line) for line in range(2, 26)]
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert (summary["rows"], summary["converted"], summary["failed"]) == (24, 24, 0)
    assert pd.read_parquet(tmp_path / "out/report.parquet")["sop_instance_uid"].is_unique
    for row in report.itertuples():
        stored = pydicom.dcmread(tmp_path / "out" / row.output)
        assert stored.SOPInstanceUID == row.sop_instance_uid
        assert stored.PatientID.startswith("00")


@pytest.mark.parametrize(
    "backend", sorted(name for name, one in ENGINES.items() if not one.needs_address)
)  # which has its own, in tests/faults
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_bytes_do_not_depend_on_workers_backend_or_chunks(backend, n_jobs, dataset, tmp_path, digests):
    bulkdcm.convert(dataset / "manifest.csv", tmp_path / "one", backend="sequential")
    bulkdcm.convert(dataset / "manifest.csv", tmp_path / "other", backend=backend, n_jobs=n_jobs, chunk_size=3)
    assert digests(tmp_path / "one") == digests(tmp_path / "other")
    assert len(digests(tmp_path / "one")) == 24


def test_order_folder_and_splitting_change_nothing(dataset, tmp_path, digests):
    bulkdcm.convert(dataset / "manifest.csv", tmp_path / "one", backend="sequential")
    lines = (dataset / "manifest.csv").read_text(encoding="utf-8").splitlines()
    moved = dataset.rename(tmp_path / "moved")
    for part, rows in enumerate((lines[:0:-2], lines[-2:0:-2])):
        (moved / f"part{part}.csv").write_text("\n".join([lines[0], *rows]) + "\n", encoding="utf-8")
        bulkdcm.convert(moved / f"part{part}.csv", tmp_path / f"other{part}", backend="sequential")
    assert digests(tmp_path / "one") == digests(tmp_path / "other0") | digests(tmp_path / "other1")


def test_the_uid_layout_stores_study_series_instance(dataset, tmp_path, digests):
    bulkdcm.convert(dataset / "manifest.csv", tmp_path / "mirror", backend="sequential")
    report = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "uid", backend="sequential", layout="uid")
    row = report.table.iloc[0]
    assert row["output"] == f"{row['study_instance_uid']}/{row['series_instance_uid']}/{row['sop_instance_uid']}.dcm"
    assert sorted(digests(tmp_path / "mirror").values()) == sorted(digests(tmp_path / "uid").values())


def test_bad_images_fail_their_own_rows_with_name_reason_and_remedy(dataset, tmp_path, add_rows, bulkdcm_command):
    (dataset / "cut.png").write_bytes((dataset / "p0/00.png").read_bytes()[:99])
    (dataset / "text.png").write_text("no image", encoding="utf-8")
    (dataset / "empty.jpg").write_bytes(b"")
    rest = "P9,A^B,M,20230102,101112,9,9"
    names = ["cut.png", "text.png", "empty.jpg", "missing.png"]
    add_rows(dataset, *(f"{name},{rest},{number},CHEST" for number, name in enumerate(names)))
    done = bulkdcm_command("convert", dataset / "manifest.csv", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "24 of 28 rows converted, 4 failed" in done.stdout
    with (tmp_path / "out/report.csv").open(newline="", encoding="utf-8") as file:
        failed = {row["source"]: row for row in csv.DictReader(file) if row["status"] == "failed"}
    assert {name: (row["stage"], row["error"]) for name, row in failed.items()} == {
        "cut.png": ("decode", "PixelError"),
        "text.png": ("decode", "PixelError"),
        "empty.jpg": ("read", "ReadError"),
        "missing.png": ("read", "ReadError"),
    }
    for name, row in failed.items():
        assert name in row["message"]
        assert row["message"].endswith(".")
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 24


def test_a_manifest_with_problems_writes_nothing_and_exits_3(dataset, tmp_path, add_rows, bulkdcm_command):
    add_rows(dataset, "p0/00.png,7,A^B,MALE,20230230,101112,1,1,99,CHEST")
    done = bulkdcm_command("convert", dataset / "manifest.csv", "--out", tmp_path / "out")
    assert done.returncode == 3
    assert "line 26, column PatientSex: 'MALE'" in done.stderr
    assert "line 26, column StudyDate: '20230230'" in done.stderr
    assert not (tmp_path / "out").exists()
    checked = bulkdcm_command("check", dataset / "manifest.csv")
    assert checked.returncode == 3
    assert "column PatientSex: 'MALE'" in checked.stderr


def test_skip_invalid_fails_only_the_rows_at_fault(dataset, tmp_path, add_rows, bulkdcm_command):
    (dataset / "p3.png").write_bytes((dataset / "p0/00.png").read_bytes())
    add_rows(dataset, "p3.png,7,A^B,MALE,20230230,101112,1,1,99,CHEST")
    done = bulkdcm_command("convert", dataset / "manifest.csv", "--out", tmp_path / "out", "--skip-invalid")
    assert done.returncode == 1
    report = pd.read_csv(tmp_path / "out/report.csv")
    assert list(report["status"]) == ["converted"] * 24 + ["failed"]
    last = report.iloc[-1]
    assert last["stage"] == "check"
    assert "PatientSex" in last["message"]
    assert "StudyDate" in last["message"]


def test_a_check_of_a_good_manifest_exits_0(dataset, bulkdcm_command):
    done = bulkdcm_command("check", dataset / "manifest.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 errors, 0 warnings" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["--n-jobs", "-99999"], ["--background", "mauve"], ["--set", "Modality"], ["--nonsense"]]
)
def test_a_wrong_option_exits_2(arguments, dataset, tmp_path, bulkdcm_command):
    done = bulkdcm_command("convert", dataset / "manifest.csv", "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@own_paths
def test_a_ledger_that_is_none_exits_4(dataset, tmp_path, bulkdcm_command):
    ledger = tmp_path / "out/.bulkdcm/ledger.sqlite"
    ledger.parent.mkdir(parents=True)
    ledger.write_bytes(b"this is no database " * 100)
    done = bulkdcm_command("convert", dataset / "manifest.csv", "--out", tmp_path / "out")
    assert done.returncode == 4
    assert str(ledger) in done.stderr


def test_an_output_folder_that_cannot_be_made_exits_5(dataset, tmp_path, bulkdcm_command):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = bulkdcm_command("convert", dataset / "manifest.csv", "--out", tmp_path / "file/out")
    assert done.returncode == 5


def test_fail_fast_stops_and_leaves_the_rest_pending(dataset, tmp_path):
    (dataset / "p0/00.png").write_bytes(b"broken")
    report = bulkdcm.convert(
        dataset / "manifest.csv", tmp_path / "out", backend="sequential", chunk_size=4, fail_fast=True
    )
    assert list(report.table["status"]) == ["failed"] + ["pending"] * 23
    assert report.exit_code == 1


def test_an_interrupt_keeps_what_is_finished_and_reports_every_row(dataset, tmp_path):
    lines = (dataset / "manifest.csv").read_text(encoding="utf-8").splitlines()
    rows = [lines[0]]
    for copy in range(100):
        rows.extend(line.replace(",00", f",{copy}-00", 1) for line in lines[1:])
    outputs = [f"{row},out/{number}.dcm" for number, row in enumerate(rows[1:])]
    (dataset / "many.csv").write_text("\n".join([f"{rows[0]},output", *outputs]) + "\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "bulkdcm",
        "convert",
        dataset / "many.csv",
        "--out",
        tmp_path / "out",
        "--chunk-size",
        "4",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, encoding="utf-8"
    )
    while len(list((tmp_path / "out").glob("out/*.dcm"))) < 40 and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 130, errors
    report = pd.read_csv(tmp_path / "out/report.csv")
    assert len(report) == 2400
    assert set(report["status"]) == {"converted", "pending"}
    for output in report.loc[report["status"] == "converted", "output"]:
        assert (tmp_path / "out" / output).is_file()


def test_an_error_nobody_foresaw_fails_its_row_with_its_traceback(dataset, tmp_path, monkeypatch):
    real = iods.build

    def build(row, frame, uids):
        if row.source.endswith("03.jpg"):
            raise ZeroDivisionError(row.source)
        return real(row, frame, uids)

    monkeypatch.setattr(iods, "build", build)
    report = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "out", backend="sequential")
    failed = report.table[report.table["status"] == "failed"]
    assert list(failed["stage"]) == ["unexpected"]
    assert "ZeroDivisionError: p0/03.jpg" in failed["traceback"].iloc[0]
    assert report.count("converted") == 23


def test_no_temporary_file_is_left(dataset, tmp_path):
    bulkdcm.convert(dataset / "manifest.csv", tmp_path / "out", n_jobs=2)
    assert not list((tmp_path / "out").rglob("*.bulkdcm-tmp"))


def test_the_progress_counts_every_row_once(dataset, tmp_path):
    seen = []
    bulkdcm.convert(dataset / "manifest.csv", tmp_path / "out", n_jobs=2, chunk_size=5, progress=seen.append)
    assert [progress.converted for progress in seen][-1] == 24
    assert len(seen) == 1 + 5, "once before the first chunk, so that a resumed run shows what is done"


def test_a_secret_key_changes_every_derived_uid(dataset, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"0123456789abcdef\n")
    plain = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "plain", backend="sequential").table
    keyed = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "keyed", backend="sequential", uid_key_file=key).table
    for name in ("study_instance_uid", "series_instance_uid", "sop_instance_uid"):
        assert not set(plain[name]) & set(keyed[name])
    assert b"0123456789abcdef" not in b"".join(
        path.read_bytes() for path in (tmp_path / "keyed").rglob("*") if path.is_file()
    )


def test_a_progress_bar_is_drawn_on_a_terminal(dataset, tmp_path):
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "bulkdcm", "convert", dataset / "manifest.csv", "--out", tmp_path / "out"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=child, env={**os.environ, "TERM": "xterm"})
    os.close(child)
    shown = b""
    while True:
        try:
            part = os.read(parent, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert process.wait() == 0
    os.close(parent)
    assert b"converting" in shown
    assert b"images/s" in shown


def test_a_part_of_the_rows_keeps_the_uids_of_the_whole(dataset, tmp_path, digests):
    whole = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "whole")
    part = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "part", rows="3:9")
    assert part.exit_code == 0
    assert list(part.table["status"]) == ["pending"] * 3 + ["converted"] * 6 + ["pending"] * 15
    assert list(part.table["sop_instance_uid"][3:9]) == list(whole.table["sop_instance_uid"][3:9])
    some = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "part", where="PatientID == '001'", sample=4)
    assert some.count("converted") > 6
    rest = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "part")
    assert rest.exit_code == 0
    assert digests(tmp_path / "part") == digests(tmp_path / "whole")


def test_only_failed_rows_are_tried_again(dataset, tmp_path, add_rows):
    add_rows(dataset, "late.png,000,患者0^一,F,20230102,101112,1,1,99,CHEST")
    first = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "out", rows="20:")
    assert first.exit_code == 1
    (dataset / "late.png").write_bytes((dataset / "p0/00.png").read_bytes())
    again = bulkdcm.convert(dataset / "manifest.csv", tmp_path / "out", only_failed=True)
    assert list(again.ran) == [24]
    assert again.exit_code == 0
    assert again.count("pending") == 20
