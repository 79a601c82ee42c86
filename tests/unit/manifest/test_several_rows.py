"""Several rows of one image: identical ones, the first, or all together."""

from __future__ import annotations

import pytest

import bulkdcm
from bulkdcm import manifest
from bulkdcm.errors import ManifestError
from bulkdcm.settings import Settings

HEADER = "source,PatientID,ImageComments,AnatomicRegionSequence,PatientAge"


@pytest.fixture
def path(tmp_path):
    def write(*rows: str):
        (tmp_path / "m.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
        for name in "ab":
            (tmp_path / f"{name}.png").write_bytes(b"x")
        return tmp_path / "m.csv"

    return write


def cells(found, name: str) -> list[str]:
    return [found.column(name)[ordinal] for ordinal in range(len(found))]


def test_identical_rows_are_one_note_and_the_first_counts(path):
    given = path("a.png,1,x,,", "b.png,2,y,,", "a.png,1,x,,", "b.png,2,y,,", "a.png,1,x,,")
    found = [one for one in bulkdcm.check(given) if one.severity != "warning"]
    assert [(one.severity, one.lines) for one in found] == [("note", (4, 5, 6))]
    assert "3 rows are earlier ones again" in found[0].rule
    assert manifest.read(given, Settings()).lines.tolist() == [2, 3]


def test_different_rows_of_one_image_are_one_error_with_its_remedy(path):
    given = path("a.png,1,x,,", "a.png,1,y,,", "b.png,1,z,,", "b.png,1,w,,")
    found = [one for one in bulkdcm.check(given) if one.severity == "error"]
    assert [one.lines for one in found] == [(3, 5)]
    assert "rows_per_image='first'" in str(found[0])
    assert "--rows-per-image join" in found[0].text


def test_the_first_row_is_taken(path):
    found = manifest.read(path("a.png,1,x,,", "a.png,2,y,,", "b.png,1,z,,"), Settings.of(rows_per_image="first"))
    assert (cells(found, "ImageComments"), found.lines.tolist()) == (["x", "z"], [2, 4])


def test_rows_are_put_together(path):
    given = path("a.png,1,x,14975008^SCT^Forearm,033Y", "b.png,1,,,", "a.png,1,y,,", "a.png,1,x,85562004^SCT^Hand,033Y")
    found = manifest.read(given, Settings.of(rows_per_image="join"))
    assert cells(found, "ImageComments") == ["x; y", ""]
    assert cells(found, "AnatomicRegionSequence") == ["14975008^SCT^Forearm\\85562004^SCT^Hand", ""]
    assert cells(found, "PatientAge") == ["033Y", ""]


def test_what_holds_one_value_is_not_put_together(path):
    given = path("a.png,1,x,,033Y", "a.png,1,y,,034Y", "b.png,1,y,,035Y", "b.png,1,y,,036Y")
    with pytest.raises(ManifestError, match="rows of one image differ in PatientAge") as caught:
        manifest.read(given, Settings.of(rows_per_image="join"))
    assert "1 more image is alike" in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("name", "cells_of"),
    [
        ("PatientID", ("1", "2")),
        ("DeviceSerialNumber", ("1", "2")),
        ("IssuerOfPatientID", ("a", "b")),
        ("ImageType", ("ORIGINAL\\PRIMARY", "DERIVED\\PRIMARY")),
        ("PatientOrientation", ("L\\F", "P\\F")),
    ],
)
def test_what_names_one_thing_or_has_places_is_not_put_together(name, cells_of, tmp_path):
    (tmp_path / "m.csv").write_text(
        f"source,{name}\na.png,{cells_of[0]}\na.png,{cells_of[1]}\na.png,\n", encoding="utf-8"
    )
    with pytest.raises(ManifestError, match=f"rows of one image differ in {name}, whose values can't be put together"):
        manifest.read(tmp_path / "m.csv", Settings.of(rows_per_image="join"))


@pytest.mark.parametrize("how", ["first", "join"])
def test_rows_without_an_image_are_no_one_image(how, path):
    given = path("a.png,1,x,,", ",2,y,,", ",3,z,,")
    assert cells(manifest.read(given, Settings.of(rows_per_image=how)), "PatientID") == ["1", "2", "3"]
