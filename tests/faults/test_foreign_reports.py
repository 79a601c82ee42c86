"""A file of a report's name that is none is not replaced; a report of an earlier run is."""

from __future__ import annotations

import os

import pandas as pd
import pytest

from bulkdcm.errors import StorageError
from bulkdcm.report import refuse_foreign
from bulkdcm.stores import Local, putting

USUAL = ("--backend", "sequential")  # what is tested is the run's own; workers would only take time


def as_text(text: str):
    return lambda path: path.write_text(text, encoding="utf-8")


def as_bytes(data: bytes):
    return lambda path: path.write_bytes(data)


def as_frame(**columns):
    return lambda path: pd.DataFrame(columns).to_parquet(path)


def as_link(path):
    target = path.with_name("target")
    target.write_text("line,source,output,status\n", encoding="utf-8")
    path.symlink_to(target)


FOREIGN = [
    ("report.csv", as_text("patient,finding\n1,none\n")),
    ("report.csv", as_text("line,source\n1,none\n")),
    ("report.csv", as_bytes(b"\0\xff" * 50_000)),
    ("report.csv", as_text('"' + "x" * 200_000)),
    ("report.csv", os.mkfifo),
    ("report.csv", lambda path: path.mkdir()),
    ("report.csv", as_link),
    ("summary.json", as_text('{"rows": 3}')),
    ("summary.json", as_text("[]")),
    ("summary.json", as_text("no JSON")),
    ("summary.json", as_text("[" * 100_000)),
    ("summary.json", as_bytes(b"\xff\xfe\xff")),
    ("report.html", as_text("<!doctype html><title>a page of mine</title>")),
    ("report.html", as_bytes(b"\xff\xfe<\0!")),
    ("report.parquet", as_frame(patient=["a"])),
    ("report.parquet", as_bytes(b"PAR1 and so on")),
]


@pytest.mark.parametrize(("name", "make"), FOREIGN)
def test_a_foreign_file_is_refused(name, make, tmp_path):
    path = tmp_path / name
    make(path)
    with pytest.raises(StorageError, match="is no report of bulkdcm") as caught:
        refuse_foreign(tmp_path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["report.csv", "summary.json", "report.parquet", "report.html"])
def test_a_run_leaves_it_and_does_nothing(name, job_of, reference, goes_on):
    job = job_of(4)
    job.out.mkdir()
    (job.out / name).write_text("years of work", encoding="utf-8")
    done = job.run()
    assert done.returncode == 5, done.stderr
    assert "Move it away, or use another --out" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in job.out.iterdir()] == [name]
    assert (job.out / name).read_text(encoding="utf-8") == "years of work"
    (job.out / name).unlink()
    goes_on(job, reference(job))


def test_reports_of_earlier_runs_are_replaced(job_of, reference, goes_on):
    job = job_of(4)
    whole = reference(job)
    goes_on(job, whole)
    refuse_foreign(job.out)
    # As a row's message with a CR in it makes the header, and as a crash of the disk may leave a file.
    text = (job.out / "report.csv").read_text(encoding="utf-8")
    header, _, rest = text.partition("\n")
    quoted = ",".join(f'"{name}"' for name in header.split(","))
    (job.out / "report.csv").write_text(f"{quoted}\n{rest}", encoding="utf-8")
    (job.out / "summary.json").write_bytes(b"")
    goes_on(job, whole)


def test_a_link_in_a_temporary_report_s_place_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(putting, "temporary_name", lambda _: ".1-2.bulkdcm-tmp")
    target = tmp_path / "target"
    target.write_text("mine", encoding="utf-8")
    link = tmp_path / ".1-2.bulkdcm-tmp"
    link.symlink_to(target)
    with pytest.raises(StorageError, match="can't be written"), Local(root=str(tmp_path)).writing("report.csv") as file:
        file.write(b"x")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "mine"
