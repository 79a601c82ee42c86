"""Manifests made to hurt: a located, readable error in bounded time and memory, and nothing written outside the output."""

from __future__ import annotations

import gzip
import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.conftest import processes_of
from tests.faults.test_input import peak_memory_mb

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "source,PatientID\n"
MOST_MB, MOST_S = 700, 120

USUAL = ("--backend", "sequential")  # what is tested is the run's own; workers would only take time


def huge_cell(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + 'a.png,"')
        for _ in range(1000):
            file.write("x" * 1_000_000)
        file.write('"\n')


def quotes(path: Path) -> None:
    path.write_text(HEADER + "a.png," + '"' * 50_000_001 + "\n", encoding="utf-8")


def many_columns(path: Path) -> None:
    path.write_text(",".join(f"c{n}" for n in range(10_000)) + "\n", encoding="utf-8")


def long_header(path: Path) -> None:
    path.write_text("source," + "x" * 50_000_000 + "\n", encoding="utf-8")


def one_line(path: Path) -> None:
    path.write_text(HEADER + "a.png,1" * 5_000_000, encoding="utf-8")


BOMBS = {
    huge_cell: "line 2",
    quotes: "line 2",
    many_columns: "10,000 columns",
    long_header: "",
    one_line: "lines 2",
}


@pytest.mark.parametrize("make", BOMBS, ids=lambda make: make.__name__)
def test_a_huge_manifest_is_refused_in_bounded_time_and_memory(make, job_of):
    job = job_of(1)
    make(job.manifest)
    began, peak_mb = time.monotonic(), 0.0
    with job.start() as process:
        while process.poll() is None:
            peak_mb = max([peak_mb, *map(peak_memory_mb, processes_of(process.pid))])
            time.sleep(0.02)
        error = process.stderr.read()
    assert process.returncode == 3, error
    assert BOMBS[make] in error
    assert len(error) < 5000
    assert "Traceback" not in error
    assert peak_mb < MOST_MB
    assert time.monotonic() - began < MOST_S
    assert not job.out.exists()


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", 3, "empty"),
        (HEADER.encode(), 0, "no rows"),
        (b"source,source\na.png,b\n", 3, "twice"),
        (HEADER.encode() + b"a\0.png,1\n", 3, "line 2"),
        (HEADER.encode() + b"0/0000.jpg,1\r\n1/0001.png,1\r2/0002.png,1\n", 0, ""),
        (gzip.compress(HEADER.encode(), mtime=0), 3, "gzip"),
        (b"PK\x03\x04" + bytes(30), 3, "a zip archive"),
        (b"PAR1" + bytes(30), 3, "Parquet"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), 3, "a PNG image"),
        (HEADER.encode() + b"../../etc/passwd,1\n/etc/passwd,1\n", 3, "lines"),
        (HEADER.encode() + b"\xc3\x28.png,1\n", 3, "line 2"),
    ],
    ids=range(11),  # bytes in a test's name are no text, and may hold the time
)
def test_what_is_no_manifest_is_said(data, code, words, job_of):
    job = job_of(3)
    job.manifest.write_bytes(data)
    before = set(job.folder.rglob("*"))
    done = job.run(timeout=180)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    if code:
        assert set(job.folder.rglob("*")) == before


def test_a_folder_a_fifo_or_a_missing_manifest_is_said_at_once(job_of):
    job = job_of(1)
    job.manifest.unlink()
    assert "no such file" in job.run(timeout=180).stderr
    os.mkfifo(job.manifest)
    done = job.run(timeout=180)
    assert (done.returncode, "not a regular file" in done.stderr) == (3, True)
    job.manifest.unlink()
    job.manifest.mkdir()
    assert "bulkdcm init" in job.run(timeout=180).stderr
