"""What `init` takes from files, and how it numbers images: by the series that will really be there."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

import bulkdcm
from bulkdcm.draft import FolderOptions, folder
from tests.systems import any_name

if TYPE_CHECKING:
    from pathlib import Path


def draft(root: Path, names: dict[str, dict[str, object]], **options: object) -> list[dict[str, str]]:
    """Return the rows that `init` writes for gray images of these names, saved with these options."""
    for number, (name, saved) in enumerate(names.items()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 9), number, np.uint8)).save(root / name, **saved)
    folder.draft_manifest(root, root / "m.csv", FolderOptions(**options))
    with (root / "m.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def taken(text: str) -> dict[str, object]:
    exif = Image.Exif()
    exif[0x0132] = text
    return {"exif": exif}


def dense(exif: dict[int, object], **options: object) -> dict[str, object]:
    block = Image.Exif()
    for tag, value in exif.items():
        block[tag] = value
    return {"exif": block, **options}


THREE = {
    "a/1.jpg": {**taken("2023:07:26 10:15:00"), "dpi": (300, 300)},
    "a/2.jpg": {**taken("2023:07:27 11:15:00"), "dpi": (150, 150)},
    "b/1.jpg": {**taken("2023:07:28 12:15:00"), "dpi": (200, 200)},
}


@pytest.mark.parametrize("facts", [(), ("date",), ("density",), ("date", "density")], ids=str)
@pytest.mark.parametrize("constants", [(), (("PatientID", "1"),), (("StudyInstanceUID", "1.2.3"),)], ids=str)
def test_no_two_images_of_a_series_have_one_number(facts, constants, tmp_path):
    rows = draft(tmp_path, THREE, facts=facts, constants=constants)
    assert [row["InstanceNumber"] for row in rows] == ["1", "2", "3"]
    report = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out")
    found = [dcmread(tmp_path / "out" / name) for name in report.table["output"]]
    assert Counter((d.SeriesInstanceUID, int(d.InstanceNumber)) for d in found).most_common(1)[0][1] == 1
    assert len({d.SeriesInstanceUID for d in found}) == 1


LEGAL = {
    "BodyPartExamined": ("CHEST", "HEAD"),
    "ImageLaterality": ("L", "R"),
    "SeriesInstanceUID": ("1.2.3", "1.2.4"),
    "Modality": ("CR", "DX"),
}


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("{PatientID}/*.*", ["1", "2", "1"]),
        ("{StudyID}/*.*", ["1", "2", "1"]),
        ("{BodyPartExamined}/*.*", ["1", "2", "3"]),  # no key of a series
        ("{ImageLaterality}/*.*", ["1", "2", "3"]),
        ("{series}/*.*", ["1", "2", "1"]),
        ("{SeriesInstanceUID}/*.*", ["1", "2", "1"]),
        ("{Modality}/*.*", ["1", "2", "1"]),
    ],
)
def test_what_tells_series_apart_is_what_uids_are_derived_from(pattern, numbers, tmp_path):
    first, second = LEGAL.get(pattern.split("}")[0][1:], ("a", "b"))
    names = {f"{first}/1.jpg": {}, f"{first}/2.jpg": {}, f"{second}/3.jpg": {}}
    assert [row["InstanceNumber"] for row in draft(tmp_path, names, pattern=pattern)] == numbers


@any_name
def test_names_of_one_class_and_spaces_that_are_cut_off_make_no_series(tmp_path):
    names = {"CR/P1/a.png": {}, "ComputedRadiographyImageStorage/P1 /b.png": {}, "SC/P1/c.png": {}}
    rows = draft(tmp_path, names, pattern="{sop_class}/{PatientID}/*.png")
    assert sorted((row["sop_class"][:2], row["InstanceNumber"]) for row in rows) == [("CR", "2"), ("Co", "1"), ("SC", "1")]  # fmt: skip


def test_frames_of_one_object_have_its_number(tmp_path):
    names = {f"{instance}_{number}.png": {} for instance in "ab" for number in (1, 2)}
    options = {"pattern": "{instance}_{frame}.png", "constants": (("sop_class", "SC-BYTE"),)}
    assert [row["InstanceNumber"] for row in draft(tmp_path, names, **options)] == ["1", "1", "2", "2"]


INCH, CENTIMETRE = 2, 3


@pytest.mark.parametrize(
    ("name", "options", "spacing"),
    [
        ("a.png", {"dpi": (300, 300)}, "0.0846667\\0.0846667"),  # whole dots a metre
        ("a.png", {"dpi": (72, 72)}, ""),
        ("a.png", {"dpi": (96, 96)}, ""),
        ("a.png", {}, ""),
        ("a.bmp", {"dpi": (96, 96)}, ""),
        ("a.jpg", {"dpi": (72, 72)}, ""),
        ("a.jpg", {"dpi": (254, 127)}, "0.2\\0.1"),
        ("a.jpg", dense({0x010F: "Maker"}), ""),
        ("a.jpg", dense({0x011A: 254.0, 0x010F: "Maker"}), ""),  # one direction, no unit
        ("a.jpg", dense({0x011A: 254.0, 0x011B: 127.0, 0x0128: INCH}), "0.2\\0.1"),
        ("a.jpg", dense({0x011A: 72.0, 0x011B: 72.0, 0x0128: INCH}), ""),
        ("a.jpg", dense({0x011A: 28.0, 0x011B: 28.0, 0x0128: CENTIMETRE}), ""),  # 72 dpi in whole dots
        ("a.jpg", dense({0x011A: 38.0, 0x011B: 38.0, 0x0128: CENTIMETRE}), ""),  # 96
        ("a.jpg", dense({0x011A: 100.0, 0x011B: 100.0, 0x0128: CENTIMETRE}), "0.1\\0.1"),
        ("a.tif", {}, ""),
        ("a.tif", {"dpi": (254, 127)}, "0.2\\0.1"),
    ],
)
def test_only_a_density_that_somebody_measured_is_taken(name, options, spacing, tmp_path):
    (row,) = draft(tmp_path, {name: options}, facts=("density",))
    found = [float(part) for part in row["NominalScannedPixelSpacing"].split("\\") if part]
    assert found == pytest.approx([float(part) for part in spacing.split("\\") if part], rel=1e-4)


@pytest.mark.parametrize("text", ["0000:00:00 00:00:00", "2023:02:30 10:15:00", "2023:07:26 25:00:00", "garbage"])
def test_a_date_that_is_none_is_not_taken(text, tmp_path):
    (row,) = draft(tmp_path, {"a.jpg": taken(text)}, facts=("date",))
    assert (row["AcquisitionDate"], row["AcquisitionTime"]) == ("", "")
