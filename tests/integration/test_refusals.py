"""A refused run leaves a summary that says so, so that yesterday's success doesn't stand for today's refusal."""

from __future__ import annotations

import contextlib
import hashlib
import json

import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.ledger.files import FOLDER
from bulkdcm.ledger.lock import Lock

HEADER = "source,PatientID,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber\n"


@pytest.fixture
def run(tmp_path):
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a.png")
    path = tmp_path / "m.csv"

    def convert(text: str = HEADER + "a.png,1,20230101,101010,1,1,1\n", **options: object) -> dict[str, object]:
        path.write_text(text, encoding="utf-8")
        with contextlib.suppress(bulkdcm.RunError):
            bulkdcm.convert(path, tmp_path / "out", backend="sequential", **options)
        summary = tmp_path / "out" / "summary.json"
        return json.loads(summary.read_bytes()) if summary.exists() else {}

    return convert


def test_a_summary_says_what_was_asked_and_when(run, tmp_path):
    found = run()
    assert (found["exit_code"], found["refused"], found["failed_now"], found["failed_before"]) == (0, "", 0, 0)
    assert found["release"] == bulkdcm.__version__
    assert found["manifest"] == str(tmp_path / "m.csv")
    assert found["manifest_sha256"] == hashlib.sha256((tmp_path / "m.csv").read_bytes()).hexdigest()
    assert found["started_at"] <= found["ended_at"]
    (tmp_path / "a.png").write_bytes(b"cut")
    assert (run()["failed_now"], run()["failed_now"], run()["failed_before"]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("text", "options", "code", "words"),
    [
        (HEADER + "a.png,1,20230101,101010,1,1,x\n", {}, 3, "problem"),
        (HEADER + "b.png,1,20230101,101010,1,1,1\n", {}, 3, "none of the sources"),
        ("source,PatientID\na.png\n", {}, 3, "problem"),
        (HEADER + "a.png,1,20230101,101010,1,1,1\n", {"images": "nowhere"}, 2, "no such folder"),
    ],
)
def test_a_refusal_takes_the_place_of_an_earlier_success(text, options, code, words, run):
    before = run()
    found = run(text, **options)
    assert (found["exit_code"], found["converted"]) == (code, 0)
    assert words in found["refused"]
    assert found["started_at"] >= before["ended_at"]
    assert run()["exit_code"] == 0


def test_a_refused_first_run_leaves_nothing_behind(run, tmp_path):
    assert run(HEADER + "a.png,1,x,101010,1,1,1\n") == {}
    assert not (tmp_path / "out").exists()


def test_a_run_that_another_is_in_the_way_of_says_nothing_for_it(run, tmp_path):
    before = run()
    with Lock(tmp_path / "out" / FOLDER, None):
        assert run() == before


def test_a_summary_that_is_none_of_ours_stays(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.json").write_text("{}", encoding="utf-8")
    assert run() == {}
