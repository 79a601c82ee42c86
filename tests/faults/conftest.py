"""A data set, the real command to do harm to, and the invariants that every fault must leave true."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.command import run as run_command
from tests.conformance.readers import need

HEADER = (
    "source,PatientID,PatientName,PatientSex,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,BodyPartExamined"
)
POISON = Path(__file__).parent / "poison"
NEEDS_MOUNT = "mounting a small file system needs root"
STRACE = ("strace", "-f", "-qq", "-o", "/dev/null")
STRACE_ERRORS = (*STRACE, "--seccomp-bpf")  # stops the process at what is traced alone, where no signal can be injected


def need_strace() -> None:
    """Skip the test where strace is missing or may not trace; fail it where CI says that it must be there."""
    need("strace")
    if subprocess.run([*STRACE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets no process trace another")


class Job:
    """A manifest, its images and an output folder, and the command that converts them.

    Parameters
    ----------
    folder
        Where everything lies; nothing outside `out` may change.
    rows
        How many images to make.
    usual
        Options of every run of it.
    """

    def __init__(self, folder: Path, rows: int, usual: tuple[str, ...] = ()) -> None:
        self.usual = usual
        self.folder, self.data, self.out = folder, folder / "data", folder / "out"
        self.manifest = self.data / "manifest.csv"
        rng = np.random.default_rng(3)
        self.lines = [HEADER]
        pixels = rng.integers(0, 255, (64, 64), dtype=np.uint8)
        for number in range(rows):
            name = f"{number % 7}/{number:04d}.{'png' if number % 3 else 'jpg'}"
            path = self.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.roll(pixels, number)).save(path)
            self.lines.append(self.line(name, number))
        self.write_manifest()
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(POISON), os.environ.get("PYTHONPATH", "")]),
        }

    @staticmethod
    def line(name: str, number: int) -> str:
        return f"{name},{number % 7:03d},A^B,O,20230102,101112,1,1,{number + 1},CHEST"

    def write_manifest(self) -> None:
        self.manifest.write_text("\n".join(self.lines) + "\n", encoding="utf-8")

    def poison(self, deed: str, name: str | None = None) -> str:
        """Add a row whose image does `deed` to its worker."""
        name = name or f"poison/{deed}.png"
        path = self.data / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"POISON {deed} ", encoding="ascii")
        self.lines.insert(len(self.lines) // 2, self.line(name, len(self.lines)))
        self.write_manifest()
        return name

    def command(self, *options: object, out: Path | None = None, command: str = "convert") -> list[str]:
        base = [
            sys.executable,
            "-m",
            "bulkdcm",
            command,
            self.manifest,
            "--out",
            out or self.out,
            "--n-jobs",
            2,
            *self.usual,
        ]
        return [str(part) for part in (*base, *options)]

    def start(self, *options: object, prefix: tuple[str, ...] = (), **more: object) -> subprocess.Popen:
        """Start the command in a session of its own."""
        return subprocess.Popen(
            [*prefix, *self.command(*options)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self.environment,
            start_new_session=True,
            **more,
        )

    def run(
        self, *options: object, prefix: tuple[str, ...] = (), timeout: float = 300, **more
    ) -> subprocess.CompletedProcess[str]:
        """Run the command to its end; `more` is of `command`."""
        words = [*prefix, *self.command(*options, **more)]
        if not prefix:
            return run_command(*words[3:], env=self.environment, timeout=timeout)
        return subprocess.run(
            words, capture_output=True, encoding="utf-8", env=self.environment, check=False, timeout=timeout
        )

    def rebuild(self) -> subprocess.CompletedProcess[str]:
        """Run ``bulkdcm rebuild`` to its end."""
        return self.run(command="rebuild")

    def stored(self, out: Path | None = None) -> dict[str, str]:
        """Return the SHA-256 of each output by its path."""
        out = out or self.out
        return {
            str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in out.rglob("*.dcm")
        }

    def report(self) -> pd.DataFrame:
        return pd.read_csv(self.out / "report.csv", dtype={"status": str, "reason": str, "source": str})

    def ledger_rows(self) -> list[tuple]:
        path = self.out / ".bulkdcm" / "ledger.sqlite"
        if not path.exists():
            return []
        connection = sqlite3.connect(path)
        try:
            return list(connection.execute("SELECT ordinal, status, output, output_sha256 FROM outcome"))
        except sqlite3.OperationalError:
            return []  # killed before its first commit
        finally:
            connection.close()


@pytest.fixture
def job_of(tmp_path, request):
    """Return a function: number of rows to a `Job`, with the options that the module says are usual in it."""
    return lambda rows: Job(tmp_path, rows, getattr(request.module, "USUAL", ()))


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """Return a function: job to the digests of an undisturbed run of it."""
    known: dict[str, dict[str, str]] = {}

    def of(job: Job) -> dict[str, str]:
        key = hashlib.sha256("\n".join(job.lines).encode()).hexdigest()
        if key not in known:
            out = tmp_path_factory.mktemp("reference")
            done = job.run("--backend", "sequential", out=out)
            assert done.returncode == 0, done.stderr
            known[key] = job.stored(out)
        return known[key]

    return of


def processes_of(session: int) -> list[int]:
    """Return the processes of a session that are still alive."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.fixture
def small_disk(tmp_path):
    """Return a function that mounts a tmpfs of some size, or skips; unmounted at the end."""
    mounted = []

    def mount(name: str, size: str):
        folder = tmp_path / name
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "bulkdcm", folder], check=False, capture_output=True
        )
        if done.returncode:
            pytest.skip(NEEDS_MOUNT)
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def no_process_left():
    """Return a function that waits for a session's processes to end, and fails where one doesn't."""

    def check(session: int, within_s: float = 60.0) -> None:
        limit = time.monotonic() + within_s
        while (left := processes_of(session)) and time.monotonic() < limit:
            time.sleep(0.02)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left, f"processes {left} outlived the run"

    return check


@pytest.fixture
def still_true():
    """Return the check of what must hold right after a fault, before the run goes on."""

    def check(job: Job, whole: dict[str, str]) -> None:
        stored = job.stored()
        wrong = {path for path, digest in stored.items() if whole.get(path) != digest}
        assert not wrong, f"half-written or different: {sorted(wrong)[:3]}"
        for _, status, output, digest in job.ledger_rows():
            if status == "converted":
                assert stored.get(output) == digest, f"{output} is called done and isn't"

    return check


@pytest.fixture
def goes_on():
    """Return the check of the run after a fault: it ends well, and all is as if nothing had happened."""

    def check(job: Job, whole: dict[str, str], *options: object, code: int = 0) -> pd.DataFrame:
        outside = set(job.folder.iterdir())
        done = job.run(*options)
        assert done.returncode == code, done.stdout + done.stderr
        assert job.stored() == whole
        report = job.report()
        assert list(report["line"]) == list(range(2, len(job.lines) + 1))
        failed = report[report["status"] != "converted"]
        assert failed["message"].notna().all()
        assert not list(job.out.rglob("*.bulkdcm-tmp")), "a temporary file is left"
        assert set(job.folder.iterdir()) == outside | {job.out}
        return report

    return check


@pytest.fixture
def figures(capsys):
    """Return a function that prints what a long test has counted, and what is wrong after it."""

    def say(job: Job, whole: dict[str, str], **counts: int) -> None:
        stored, report = job.stored(), job.report()
        counts["rows"] = len(job.lines) - 1
        counts["rows_lost"] = counts["rows"] - int((report["status"] == "converted").sum())
        counts["files_missing"] = len(whole.keys() - stored)
        counts["files_half_written_or_different"] = sum(whole.get(path) != digest for path, digest in stored.items())
        with capsys.disabled():
            print("\n  " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))

    return say
