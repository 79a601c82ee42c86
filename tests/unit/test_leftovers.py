"""What a killed run left in the folders for temporary files goes, also if another process has its number by now."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from bulkdcm import leftovers, system
from tests.systems import processes

PID = 2**22 + 12345  # above any that the system gives


@pytest.fixture
def left(tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "_SHARED", tmp_path)
    monkeypatch.setattr(leftovers, "_temporary", lambda: tmp_path)
    monkeypatch.delenv("JOBLIB_TEMP_FOLDER", raising=False)

    def names(**since_s: float) -> list[str]:
        for name, moment_s in since_s.items():
            path = tmp_path / f"bulkdcm-slots-{PID}-{name}"
            path.mkdir()
            os.utime(path, (moment_s, moment_s))
        leftovers.remove(PID, 1000.0)
        found = sorted(path.name.rpartition("-")[2] for path in tmp_path.iterdir())
        for path in tmp_path.iterdir():
            path.rmdir()
        return found

    return names


@processes
def test_what_a_process_left_that_is_no_more_goes(left):
    assert left(older=900.0, ours=1001.0, later=5000.0) == ["older"]


@pytest.mark.parametrize(("began_s", "stays"), [(0.0, True), (990.0, True), (1001.0, True), (4000.0, False)])
def test_another_process_of_its_number_keeps_its_own_alone(began_s, stays, left, monkeypatch):
    monkeypatch.setattr(system, "alive", lambda _: True)
    monkeypatch.setattr(system, "process_began_s", lambda _: began_s)
    assert left(ours=1005.0, others=4000.0) == (["others", "ours"] if stays else ["others"])


@processes
def test_when_a_process_began_is_known_here():
    before = time.time()
    with subprocess.Popen(["sleep", "30"]) as process:
        found = system.process_began_s(process.pid)
        process.kill()
    assert before - 2 < found < time.time() + 2
    assert system.process_began_s(PID) == 0
