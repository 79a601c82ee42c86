"""CSV to columns and rows: everything is text, and stays what it was."""

from __future__ import annotations

import pytest

import bulkdcm
from bulkdcm import manifest
from bulkdcm.conversion import api
from bulkdcm.objects import offer
from bulkdcm.settings import Settings
from tests.systems import any_name


def rows_of(tmp_path, text: str, saved_as="utf-8", **options):
    path = tmp_path / "m.csv"
    path.write_bytes(text.encode(saved_as))
    settings = Settings.of(**options)
    table = manifest.resolve(manifest.read(path, settings), settings, offer())
    return manifest.part(table, range(len(table))).rows()


def test_leading_zeros_na_and_quotes_stay(tmp_path):
    text = 'source,PatientID,PatientName,ImageComments\na.png,00123,NA,"x,""y"""\nb.png,null,None,1.0\n'
    first, second = rows_of(tmp_path, text)
    assert first.attributes == {"PatientID": "00123", "PatientName": "NA", "ImageComments": 'x,"y"', "Modality": "OT"}
    assert second.attributes == {"PatientID": "null", "PatientName": "None", "ImageComments": "1.0", "Modality": "OT"}
    assert (first.line, second.line) == (2, 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "cp1252"])
def test_encodings(encoding, tmp_path):
    name = "Müller" if encoding == "cp1252" else "张^三"
    option = "utf-8" if encoding == "utf-8-sig" else encoding
    (row,) = rows_of(tmp_path, f"source,PatientName\na.png,{name}\n", encoding, encoding=option)
    assert row.attributes["PatientName"] == name


def test_lines_are_those_of_the_file_also_after_cells_of_two_lines(tmp_path):
    rows = rows_of(tmp_path, 'source,ImageComments\r\na.png,"one\ntwo"\r\n\r\nb.png,x\r\n')
    assert [row.line for row in rows] == [2, 5]


def test_defaults_fill_empty_cells_and_missing_columns(tmp_path):
    first, second = rows_of(
        tmp_path,
        "source,PatientID\na.png,\nb.png,7\n",
        defaults={"PatientID": "0", "Modality": "CR", "sop_class": "CR"},
    )
    assert first.attributes == {"PatientID": "0", "Modality": "CR"}
    assert second.attributes == {"PatientID": "7", "Modality": "CR"}
    assert first.sop_class_uid == "1.2.840.10008.5.1.4.1.1.1"


def test_outputs_mirror_sources_or_come_from_the_uids(tmp_path):
    text = "source,output\n./a/../b/x.tar.png,\nc.png,d/e.dcm\n"
    assert [row.output for row in rows_of(tmp_path, text)] == ["b/x.tar.dcm", "d/e.dcm"]
    assert [row.output for row in rows_of(tmp_path, text, layout="uid")] == ["", "d/e.dcm"]


@pytest.mark.parametrize(
    ("source", "sop_class", "expected"),
    [
        ("a.png", "", "1.2.840.10008.5.1.4.1.1.7"),
        ("a.png", "CT", "1.2.840.10008.5.1.4.1.1.2"),
        ("a.png", "CTImageStorage", "1.2.840.10008.5.1.4.1.1.2"),
        ("a.png", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2"),
        ("a.DCM", "", "DICOM"),
        ("a.dcm", "SC", "1.2.840.10008.5.1.4.1.1.7"),
        ("a.png", "nonsense", "nonsense"),
    ],
)
def test_classes_by_every_name(source, sop_class, expected, tmp_path):
    (row,) = rows_of(tmp_path, f"source,sop_class\n{source},{sop_class}\n")
    assert (row.sop_class_uid or row.kind) == expected


@pytest.mark.parametrize(
    ("sop_class", "modality"), [("", "OT"), ("CR", "CR"), ("US", "US"), ("DERM", "DMS"), ("DICOM", None)]
)
def test_the_usual_modality_of_a_class(sop_class, modality, tmp_path):
    (row,) = rows_of(tmp_path, f"source,sop_class\na.png,{sop_class}\n")
    assert row.attributes.get("Modality") == modality


@any_name
def test_paths_that_windows_wrote_are_found_and_a_name_with_a_backslash_stays(tmp_path):
    (tmp_path / "im").mkdir()
    for name in ("im/a.png", "im/b.png", "im\\c.png"):
        (tmp_path / name).write_bytes(b"x")
    text = "source,PatientID\nim\\a.png,1\nim/b.png,2\nim\\c.png,3\nim\\d.png,4\nC:\\x.png,5\n"
    (tmp_path / "m.csv").write_text(text, encoding="utf-8")
    found = [one for one in bulkdcm.check(tmp_path / "m.csv") if one.column == "source"]
    assert sorted((one.severity, one.lines) for one in found) == [
        ("error", (6,)),
        ("note", (2, 5)),
        ("warning", (5,)),
    ]
    _, rows = api.checked(tmp_path / "m.csv", 3)
    assert [(row.source, row.output) for row in rows] == [
        ("im/a.png", "im/a.dcm"),
        ("im/b.png", "im/b.dcm"),
        ("im\\c.png", "im\\c.dcm"),
    ]
