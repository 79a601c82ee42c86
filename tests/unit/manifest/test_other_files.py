"""Files that are no manifest are called what they are, with what to do."""

from __future__ import annotations

import io
import zipfile

import pytest

import bulkdcm
from bulkdcm.draft import propose_mapping
from bulkdcm.errors import ManifestError


def zipped(*names: str, mimetype: str = "") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
        if mimetype:
            archive.writestr("mimetype", mimetype)
    return data.getvalue()


FILES = [
    (b"\x89PNG\r\n\x1a\n", "a PNG image", "bulkdcm init"),
    (b"\xff\xd8\xff\xe0", "a JPEG image", "bulkdcm init"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP image", "bulkdcm init"),
    (bytes(128) + b"DICM", "a DICOM file", "bulkdcm init"),
    (zipped("xl/workbook.bin"), "a binary Excel workbook", "CSV"),
    (
        zipped("content.xml", mimetype="application/vnd.oasis.opendocument.spreadsheet"),
        "an OpenDocument spreadsheet",
        "CSV",
    ),
    (zipped("a.csv"), "a zip archive", "Unpack"),
    (zipped("xl/workbook.xml")[:40], "a zip archive or a workbook, and damaged", "again"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", "CSV"),
    (b"%PDF-1.7", "PDF", "CSV"),
    (b"\n<!DOCTYPE HTML><html>", "an HTML page", "Fetch"),
    (b"SQLite format 3\0", "an SQLite database", "CSV"),
    (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer", "git lfs pull"),
]


@pytest.mark.parametrize(("data", "what", "remedy"), FILES, ids=[what for _, what, _ in FILES])
def test_a_file_of_another_kind_is_named(data, what, remedy, tmp_path):
    path = tmp_path / "my m.csv"
    path.write_bytes(data)
    for call in (lambda: bulkdcm.check(path), lambda: propose_mapping(path, "utf-8")):
        with pytest.raises(ManifestError) as caught:
            call()
        assert f"this is {what}" in str(caught.value)
        assert remedy in str(caught.value)


def test_a_folder_points_to_init(tmp_path):
    (tmp_path / "a b").mkdir()
    with pytest.raises(ManifestError, match=r"this is a folder.*`bulkdcm init (['\"]).*a b\1 --out manifest\.csv`"):
        bulkdcm.check(tmp_path / "a b")


def test_a_name_that_begins_as_a_bitmap_does_is_text(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("BMI,source\n1,a.png\n", encoding="utf-8")
    assert any(problem.column == "BMI" for problem in bulkdcm.check(path))
