"""Rows that kill their worker, hang, or eat memory: they fail, named; their neighbours are converted."""

from __future__ import annotations

import time

import pytest


def test_rows_that_kill_their_worker_fail_alone(job_of, reference, no_process_left):
    job = job_of(60)
    whole = reference(job)
    stages = {
        "segfault": "crashed",
        "_exit": "crashed",
        "abort": "crashed",
        "sys.exit": "unexpected",
        "raise": "unexpected",
        "recurse": "unexpected",
    }
    names = {job.poison(deed): deed for deed in stages}
    with job.start() as process:
        assert process.wait(120) == 1, process.stderr.read()
    report = job.report()
    failed = report[report["status"] == "failed"]
    assert {row.source: row.stage for row in failed.itertuples()} == {
        name: stages[deed] for name, deed in names.items()
    }
    for row in failed.itertuples():
        assert row.source in row.message
    assert job.stored() == whole
    no_process_left(process.pid)


@pytest.mark.parametrize("deed", ["sleep", "loop", "c-call"])
def test_a_hung_row_fails_as_timeout(deed, job_of, reference):
    job = job_of(20)
    whole = reference(job)
    name = job.poison(deed)
    began = time.monotonic()
    done = job.run("--row-timeout", 5)
    assert done.returncode == 1, done.stderr
    report = job.report()
    failed = report[report["status"] == "failed"]
    assert list(zip(failed["source"], failed["stage"], failed["error"], strict=True)) == [
        (name, "timeout", "RowTimeout")
    ]
    assert job.stored() == whole
    assert time.monotonic() - began < 600, "as long as the sleep"


def test_a_row_over_the_memory_limit_fails_with_the_reason(job_of, reference):
    job = job_of(20)
    whole = reference(job)
    name = job.poison("memory")
    done = job.run("--memory-limit", 300)
    assert done.returncode == 1, done.stderr
    report = job.report()
    failed = report[report["status"] == "failed"]
    assert list(zip(failed["source"], failed["error"], strict=True)) == [(name, "MemoryError")]
    assert "--memory-limit" in failed["message"].iloc[0]
    assert job.stored() == whole


def test_one_worker_survives_a_crash_too(job_of, reference):
    job = job_of(10)
    whole = reference(job)
    job.poison("segfault")
    done = job.run("--n-jobs", 1)
    assert done.returncode == 1, done.stderr
    assert job.stored() == whole
