"""A real dask cluster on this machine: the same bytes as loky, and no row lost whatever dies."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")

QUICK = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1", "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s"}


class Cluster:
    """A scheduler and two workers of one thread each, with their nannies."""

    def __init__(self, folder, environment) -> None:
        self.file = folder / "scheduler.json"
        self.environment = {**environment, **QUICK}
        self.processes: list[subprocess.Popen] = []
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", self.file)
        self.workers = [self.start_worker(folder, number) for number in range(2)]
        self.address = ""
        limit = time.monotonic() + 60
        while not self.address and time.monotonic() < limit:
            with contextlib.suppress(OSError, ValueError):
                self.address = json.loads(self.file.read_text(encoding="utf-8"))["address"]
            time.sleep(0.05)
        assert self.address, "the scheduler hasn't started"
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    def start(self, *words: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "dask", *map(str, words), "--no-dashboard"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment, start_new_session=True
        )
        self.processes.append(process)
        return process

    def start_worker(self, folder, number: int) -> subprocess.Popen:
        place = folder / f"worker-{number}"
        return self.start(
            "worker", "--scheduler-file", self.file, "--nthreads", 1, "--local-directory", place, "--host", "127.0.0.1"
        )

    def options(self) -> tuple[str, ...]:
        return ("--backend", "dask", "--scheduler", self.address)

    def end(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def cluster(tmp_path_factory):
    """Return a function: a job to a cluster whose workers can be poisoned by its images."""
    started = []

    def start(job) -> Cluster:
        started.append(Cluster(tmp_path_factory.mktemp("cluster"), job.environment))
        return started[-1]

    yield start
    for one in started:
        one.end()


def kill_a_worker(cluster: Cluster) -> None:
    """Kill one worker process, not its nanny, which starts another."""
    nanny = cluster.workers[0].pid
    children = subprocess.run(
        ["pgrep", "-P", str(nanny)], capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout.split()
    for pid in children:
        os.kill(int(pid), signal.SIGKILL)


def wait_for_outputs(job, count: int, process: subprocess.Popen) -> None:
    limit = time.monotonic() + 60
    while len(job.stored()) < count:
        assert time.monotonic() < limit, "nothing is converted"
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)


def ended(process: subprocess.Popen) -> int:
    """Return the exit code; a run that hangs is killed."""
    try:
        return process.wait(90)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def test_a_cluster_writes_the_bytes_that_loky_writes(job_of, reference, cluster, goes_on):
    job = job_of(60)
    whole = reference(job)
    options = cluster(job).options()
    done = job.run(*options, "--chunk-size", 4)
    assert done.returncode == 0, done.stderr
    assert job.stored() == whole
    assert set(goes_on(job, whole)["status"]) == {"converted"}


def test_a_worker_that_is_killed_loses_no_row(job_of, reference, cluster):
    job = job_of(400)
    whole = reference(job)
    workers = cluster(job)
    with job.start(*workers.options(), "--chunk-size", 4) as process:
        wait_for_outputs(job, 20, process)
        kill_a_worker(workers)
        assert ended(process) == 0, process.stderr.read()
    assert job.stored() == whole
    assert set(job.report()["status"]) == {"converted"}


def test_a_row_that_always_kills_its_worker_ends_as_crashed_and_no_other_does(job_of, reference, cluster):
    job = job_of(40)
    whole = reference(job)
    name = job.poison("segfault")
    done = job.run(*cluster(job).options(), "--chunk-size", 8, timeout=180)
    assert done.returncode == 1, done.stderr
    report = job.report()
    failed = report[report["status"] != "converted"]
    assert list(zip(failed["source"], failed["stage"], strict=True)) == [(name, "crashed")]
    assert job.stored() == whole


def test_a_killed_scheduler_ends_the_run_which_goes_on_elsewhere(job_of, reference, cluster, still_true, goes_on):
    job = job_of(400)
    whole = reference(job)
    workers = cluster(job)
    with job.start(*workers.options(), "--chunk-size", 4) as process:
        wait_for_outputs(job, 20, process)
        os.killpg(workers.scheduler.pid, signal.SIGKILL)
        assert ended(process) == 6
        said = process.stderr.read()
    assert "run the same command again" in said
    assert "Traceback" not in said
    workers.end()
    still_true(job, whole)
    goes_on(job, whole)


def test_workers_that_are_all_gone_end_the_run(job_of, reference, cluster, still_true, goes_on):
    job = job_of(400)
    whole = reference(job)
    workers = cluster(job)
    with job.start(*workers.options(), "--chunk-size", 4) as process:
        wait_for_outputs(job, 20, process)
        for worker in workers.workers:
            os.killpg(worker.pid, signal.SIGKILL)
        assert ended(process) == 6
        assert "no workers" in process.stderr.read()
    still_true(job, whole)
    goes_on(job, whole)


def test_a_worker_with_another_release_is_refused(job_of, cluster):
    job = job_of(10)
    options = cluster(job).options()
    other = "import bulkdcm._version, sys; bulkdcm._version.__version__ = '9'; from bulkdcm.cli import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", other, *job.command(*options)[3:]]
    done = subprocess.run(
        command, capture_output=True, text=True, env=job.environment, check=False, timeout=120, encoding="utf-8"
    )
    assert done.returncode == 6
    assert "the run 9: install the same" in done.stderr
    assert not job.stored()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--backend", "dask"), "--scheduler"),
        (("--scheduler", "tcp://127.0.0.1:1"), "--scheduler"),
        (("--backend", "dask", "--scheduler", "nonsense://x:1"), "--scheduler"),
        (("--backend", "dask", "--scheduler", "tcp://127.0.0.1:1", "--row-timeout", "1"), "--row-timeout"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said, job_of):
    done = job_of(2).run(*options)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_scheduler_that_is_not_there_is_said_to_be(job_of):
    done = job_of(2).run("--backend", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 6
    assert "can't be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_where_dask_is_not_installed_the_remedy_is_said(job_of):
    job = job_of(2)
    hidden = "import sys; sys.modules['distributed'] = None; from bulkdcm.cli import run; sys.exit(run(sys.argv[1:]))"
    options = job.command("--backend", "dask", "--scheduler", "tcp://127.0.0.1:1")[3:]
    done = subprocess.run(
        [sys.executable, "-c", hidden, *options], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 6
    assert "bulkdcm[dask]" in done.stderr
