"""`check --json`: all problems for machines, whatever is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd

import bulkdcm


def checked(path, *options: str, given: str | None = None):
    run = subprocess.run(
        [sys.executable, "-m", "bulkdcm", "check", str(path), "--json", *options],
        capture_output=True,
        text=True,
        input=given,
        check=False,
        cwd=path.parent if given is None else None,
    )
    return run.returncode, json.loads(run.stdout), run.stderr


def test_every_value_is_listed_with_its_lines(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("Source;PatientID;PatientSex\na.png;1;X\nb.png;2;Y\nc.png;3;X\n", encoding="utf-8")
    code, found, said = checked(path)
    assert (code, said) == (3, "")
    assert (found["errors"], found["notes"], found["message"]) == (1, 2, "")
    wrong = [one for one in found["problems"] if one["severity"] == "error"]
    assert [(one["column"], one["value"], one["lines"]) for one in wrong] == [
        ("PatientSex", "X", [2, 4]),
        ("PatientSex", "Y", [3]),
    ]
    assert all(one["rule"] and one["remedy"] for one in wrong)


def test_a_table_that_cannot_be_read_is_told_alike(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("source,PatientID\na.png\n", encoding="utf-8")
    code, found, _ = checked(path)
    assert (code, found["errors"], found["problems"][0]["lines"]) == (3, 1, [2])
    code, found, _ = checked(tmp_path / "none.csv")
    assert (code, found["errors"], found["problems"]) == (3, 1, [])
    assert "no such file" in found["message"]


def test_a_good_manifest_has_none(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    path = tmp_path / "m.csv"
    path.write_text("source,PatientID,output\na.png,\u00e9,\u4e2d.dcm\n", encoding="utf-8")
    code, found, _ = checked(path)
    assert (code, found["errors"]) == (0, 0)


def test_the_standard_input_and_a_data_frame_are_manifests(tmp_path, monkeypatch):
    run = subprocess.run(
        [sys.executable, "-m", "bulkdcm", "check", "-", "--images", str(tmp_path)],
        capture_output=True, text=True, input="source;PatientID\na.png;1\n", check=False,
    )  # fmt: skip
    assert run.returncode == 0
    assert "note: line 1: the columns are divided by a semicolon" in run.stderr
    monkeypatch.chdir(tmp_path)
    found = bulkdcm.check(pd.DataFrame({"Patient ID": [1], "source": ["a.png"]}))
    assert any("'Patient ID' as PatientID" in one.rule for one in found)
