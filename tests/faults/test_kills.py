"""The run killed anywhere, any number of times: nothing is lost, nothing half-written, and it goes on."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.conftest import STRACE, need_strace, processes_of

if TYPE_CHECKING:
    import subprocess

LONG = pytest.mark.long
# strace counts the calls of all threads and processes together: the Nth rename, sync or ledger write of the run.
STEPS = {
    "temporary written": "writev",
    "synced": "syncfs",
    "replaced": "renameat2",
    "committed": "fdatasync",
}


def kill_group(process: subprocess.Popen, number: int) -> None:
    """Send a signal to the parent alone, as a system does."""
    os.kill(process.pid, number)


def wait_for_outputs(job, process, count: int) -> None:
    """Wait until some outputs are there, or the run has ended."""
    limit = time.monotonic() + 60
    while process.poll() is None and len(list(job.out.rglob("*.dcm"))) < count and time.monotonic() < limit:
        time.sleep(0.005)


def killed_again_and_again(job, whole, times, still_true, no_process_left) -> int:
    """Kill the parent at random moments, `times` times in all, starting over whenever a run gets to its end."""
    choose = random.Random(11)
    kills = 0
    while kills < times:
        with job.start("--chunk-size", choose.choice([1, 4, 16])) as process:
            # Anywhere between its first import and its report; most of the time amid the work.
            time.sleep(choose.uniform(0.05, 2.0))
            ended = process.poll() is not None
            process.kill()
            process.wait()
        if ended:
            shutil.rmtree(job.out)
            continue
        kills += 1
        written = job.stored()
        time.sleep(0.25)
        late = job.stored()
        no_process_left(process.pid)
        assert job.stored() == late, "an orphan wrote after a quarter of a second"
        assert set(written) <= set(late)
        still_true(job, whole)
    return kills


def test_kill_9_of_the_parent_at_random_moments(job_of, reference, still_true, goes_on, no_process_left):
    job = job_of(400)
    whole = reference(job)
    killed_again_and_again(job, whole, 6, still_true, no_process_left)
    goes_on(job, whole)


@LONG
def test_kill_9_of_the_parent_120_times(job_of, reference, still_true, goes_on, no_process_left, figures):
    job = job_of(1500)
    whole = reference(job)
    kills = killed_again_and_again(job, whole, 120, still_true, no_process_left)
    goes_on(job, whole)
    figures(job, whole, kills_of_the_parent=kills)


@pytest.mark.parametrize("nth", [1, 5, pytest.param(17, marks=LONG), pytest.param(25, marks=LONG)])
@pytest.mark.parametrize("step", STEPS)
def test_kill_9_at_each_step(step, nth, job_of, reference, still_true, goes_on, tmp_path):
    need_strace()
    job = job_of(60)
    whole = reference(job)
    call = STEPS[step]
    inject = [*STRACE, "-e", f"trace={call}"]
    paths = [] if call != "fdatasync" else ["-P", str(job.out / ".bulkdcm/ledger.sqlite-wal")]
    inject += [*paths, "-e", f"inject={call}:signal=KILL:when={nth}"]
    del tmp_path
    killed = job.run("--chunk-size", 2, "--backend", "sequential", prefix=tuple(inject))
    assert killed.returncode in {-signal.SIGKILL, 137}, "the fault was never reached"
    still_true(job, whole)
    goes_on(job, whole)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_finished_rows_and_says_how_to_go_on(
    number, code, job_of, reference, still_true, goes_on, no_process_left
):
    job = job_of(1500)
    whole = reference(job)
    with job.start("--chunk-size", 4) as process:
        wait_for_outputs(job, process, 60)
        began = time.monotonic()
        kill_group(process, number)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    assert time.monotonic() - began < 60
    assert "Run the same command again" in errors
    no_process_left(process.pid)
    still_true(job, whole)
    report = job.report()
    assert len(report) == 1500
    assert {"converted", "pending"} == set(report["status"])
    goes_on(job, whole)


def test_a_second_interrupt_ends_at_once(job_of, no_process_left):
    job = job_of(300)
    with job.start("--chunk-size", 1) as process:
        wait_for_outputs(job, process, 10)
        began = time.monotonic()
        kill_group(process, signal.SIGINT)
        kill_group(process, signal.SIGINT)
        process.wait(60)
    assert process.returncode in {130, -signal.SIGINT}
    assert time.monotonic() - began < 30
    no_process_left(process.pid)


def workers_of(process: subprocess.Popen) -> list[int]:
    """Return the processes that convert rows for a run."""
    found = []
    for pid in processes_of(process.pid):
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"popen_loky" in command and b"resource_tracker" not in command:
                found.append(pid)
    return found


def worker_killed_again_and_again(job, times: int, every_s: float) -> int:
    """Start runs until `times` workers have been killed, one every `every_s` seconds in which rows were converted."""
    choose = random.Random(5)
    kills = 0
    while kills < times:
        with job.start("--chunk-size", 8) as process:
            done = 0
            while process.poll() is None and kills < times:
                time.sleep(every_s)
                before, done = done, len(list(job.out.rglob("*.dcm")))
                if done > before and (workers := workers_of(process)):
                    os.kill(choose.choice(workers), signal.SIGKILL)
                    kills += 1
            assert process.wait(300) == 0, process.stderr.read()
        if kills < times:
            shutil.rmtree(job.out)
    return kills


def test_a_worker_killed_every_second_costs_no_row(job_of, reference, goes_on):
    job = job_of(1500)
    whole = reference(job)
    worker_killed_again_and_again(job, 3, 1.0)
    assert job.stored() == whole
    report = goes_on(job, whole)
    assert set(report["status"]) == {"converted"}


@LONG
def test_100_workers_killed(job_of, reference, goes_on, figures):
    job = job_of(4000)
    whole = reference(job)
    kills = worker_killed_again_and_again(job, 100, 1.0)
    assert job.stored() == whole
    report = goes_on(job, whole)
    assert set(report["status"]) == {"converted"}
    figures(job, whole, kills_of_workers=kills)


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=LONG)])
def test_starting_again_within_50_ms_of_a_kill(times, job_of, reference, goes_on):
    job = job_of(400)
    whole = reference(job)
    for _ in range(times):
        with job.start("--chunk-size", 4) as process:
            wait_for_outputs(job, process, 20)
            process.kill()
            process.wait()
        time.sleep(0.02)
    goes_on(job, whole)


def test_a_second_run_is_told_who_is_there(job_of, reference, goes_on):
    job = job_of(40)
    whole = reference(job)
    lines = list(job.lines)
    job.poison("sleep")
    with job.start("--chunk-size", 4) as first:
        wait_for_outputs(job, first, 5)
        second = job.run()
        assert second.returncode == 75, second.stderr
        assert f"process {first.pid}, since 20" in second.stderr
        first.terminate()
        assert first.wait(180) == 143
    (job.data / "poison/sleep.png").unlink()
    job.lines = lines
    job.write_manifest()
    goes_on(job, whole)
