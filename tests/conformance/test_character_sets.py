"""Names and texts of every script come back the same from pydicom, dcmtk and Orthanc."""

from __future__ import annotations

import csv
import json
import unicodedata

import numpy as np
import pydicom
import pytest
from PIL import Image

import bulkdcm
from tests.conformance import archives, readers

NAMES = {
    "Chinese": "Zhang^San=张^三",
    "Japanese": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "Korean": "Hong^Gildong=洪^吉洞=홍^길동",
    "Arabic": "قباني^لنزار",
    "Hebrew": "שרון^דבורה",
    "Cyrillic": "Люксембург^Роза",
    "Greek": "Διονυσιος^Σπυρος",
    "Latin": "Müller^Jörg^Æsir",
    "combining": unicodedata.normalize("NFD", "Nguyễn^Thị"),
    "emoji": "Smile^😀👩‍⚕️",
    "Devanagari": "शर्मा^अनिल",
}
COLUMNS = ("source", "PatientID", "PatientName", "StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the outputs by script."""
    folder = tmp_path_factory.mktemp("names")
    with (folder / "m.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, "StudyDescription"])
        for number, (script, name) in enumerate(NAMES.items()):
            Image.fromarray(np.full((8, 8), number, np.uint8)).save(folder / f"{number}.png")
            writer.writerow([f"{number}.png", script, name, "20230102", "101112", number, 1, 1, name.partition("=")[0]])
    report = bulkdcm.convert(folder / "m.csv", folder / "out")
    assert report.count("converted") == len(NAMES)
    return {script: folder / "out" / f"{number}.dcm" for number, script in enumerate(NAMES)}


@pytest.mark.parametrize("script", NAMES)
def test_pydicom_and_dcmtk_read_the_name_as_it_was_written(script, made):
    readers.need("dcmdump", "dciodvfy")
    dataset = pydicom.dcmread(made[script])
    assert dataset.SpecificCharacterSet == "ISO_IR 192"
    assert str(dataset.PatientName) == NAMES[script]
    assert dataset.StudyDescription == NAMES[script].partition("=")[0]
    assert f"[{NAMES[script]}]" in readers.run("dcmdump", "-q", "+P", "0010,0010", made[script]).stdout
    assert not readers.dciodvfy(made[script])


def test_orthanc_reads_the_names_as_they_were_written(made, tmp_path):
    readers.need("Orthanc", "storescu")
    with archives.orthanc(tmp_path) as server:
        assert not archives.store(list(made.values()), "ORTHANC", server.dicom_port)
        found = {
            tags["PatientID"]: tags["PatientName"]
            for name in json.loads(server.get("/patients"))
            for tags in [json.loads(server.get(f"/patients/{name}"))["MainDicomTags"]]
        }
    assert found == NAMES
