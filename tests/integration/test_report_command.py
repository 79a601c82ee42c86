"""`bulkdcm report` by the real command: after a run, during one, after one that was killed, and beside another."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.ledger.files import FOLDER
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.lock import Lock
from bulkdcm.report import WRITERS, recorded
from tests import ledgers
from tests.conformance import cases
from tests.systems import own_paths

if TYPE_CHECKING:
    from pathlib import Path


def manifest_of(folder: Path, count: int) -> Path:
    """Write images, of which the first is none, and their manifest."""
    rows = []
    for n in range(count):
        Image.fromarray(np.full((8, 8), n % 256, np.uint8)).save(folder / f"{n}.png")
        rows.append({**cases.COMMON, "source": f"{n}.png", "PatientID": f"P{n // 3}", "AccessionNumber": f"A{n // 3}", "InstanceNumber": str(n)})  # fmt: skip
    (folder / "0.png").write_bytes(b"<html>")
    cases.write_manifest(folder / "m.csv", rows)
    return folder / "m.csv"


def files(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in WRITERS}


def names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()}


@pytest.fixture
def out(tmp_path) -> Path:
    bulkdcm.convert(manifest_of(tmp_path, 7), tmp_path / "out", backend="sequential", fsync=False)
    return tmp_path / "out"


@own_paths
def test_it_writes_the_very_files_that_the_run_wrote(out, bulkdcm_command):
    for _ in range(2):  # the second run has nothing to do but say so of the row that failed
        written = files(out)
        for name in WRITERS:
            (out / name).unlink()
        done = bulkdcm_command("report", out)
        assert done.returncode == 0, done.stderr
        assert files(out) == written
        assert "6 of 7 rows converted" in done.stdout
        assert f"report: {out}/report.html" in done.stdout
        bulkdcm.convert(out.parent / "m.csv", out, backend="sequential", fsync=False)


def test_it_leaves_the_ledger_as_it_is(out, bulkdcm_command):
    ledger = out / FOLDER / "ledger.sqlite"
    before = (ledger.read_bytes(), ledger.stat().st_mtime_ns)
    bulkdcm_command("report", out)
    assert (ledger.read_bytes(), ledger.stat().st_mtime_ns) == before


def test_names_and_paths_come_in_only_when_asked_for(out, bulkdcm_command):
    page = (out / "report.html").read_text(encoding="utf-8")
    for secret in ("P1", "Zhang", "2.png", "2.25."):
        assert secret not in page
    bulkdcm_command("report", out, "--identifiers")
    page = (out / "report.html").read_text(encoding="utf-8")
    for shown in ("P1 · Zhang^San=张^三", '"2.png"', "0.png: not an image"):
        assert shown in page


def test_a_run_is_not_disturbed_and_its_files_are_not_touched(tmp_path, bulkdcm_command):
    out = ledgers.folder_of(tmp_path / "out", ledgers.sources_of(50), state="running")
    with Lock(out / FOLDER):
        done = bulkdcm_command("report", out)
    assert done.returncode == 0, done.stderr
    assert "a run is under way" in done.stderr
    assert names(out) == {FOLDER}
    assert "A run is under way: 50 of 50 rows converted so far." in (out / FOLDER / "report.html").read_text(
        encoding="utf-8"
    )


def test_after_a_kill_all_files_are_written(tmp_path, bulkdcm_command):
    rows = [ledgers.outcome(n, source) for n, source in enumerate(ledgers.sources_of(30))]
    out = ledgers.folder_of(tmp_path / "out", ledgers.sources_of(50), rows, state="running")
    (out / FOLDER / "lock").touch()
    done = bulkdcm_command("report", out)
    assert done.returncode == 0, done.stderr
    assert "the run didn't come to its end" in done.stderr
    assert "30 of 50 rows converted, 20 pending" in done.stdout
    assert names(out) >= set(WRITERS)
    assert list(bulkdcm.read_report(out)["status"]).count("pending") == 20


def test_reports_during_a_run_neither_stop_it_nor_change_what_it_writes(tmp_path, bulkdcm_command):
    manifest, out = manifest_of(tmp_path, 400), tmp_path / "out"
    command = [sys.executable, "-m", "bulkdcm", "convert", manifest, "--out", out, "--n-jobs", "1", "--chunk-size", "1"]
    run = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    states, counts = [], set()
    while run.poll() is None:
        with contextlib.suppress(bulkdcm.LedgerError), recorded(out) as (report, _):  # it hasn't begun yet
            statuses = [status for block in report.rows for status in block["status"]]
            counts.add(len(statuses))
            states.append((report.state, statuses.count("pending")))
        time.sleep(0.02)
    assert run.returncode == 1  # as one row is no image
    assert counts == {400}
    pending = [count for state, count in states if state == "running"]
    assert pending, states
    assert pending == sorted(pending, reverse=True)
    written = files(out)
    bulkdcm_command("report", out)
    assert files(out) == written


def test_a_run_that_was_really_killed_is_known_for_one(tmp_path):
    manifest, out = manifest_of(tmp_path, 300), tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "bulkdcm",
        "convert",
        manifest,
        "--out",
        out,
        "--backend",
        "sequential",
        "--chunk-size",
        "1",
    ]
    run = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(out.glob("*.dcm")) and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    with recorded(out) as (report, _):
        assert report.state == "killed"
        assert report.count("pending") > 0


def test_a_later_run_that_was_refused_keeps_its_summary(out, bulkdcm_command):
    manifest = out.parent / "m.csv"
    whole = manifest.read_text(encoding="utf-8")
    manifest.write_text(whole.replace("19700102", "no date"), encoding="utf-8")
    assert bulkdcm_command("convert", manifest, "--out", out).returncode == 3
    summary = (out / "summary.json").read_bytes()
    assert json.loads(summary)["refused"]
    done = bulkdcm_command("report", out)
    assert "a later run was refused" in done.stderr
    assert (out / "summary.json").read_bytes() == summary
    assert "A later run was refused." in (out / "report.html").read_text(encoding="utf-8")
    manifest.write_text(whole, encoding="utf-8")
    bulkdcm_command("convert", manifest, "--out", out)
    assert "refused" not in bulkdcm_command("report", out).stderr


def test_what_verify_found_since_is_in_the_page(out, bulkdcm_command):
    (out / "1.dcm").unlink()
    assert bulkdcm_command("verify", out).returncode == 1
    bulkdcm_command("report", out)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "files that the ledger has and the folder hasn" in page
    assert "<b>5 of 6 files</b> proved" in page
    found = json.loads((out / "verify.json").read_bytes())
    earlier = {**found, "ended_at": "2001-01-01T00:00:00+00:00"}  # a clock that was set back
    (out / "verify.json").write_text(json.dumps(earlier), encoding="utf-8")
    bulkdcm_command("report", out)
    assert "<b>5 of 6 files</b> proved" in (out / "report.html").read_text(encoding="utf-8")
    bulkdcm.convert(out.parent / "m.csv", out, backend="sequential", fsync=False)
    bulkdcm_command("report", out)
    assert 'id="verified"' not in (out / "report.html").read_text(encoding="utf-8")


def test_beside_another_run_what_differs_is_said(out, bulkdcm_command):
    old = out.with_name("old")
    shutil.copytree(out, old)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(out.parent / "0.png")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(out.parent / "1.png")
    bulkdcm.convert(out.parent / "m.csv", out, backend="sequential", fsync=False)
    done = bulkdcm_command("report", out, "--against", old)
    assert done.returncode == 0, done.stderr
    assert "5 the same, 1 another status, 1 other bytes" in done.stdout
    assert "line 2: 0.png: failed before, converted now" in done.stdout
    told = bulkdcm_command("report", out, "--against", old, "--json")
    facts = json.loads(told.stdout.splitlines()[-1])
    assert (facts["event"], facts["exit_code"], facts["run_exit_code"]) == ("end", 0, 0)
    assert facts["changes"] == {"status": 1, "bytes": 1}
    assert (facts["converted"], facts["failures"]) == (7, [])
    assert "manifest" not in facts
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "another status" in page
    assert "0.png" not in page
    assert done.stdout.count("\n") < 30


@pytest.mark.parametrize("what", ["nothing", "foreign page", "no ledger", "old ledger"])
def test_what_cannot_be_done_is_said(what, out, tmp_path, bulkdcm_command):
    code, told = 4, "no such ledger"
    if what == "nothing":
        out = tmp_path / "elsewhere"
    elif what == "foreign page":
        (out / "report.html").write_text("<title>mine</title>", encoding="utf-8")
        code, told = 5, "is no report of bulkdcm"
    elif what == "no ledger":
        (out / FOLDER / "ledger.sqlite").unlink()
    else:
        ledger = open_ledger(out, None)
        ledger._database.connection.execute("DELETE FROM fact WHERE name = 'run'")
        ledger.close()
        told = "an earlier release"
    done = bulkdcm_command("report", out)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_ledger_of_the_first_release_is_read_and_left_as_it_is(tmp_path, bulkdcm_command):
    fixture = ledgers.FIXTURE
    (tmp_path / FOLDER).mkdir()
    shutil.copy(fixture, tmp_path / FOLDER / "ledger.sqlite")
    done = bulkdcm_command("report", tmp_path)
    assert done.returncode == 4, done.stderr
    assert "Run the same `bulkdcm convert` again" in done.stderr
    assert (tmp_path / FOLDER / "ledger.sqlite").read_bytes() == fixture.read_bytes()
