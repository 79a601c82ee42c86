"""`init --from`: what every cell allows is proposed, the rest is a question in the file that `check` repeats."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

import bulkdcm
from bulkdcm.draft import propose_mapping
from bulkdcm.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path


def proposed(folder: Path, *lines: str) -> dict[str, Any]:
    """Return the columns of the mapping proposed for a CSV."""
    (folder / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = propose_mapping(folder / "d.csv", "utf-8")
    (folder / "m.toml").write_text(text, encoding="utf-8")
    return tomllib.loads(text)["columns"]


def problems(folder: Path) -> list[str]:
    for name in ("a.png", "b.png", "c.png"):
        Image.new("L", (4, 4)).save(folder / name)
    try:
        found = bulkdcm.check(folder / "d.csv", mapping=folder / "m.toml")
    except ManifestError as error:
        found = error.problems
    return [str(problem) for problem in found if problem.severity == "error"]


def test_two_studies_of_american_dates_stay_two(tmp_path):
    columns = proposed(tmp_path, "file,patient,date", "a.png,1,3/14/2020", "b.png,1,6/1/2021")
    assert columns["StudyDate"] == {"column": "date", "as": "date", "formats": ["%m/%d/%Y"]}
    assert not problems(tmp_path)
    report = bulkdcm.convert(tmp_path / "d.csv", tmp_path / "out", mapping=tmp_path / "m.toml")
    assert report.table["study_instance_uid"].nunique() == 2


@pytest.mark.parametrize(
    ("header", "cells", "keys", "words"),
    [
        ("date", ["3/4/2020", "6/1/2021"], {}, "2020-03-04 or 2020-04-03"),
        ("date", ["3/14/2020", "14/3/2020", "1/2/2020"], {}, "several orders"),
        ("date", ["3/14/2020", "unknown"], {"formats": ["%m/%d/%Y"]}, "'unknown'"),
        ("date", ["45000", "45001"], {}, "count of days"),
        ("date", ["14.03.20", "31.03.99"], {"formats": ["%d.%m.%y"]}, "first_year"),
        ("date", ["2020-03-14", "2021-06-01"], {}, ""),
        ("date", ["14.3.2020", "1.6.2021"], {"formats": ["%d.%m.%Y"]}, ""),
        ("dob", ["03/14/45", "12/31/50"], {"formats": ["%m/%d/%y"]}, "first_year"),
        ("study time", ["1015", "0930"], {}, ""),
        ("study time", ["5556", "10123"], {}, ""),
        ("study time", ["1015", "930"], {}, "00:10:15 or 10:15:00"),
        ("age", ["33", "50+", "6 months"], {}, ""),
        ("age", ["33", "36 hours"], {}, "001D and 002D"),
        ("age", ["33", "45 m"], {}, "045M"),
        ("age", ["33", "NA"], {}, "'NA'"),
        ("age_months", ["3", "18"], {"unit": "M"}, ""),
        ("Age (days)", ["3", "18"], {"unit": "D"}, ""),
        ("sex", ["M", "F"], {"values": {"M": "M", "F": "F"}}, ""),
        ("sex", ["W", "M"], {"values": {"M": "M"}}, "'W'"),
        ("sex", ["0", "1"], {"values": {}}, "'0', '1'"),
        ("sex", ["male ", "FEMALE", " "], {"values": {"male ": "M", "FEMALE": "F", " ": ""}}, ""),
        ("sex", ["H", "M"], {"values": {}}, "'H', 'M'"),
        ("sex", ["M", "n/a"], {"values": {"M": "M"}}, "'n/a'"),
        ("male", ["1", "0"], {"values": {"1": "M", "0": "F"}}, ""),
        ("female", ["True", "False"], {"values": {"True": "F", "False": "M"}}, ""),
        ("body part", ["chest", "HAND"], {"values": {"chest": "CHEST", "HAND": "HAND"}}, ""),
        ("body part", ["chest, right", "hand"], {}, "'chest, right'"),
        ("series", ["1.0", "2.0"], {"as": "number"}, ""),
        ("series", ["1.5", "T2"], {}, "whole number"),
        ("accession", ["1", "x" * 20], {}, "16 characters"),
    ],
)  # fmt: skip
def test_what_every_cell_allows_is_proposed_and_the_rest_asked(header, cells, keys, words, tmp_path):
    lines = [f'{name}.png,1,"{cell}"' for name, cell in zip("abc", cells, strict=False)]
    columns = proposed(tmp_path, f"file,patient,{header}", *lines)
    ((target, rule),) = [(target, rule) for target, rule in columns.items() if isinstance(rule, dict) and rule.get("column") == header]  # fmt: skip
    assert {key: rule[key] for key in keys} == keys
    assert bool(words) == ("question" in rule), rule
    found = [text for text in problems(tmp_path) if "question" in text]
    assert bool(words) == bool(found)
    assert all(words in text and f"columns.{target}" in text for text in found)


def test_a_birth_of_two_digits_is_certain_before_its_study(tmp_path):
    columns = proposed(tmp_path, "file,patient,dob,date", "a.png,1,03/14/45,2020-01-02", "b.png,2,1/2/50,2020-01-02")
    assert columns["PatientBirthDate"] == {"column": "dob", "as": "date", "formats": ["%m/%d/%y"]}
    assert not problems(tmp_path)


def test_a_time_of_day_beside_the_date_is_no_loss(tmp_path):
    columns = proposed(tmp_path, "file,patient,date", "a.png,1,2020-03-14 10:15:30", "b.png,2,2020-03-15 00:00:00")
    assert columns["StudyTime"] == {"column": "date", "as": "time"}
    plain = proposed(tmp_path, "file,patient,date", "a.png,1,2020-03-14 00:00:00")
    assert plain["StudyTime"] == ""


def test_columns_that_look_alike_are_asked_of(tmp_path):
    columns = proposed(tmp_path, "file,pid,subject,sex", "a.png,1,x,M")
    assert "subject looks like it too" in columns["PatientID"]["question"]
    exact = proposed(tmp_path, "file,pid,PatientID", "a.png,1,x")
    assert exact["PatientID"] == {"column": "PatientID"}


def test_images_that_are_not_found_are_asked_for(tmp_path):
    assert "where are they" in proposed(tmp_path, "image,patient", "a,1", "b,2")["source"]["question"]
    assert "no ending" in proposed(tmp_path, "image,patient", "a.png,1", "b,2")["source"]["question"]
    (tmp_path / "images").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "images" / "a.png")
    assert "question" not in proposed(tmp_path, "image,patient", "a,1", "b,2")["source"]


def test_names_and_cells_of_any_letters_are_toml(tmp_path):
    columns = proposed(tmp_path, 'file,"sex",patient', 'a.png,"""\\\x7f\u0085ü",1')
    assert "question" in columns["PatientSex"]


def test_the_command_says_how_many_questions_are_open(tmp_path, bulkdcm_command):
    (tmp_path / "d.csv").write_text("file,patient,sex,age\na.png,1,W,45 m\n", encoding="utf-8")
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    done = bulkdcm_command("init", "--from", tmp_path / "d.csv", "--out", tmp_path / "m.toml")
    assert done.returncode == 0, done.stderr
    assert "open questions: 2" in done.stderr
    checked = bulkdcm_command("check", tmp_path / "d.csv", "--mapping", tmp_path / "m.toml")
    assert checked.returncode == 3
    assert checked.stderr.count("an open question: ") >= 2
