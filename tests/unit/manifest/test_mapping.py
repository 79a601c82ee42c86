"""Mapping rules: what they make of cells, and what they say where they can't."""

from __future__ import annotations

import pytest

import bulkdcm
from bulkdcm import manifest
from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest.conversions import converted
from bulkdcm.manifest.rule import Rule
from bulkdcm.objects import offer
from bulkdcm.settings import Settings


@pytest.mark.parametrize(
    ("cell", "rule", "text"),
    [
        ("33", {"convert": "age"}, "033Y"),
        ("50+", {"convert": "age"}, "050Y"),
        ("55.0", {"convert": "age"}, "055Y"),
        ("058Y", {"convert": "age"}, "058Y"),
        ("6 months", {"convert": "age"}, "006M"),
        ("12", {"convert": "age", "unit": "M"}, "012M"),
        ("2023-07-26", {"convert": "date"}, "20230726"),
        ("26.07.2023", {"convert": "date", "formats": ("%d.%m.%Y",)}, "20230726"),
        ("10:15", {"convert": "time"}, "101500"),
        ("male", {"values": {"male": "M"}}, "M"),
        ("", {"empty": "x"}, "x"),
        ("weird", {"values": {"male": "M"}, "otherwise": ""}, ""),
        ("early 40s", {"convert": "age", "otherwise": ""}, ""),
    ],
)
def test_a_rule_makes_of_a_cell(cell, rule, text):
    assert converted([cell], Rule(column="c", **rule)) == [text]


@pytest.mark.parametrize(
    ("cell", "rule", "words"),
    [
        ("early 40s", {"convert": "age"}, "an age"),
        ("2023-02-30", {"convert": "date"}, "a date"),
        ("weird", {"values": {"male": "M"}}, "table of values"),
    ],
)
def test_a_rule_says_where_it_can_make_nothing_of_a_cell(cell, rule, words):
    (found,) = converted([cell], Rule(column="c", **rule))
    assert words in found.rule


def read(tmp_path, toml: str, text: str):
    (tmp_path / "m.toml").write_text(toml, encoding="utf-8")
    (tmp_path / "d.csv").write_text(text, encoding="utf-8")
    settings = Settings.of(mapping=tmp_path / "m.toml")
    table = manifest.resolve(manifest.read(tmp_path / "d.csv", settings), settings, offer())
    return manifest.part(table, range(len(table))).rows()


def test_templates_counts_constants_and_filters(tmp_path):
    (tmp_path / "im").mkdir()
    for name in ("a1.png", "a2.jpg", "b1.png"):
        (tmp_path / "im" / name).write_bytes(b"x")
    toml = """
        [keep]
        kind = ["x", "y"]
        [columns]
        source = { template = "im/{who}{number}.*" }
        PatientID = { column = "who" }
        InstanceNumber = { count = ["PatientID"] }
        Modality = "CR"
    """
    rows = read(tmp_path, toml, "who,number,kind\na,1,x\nb,1,y\nc,9,z\na,2,x\n")
    assert [row.source for row in rows] == ["im/a1.png", "im/b1.png", "im/a2.jpg"]
    assert [row.line for row in rows] == [2, 3, 5]
    assert [row.attributes["InstanceNumber"] for row in rows] == ["1", "1", "2"]
    assert {row.attributes["Modality"] for row in rows} == {"CR"}


def test_what_no_rule_can_make_is_located_by_key_line_and_value(tmp_path):
    toml = '[columns]\nsource = { template = "{f}.*" }\nPatientSex = { column = "s", values = { m = "M" } }\n'
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, toml, "f,s\nx,m\ny,w\nz,w\n")
    found = [str(problem) for problem in caught.value.problems]
    assert any("lines 3, 4, column s: 'w': mapping key columns.PatientSex: not in its table" in text for text in found)
    assert len(found) == 1


def test_two_files_of_one_name_are_said(tmp_path):
    for name in ("x.png", "x.jpg"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ManifestError, match="2 files are called so"):
        read(tmp_path, '[columns]\nsource = { template = "{f}.*" }\n', "f\nx\n")


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[columns]\n", "no `source`"),
        ("x = 1\n[columns]\nsource = 'a'\n", "which means nothing"),
        ("[columns]\nsource = { colum = 'f' }\n", "which means nothing"),
        ("[columns]\nsource = { column = 'f', template = 'x' }\n", "needs one of"),
        ("[columns]\nsource = { column = 'g' }\n", "none of the columns of d.csv"),
        ("[columns]\nsource = { template = '{g}.png' }\n", "none of the columns of d.csv"),
        ("[columns]\nsource = { column = 'f', take = '(' }\n", "take"),
        ("[columns]\nsource = { column = 'f', take = 'x' }\n", "groups"),
        (
            "[columns]\nsource = { column = 'f', as = 'name' }\n",
            "age, date, time, datetime, number, decimal, sex, code",
        ),
        ("[columns]\nInstanceNumber = { count = ['PatientID'] }\nsource = { column = 'f' }\n", "columns above"),
        ("[keep]\ng = ['x']\n[columns]\nsource = { column = 'f' }\n", "keep names 'g'"),
        ("nonsense", "mapping="),
    ],
)
def test_a_mapping_that_means_nothing_is_said_with_its_key(toml, words, tmp_path):
    with pytest.raises(SettingsError, match="mapping=") as caught:
        read(tmp_path, toml, "f\nx\n")
    assert words in str(caught.value)


def test_a_missing_mapping_is_said(tmp_path):
    (tmp_path / "d.csv").write_text("f\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="No such file"):
        bulkdcm.check(tmp_path / "d.csv", mapping=tmp_path / "x.toml")
