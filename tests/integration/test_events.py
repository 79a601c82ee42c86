"""`--json`, `--log-file` and `--metrics`: what programs are told, by one schema, and names only if asked for."""

from __future__ import annotations

import json
import re

import jsonschema
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.cli import events
from tests import command

VALIDATOR = jsonschema.Draft202012Validator(events.schema())
HEADER = "source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber\n"


def told(*arguments: object):
    """Return exit code, events and messages of a command."""
    run = command.run(*arguments, "--json")
    found = [json.loads(line) for line in run.stdout.splitlines()]
    for one in found:
        VALIDATOR.validate(one)
    assert found[0]["event"] == "start"
    assert found[-1]["event"] in {"end", "refused"}
    assert found[-1]["exit_code"] == run.returncode
    return run.returncode, found, run.stderr


def of(found, event: str):
    return [one for one in found if one["event"] == event]


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "SECRET.png"):
        Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / name)
    (tmp_path / "SECRET.png").write_bytes(b"cut off")
    rows = "a.png,1,A^B,20230101,101010,1,1,1\nSECRET.png,1,A^B,20230101,101010,1,1,2\n"
    (tmp_path / "m.csv").write_text(HEADER + rows, encoding="utf-8")
    return tmp_path


def test_a_check_lists_every_value_with_its_lines(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("Source;PatientID;PatientSex\na.png;1;SECRET\nb.png;2;Y\nc.png;3;SECRET\n", encoding="utf-8")
    code, found, said = told("check", path, "--identifiers")
    assert (code, said) == (3, "")
    wrong = [one for one in of(found, "problem") if one["severity"] == "error"]
    assert [(one["column"], one["value"], one["lines"]) for one in wrong] == [
        ("PatientSex", "SECRET", [2, 4]),
        ("PatientSex", "Y", [3]),
    ]
    assert all(one["rule"] and one["remedy"] for one in wrong)
    assert (found[-1]["errors"], found[-1]["notes"]) == (1, 2)
    _, found, _ = told("check", path)
    assert len(of(found, "problem")) > 2
    assert "SECRET" not in json.dumps(found)


def test_a_table_that_cannot_be_read_is_told_alike(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("source,PatientID\na.png\n", encoding="utf-8")
    code, found, _ = told("check", path)
    assert (code, of(found, "problem")[0]["lines"]) == (3, [2])
    code, found, _ = told("check", tmp_path / "none.csv", "--identifiers")
    assert (code, of(found, "problem")) == (3, [])
    assert "no such file" in found[-1]["message"]


@pytest.mark.parametrize("asked", [False, True])
def test_a_run_tells_rows_that_fail_and_how_far_it_is(asked, folder):
    log = folder / "run.log"
    options = ["--identifiers"] if asked else []
    code, found, said = told("convert", folder / "m.csv", "-o", folder / "out", "-j", 1, "--log-file", log, *options)
    assert (code, said) == (1, "")
    (failed,) = of(found, "failed")
    assert (failed["line"], failed["stage"], failed["error"]) == (3, "decode", "PixelError")
    assert of(found, "progress")[-1] | {"time": ""} == {
        "event": "progress", "time": "", "rows": 2, "converted": 1, "failed": 1,
    }  # fmt: skip
    assert (found[-1]["converted"], found[-1]["failed_now"]) == (1, 1)
    lines = log.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(found)
    levels = [re.fullmatch(r"\S+ (DEBUG|INFO|WARNING|ERROR) +(\w+) .*", line).groups() for line in lines]
    assert levels[0] == ("INFO", "start")
    assert ("WARNING", "failed") in levels
    for text in (json.dumps(found), "\n".join(lines)):
        assert ("SECRET" in text) == asked
        assert "A^B" not in text


def test_a_refused_run_is_told_in_all_places(folder):
    path = folder / "m.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("20230101", "2023-01-01"), encoding="utf-8")
    metrics, log = folder / "m.prom", folder / "run.log"
    code, found, said = told("convert", path, "-o", folder / "out", "--metrics", metrics, "--log-file", log)
    assert (code, found[-1]["event"]) == (3, "refused")
    assert "error: " in said
    assert "bulkdcm_exit_code 3" in metrics.read_text(encoding="utf-8")
    assert " ERROR   refused " in log.read_text(encoding="utf-8")


def test_the_figures_are_as_prometheus_reads_them(folder):
    path = folder / "m.prom"
    told("convert", folder / "m.csv", "-o", folder / "out", "--metrics", path)
    lines = path.read_text(encoding="utf-8").splitlines()
    metrics = dict(line.split() for line in lines if line[0] != "#")
    assert (metrics["bulkdcm_converted"], metrics["bulkdcm_failed"]) == ("1", "1")
    assert float(metrics["bulkdcm_ended_timestamp_seconds"]) > 1.7e9
    for name in metrics:
        assert any(line.startswith(f"# HELP {name} ") for line in lines)
        assert f"# TYPE {name} gauge" in lines
    told("convert", folder / "m.csv", "-o", folder / "out", "--metrics", path)
    path.write_text("mine", encoding="utf-8")
    run = command.run("convert", folder / "m.csv", "-o", folder / "out", "--metrics", path)
    assert run.returncode == 2
    assert "there is another file" in run.stderr
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_rehearsal_tells_its_counts(folder):
    code, found, _ = told("convert", folder / "m.csv", "-o", folder / "out", "--dry-run")
    assert (code, found[-1]["plan"]) == (0, {"new": 2})
    assert not (folder / "out").exists()


@pytest.mark.parametrize(("option", "shown"), [("-q", False), ("-v", True)])
def test_people_see_less_or_more(option, shown, folder):
    run = command.run("convert", folder / "m.csv", "-o", folder / "out", option)
    assert run.returncode == 1
    assert ("failed: line 3: decode: SECRET.png" in run.stderr) == shown
    assert bool(run.stdout) == shown


def test_a_log_that_cannot_be_written_is_refused(folder):
    run = command.run("convert", folder / "m.csv", "-o", folder / "out", "--log-file", folder)
    assert (run.returncode, (folder / "out").exists()) == (2, False)
    assert "Is a directory" in run.stderr


def test_the_standard_input_and_a_data_frame_are_manifests(tmp_path, monkeypatch):
    run = command.run("check", "-", "--images", str(tmp_path), input="source;PatientID\na.png;1\n")
    assert run.returncode == 0
    assert "note: line 1: the columns are divided by a semicolon" in run.stderr
    monkeypatch.chdir(tmp_path)
    found = bulkdcm.check(pd.DataFrame({"Patient ID": [1], "source": ["a.png"]}))
    assert any("'Patient ID' as PatientID" in one.rule for one in found)


def test_a_check_names_nobody_in_its_words(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / folder / "Secret.png")
    (tmp_path / "Secret.zip").write_bytes(b"PK\x03\x04 cut off")
    rows = ["Secret.zip!a.png,secret,048M,x", "b/secret.png,CHEST,48m,y"]
    (tmp_path / "m.csv").write_text("\n".join(["source,BodyPartExamined,PatientAge,study", *rows]), encoding="utf-8")
    (tmp_path / "d.csv").write_text("name,age\nSecret,48m\nSecret,1.5\n", encoding="utf-8")
    (tmp_path / "d.toml").write_text(
        '[columns]\nsource = { template = "**/{name}.png" }\nPatientAge = { column = "age", as = "age" }\n',
        encoding="utf-8",
    )
    for arguments, least in (([tmp_path / "m.csv"], 4), ([tmp_path / "d.csv", "--mapping", tmp_path / "d.toml"], 2)):
        _, found, _ = told("check", *arguments)
        assert len(of(found, "problem")) >= least
        text = json.dumps([[one["rule"], one["remedy"]] for one in of(found, "problem")])
        assert not re.search(r"secret|48", text, re.IGNORECASE), text


def test_verify_and_report_tell_events_of_the_same_schema(folder):
    out = folder / "out"
    told("convert", folder / "m.csv", "-o", out)
    code, found, _ = told("report", out)
    assert (code, found[-1]["converted"], found[-1]["run_exit_code"]) == (0, 1, 1)
    assert told("verify", out)[0] == 0
    file = out / "a.dcm"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    told("verify", file, out)  # files by themselves: the same schema
    code, found, _ = told("verify", out)
    assert (code, "path" in of(found, "finding")[0]) == (1, False)
    code, found, _ = told("verify", out, "--identifiers")
    assert (code, of(found, "finding")[0]["path"]) == (1, "a.dcm")
