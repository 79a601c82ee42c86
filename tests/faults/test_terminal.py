"""The terminal and what people do to it: full disks behind it, readers that go, Ctrl-C too early, names that are no text."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Job

PROGRAM = (sys.executable, "-m", "bulkdcm")
ROOT = Path(__file__).parents[2]
# As pip makes it.
SCRIPT = "import re, sys; from bulkdcm.__main__ import main; sys.exit(main())"


def bulkdcm(*arguments: object, **more):
    """Run a command to its end; its output is bytes."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 100, **more}
    return subprocess.run([*PROGRAM, *arguments], check=False, **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a job that has run."""
    job = Job(tmp_path_factory.mktemp("terminal"), 4)
    assert job.run().returncode == 0
    return job


def commands(job) -> dict[str, tuple]:
    return {
        "convert": ("convert", job.manifest, "--out", job.out),
        "dry run": ("convert", job.manifest, "--out", job.out, "--dry-run"),
        "check": ("check", job.manifest),
        "verify": ("verify", job.out),
        "classes": ("classes",),
        "markdown": ("classes", "--markdown"),
        "show": ("show", next(job.out.rglob("*.dcm"))),
        "help": ("--help",),
    }


NAMES = ["convert", "dry run", "check", "verify", "classes", "markdown", "show", "help"]


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_behind_the_output(name, finished):
    with Path("/dev/full").open("wb") as full:
        done = bulkdcm(*commands(finished)[name], stdout=full)
    assert done.returncode == 5, done.stderr
    assert b"the standard output can't be written: No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_that_has_gone(name, finished):
    reading, writing = os.pipe()
    os.close(reading)
    done = bulkdcm(*commands(finished)[name], stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_behind_the_errors(finished):
    with Path("/dev/full").open("wb") as full:
        for name in NAMES:
            assert bulkdcm(*commands(finished)[name], stderr=full).returncode == 0, name
        assert bulkdcm("check", "nothing.csv", stderr=full).returncode == 3
        assert bulkdcm("convert", "--nonsense", stderr=full).returncode == 2
        assert bulkdcm("check", finished.manifest, stdout=full, stderr=full).returncode == 5


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_from_the_beginning(closed, job_of, reference):
    job = job_of(6)
    command = " ".join(job.command())
    assert subprocess.run(f"{command} {closed}", shell=True, env=job.environment, check=False).returncode == 0
    assert job.stored() == reference(job)


def interrupted(command, delay_s: float, ready: int | None = None, **more) -> tuple[int, bytes]:
    """Interrupt a command some time after its start, or after it has written to a pipe."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, **more) as process:
        if ready is not None:
            os.read(ready, 1)
        time.sleep(delay_s)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=180)
    return process.returncode, errors


# Says when a module begins to be imported; children don't inherit it.
TELL = """
import os, sys
started = int(os.environ.pop("STARTED"))
def tell(event, arguments):
    if event == "import" and arguments[0] == "bulkdcm.cli":
        os.write(started, b".")
sys.addaudithook(tell)
"""


@pytest.mark.parametrize("command", [PROGRAM, (sys.executable, "-c", SCRIPT)], ids=["-m", "script"])
def test_an_interrupt_at_the_very_beginning(command, job_of, tmp_path):
    """From the first import that takes long. Before that the interpreter has its own say: it may even lose the signal."""
    job = job_of(300)
    (tmp_path / "sitecustomize.py").write_text(TELL, encoding="utf-8")
    ready, started = os.pipe()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "STARTED": str(started)}
    arguments = ("convert", str(job.manifest), "--out", str(job.out))
    for milliseconds in range(0, 300, 10):
        code, errors = interrupted(
            [*command, *arguments], milliseconds / 1000, ready, env=environment, pass_fds=[started]
        )
        assert code == 130, (milliseconds, code, errors)
        assert not re.search(rb'File "[^"]*/bulkdcm/', errors), (milliseconds, errors)
    os.close(ready)
    os.close(started)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("step", [100, pytest.param(4, marks=pytest.mark.long)])
def test_a_signal_while_workers_start(step, number, code, job_of):
    """Amid imports and the start of workers: no deadlock, no traceback, and the exit code of the signal."""
    job = job_of(3000)
    job.environment["PYTHONPATH"] = ""  # the poison would be imported while the interpreter starts
    for milliseconds in range(300, 1000, step):
        with job.start() as process:
            time.sleep(milliseconds / 1000)
            process.send_signal(number)
            _, errors = process.communicate(timeout=180)
        if "init_import_site" in errors:
            continue  # a machine so slow that the interpreter hadn't started
        assert process.returncode in {code, -number}, (milliseconds, process.returncode, errors)
        assert not re.search(r'File "[^"]*/(bulkdcm|joblib)/', errors), (milliseconds, errors)


def test_an_interrupt_that_the_caller_has_ignored_stays_ignored(finished):
    code, errors = interrupted(
        ["sh", "-c", f"trap '' INT; exec {sys.executable} -m bulkdcm check {finished.manifest}"], 0.05
    )
    assert (code, b"interrupted" in errors) == (0, False)


BAD = b"M\xfcller"


def bad(path: Path, name: bytes = BAD) -> Path:
    return path / os.fsdecode(name)


def said(done, code: int, *words: bytes) -> None:
    assert done.returncode == code, (done.returncode, done.stderr)
    assert b"Traceback" not in done.stderr
    assert b"UnicodeEncodeError" not in done.stderr
    for word in words:
        assert word in done.stdout + done.stderr


def test_folders_whose_names_are_no_text(job_of, reference, tmp_path):
    job = job_of(6)
    whole = reference(job)
    job.data.rename(bad(tmp_path))
    out, ledger = bad(tmp_path, b"out\xfc"), bad(tmp_path, b"ledger\xfc.sqlite")
    options = ("--images", bad(tmp_path), "--out", out, "--ledger", ledger)
    said(bulkdcm("convert", bad(tmp_path, BAD + b"/manifest.csv"), *options), 0, rb"/out\xfc/report.html")
    said(bulkdcm("convert", bad(tmp_path, BAD + b"/manifest.csv"), *options, "--dry-run"), 0, b"6  done")
    said(bulkdcm("rebuild", bad(tmp_path, BAD + b"/manifest.csv"), *options), 0)
    said(bulkdcm("check", bad(tmp_path, BAD + b"/manifest.csv")), 0, rb"M\xfcller/manifest.csv: 0 errors")
    assert job.stored(out) == whole
    assert (out / "report.parquet").stat().st_size
    (out / "0/0000.dcm").rename(bad(out, b"0/\xfc.dcm"))
    said(bulkdcm("verify", out), 0, b"6 files")
    bad(out, b"0/\xfc.dcm").write_bytes(b"nothing")
    said(bulkdcm("verify", out), 1, rb"\xfc.dcm")


@pytest.mark.parametrize(
    "option", ["--images", "--template", "--mapping", "--uid-key-file", "--out", "manifest", "show", "verify"]
)
def test_a_name_that_is_no_text_is_shown_with_escapes(option, finished, tmp_path):
    there, missing = bad(tmp_path, b"there\xfc"), bad(tmp_path, b"missing\xfc")
    there.write_bytes(b"neither TOML nor DICOM")
    base = ["convert", finished.manifest, "--out", tmp_path / "out"]
    asked = {
        "--out": ["convert", finished.manifest, "--out", there],
        "manifest": ["convert", missing, "--out", tmp_path / "out"],
        "show": ["show", there],
        "verify": ["verify", missing],
        "--images": [*base, "--images", missing],
        "--uid-key-file": [*base, "--uid-key-file", missing],
    }.get(option, [*base, option, there])
    done = bulkdcm(*asked)
    assert done.returncode in {2, 3, 5}
    said(done, done.returncode, rb"there\xfc" if there in asked else rb"missing\xfc")


def test_a_row_s_message_with_such_a_name_reaches_ledger_and_report(job_of, tmp_path):
    job = job_of(6)
    out, elsewhere = bad(tmp_path, b"out\xfc"), bad(tmp_path, b"elsewhere\xfc")
    out.mkdir()
    elsewhere.mkdir()
    (out / "3").symlink_to(elsewhere)
    said(bulkdcm("convert", job.manifest, "--out", out), 1)
    for name in ("report.csv", "summary.json"):
        assert rb"elsewhere\xfc" in (out / name).read_bytes().replace(rb"\\", b"\\")
