"""What the tests run is as a started process would be: what `tests.command` forks is held to it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import command

pytestmark = pytest.mark.skipif(not command.FORKS, reason="each command is started here")
HEADER = "source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber\n"


@pytest.fixture
def forked():
    """Return a function that runs a command in a fork, also if it is the first of its environment."""
    command.run("--version")
    return command.run


def test_it_is_a_fork_of_a_process_that_others_are_of(forked, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    assert forked("--version").returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ("convert", "m.csv", "-o", "out", "-j", "2", "--backend", "loky"),
        ("check", "m.csv"),
        ("check", "nothing.csv"),
        ("convert", "m.csv", "-o", b"\xff\xe9".decode(errors="surrogateescape"), "--dry-run"),
        ("--no-such-option",),
    ],
    ids=str,
)
def test_a_fork_says_does_and_leaves_the_same(words, forked, tmp_path):
    said = {}
    for name, run in (("started", started), ("forked", forked)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "m.csv").write_text(f"{HEADER}a.png,1,A^B,20230101,101010,1,1,1\n", encoding="utf-8")
        umask = os.umask(0o077)
        try:
            done = run(*words, cwd=folder, env={**os.environ, "COLUMNS": "70"})
        finally:
            os.umask(umask)
        made = {str(path.relative_to(folder)): path.stat().st_mode for path in folder.rglob("*")}
        said[name] = (done.returncode, done.stdout.replace(name, "x"), done.stderr.replace(name, "x"), made)
    assert said["forked"] == said["started"]


def test_a_fork_that_takes_too_long_is_ended(forked):
    with pytest.raises(subprocess.TimeoutExpired):
        forked("--version", timeout=1e-6)
    assert forked("--version").returncode == 0


def started(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "bulkdcm", *words], capture_output=True, encoding="utf-8", check=False, **options
    )
