"""From a folder, or a dataset's own CSV, to DICOM files."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm import mappings
from bulkdcm.draft import FolderOptions, folder
from bulkdcm.validation import verify
from tests.systems import any_name

ROOT = Path(__file__).parents[2]
FIGURE1 = ROOT.parent / "shared" / "data" / "figure1"


def write_images(root: Path, *names: str, **options: object) -> None:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 9), number, np.uint8)).save(path, **options)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_bare_folder_becomes_files_in_two_commands(tmp_path, bulkdcm_command):
    write_images(tmp_path / "images", "img10.png", "img9.jpg", "b/x.png")
    (tmp_path / "images/notes.txt").write_text("text", encoding="utf-8")
    (tmp_path / "images/really.dat").write_bytes((tmp_path / "images/img10.png").read_bytes())
    manifest = tmp_path / "m.csv"
    done = bulkdcm_command(
        "init", tmp_path / "images", "--out", manifest, "--number", "PatientID=0099", "--number", "AccessionNumber=202307261001",
        "--number", "StudyID=1", "--set", "Modality=CR", "--set", "PixelSpacing=0.15\\0.15", "--name-from-stem",
        "--set", "StudyDate=20230726", "--set", "StudyTime=101500", "--set", "BodyPartExamined=CHEST",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "4 images" in done.stdout
    assert "left out: 1 other files, such as notes.txt" in done.stderr
    rows = rows_of(manifest)
    assert [row["source"] for row in rows] == ["b/x.png", "img9.jpg", "img10.png", "really.dat"]
    assert [row["PatientID"] for row in rows] == ["0099", "0100", "0101", "0102"]
    assert [row["PatientName"] for row in rows] == ["x^", "img9^", "img10^", "really^"]
    assert {row["InstanceNumber"] for row in rows} == {"1"}
    converted = bulkdcm_command("convert", manifest, "--images", tmp_path / "images", "--out", tmp_path / "out")
    assert converted.returncode == 0, converted.stderr
    assert "warning" not in converted.stderr
    assert bulkdcm_command("verify", tmp_path / "out").returncode == 0


def test_fields_come_from_paths_and_instances_are_numbered_in_their_series(tmp_path):
    write_images(tmp_path, "P1/CT-1/2_b.png", "P1/CT-1/2_a.png", "P1/CT-1/10_a.png", "P2/CT-9/1_x.png")
    options = FolderOptions(pattern="{PatientID}/CT-{study}/{SeriesNumber}_*.png")
    assert folder.draft_manifest(tmp_path, tmp_path / "m.csv", options) == (4, [])
    found = [(r["PatientID"], r["study"], r["SeriesNumber"], r["InstanceNumber"]) for r in rows_of(tmp_path / "m.csv")]
    assert found == [("P1", "1", "2", "1"), ("P1", "1", "2", "2"), ("P1", "1", "10", "1"), ("P2", "9", "1", "1")]


def test_facts_of_files_are_columns_where_asked_for(tmp_path):
    exif = Image.Exif()
    exif[0x0132] = "2023:07:26 10:15:00"
    write_images(tmp_path, "a.jpg", exif=exif, dpi=(254, 127))
    folder.draft_manifest(tmp_path, tmp_path / "m.csv", FolderOptions(facts=("date", "density")))
    (row,) = rows_of(tmp_path / "m.csv")
    assert (row["AcquisitionDate"], row["AcquisitionTime"]) == ("20230726", "101500")
    assert row["NominalScannedPixelSpacing"] == "0.2\\0.1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--number", "PatientId=1"], "Did you mean PatientID"),
        (["--number", "PatientID=x"], "whole number"),
        (["--set", "PatientSex=MALE"], "one of"),
        (["--pattern", "{PatientID}/{PatientID}.png"], "once"),
        (["--pattern", "{PatientID}.tif"], "a.png doesn't fit"),
        (["--with", "gps"], "date, density"),
    ],
)
def test_what_cant_be_done_is_said_and_nothing_written(arguments, words, tmp_path, bulkdcm_command):
    write_images(tmp_path, "a.png")
    done = bulkdcm_command("init", tmp_path, "--out", tmp_path / "m.csv", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "m.csv").exists()


def test_a_file_that_is_there_is_never_overwritten(tmp_path, bulkdcm_command):
    write_images(tmp_path, "a.png")
    (tmp_path / "m.csv").write_text("mine", encoding="utf-8")
    assert bulkdcm_command("init", tmp_path, "--out", tmp_path / "m.csv").returncode == 2
    assert (tmp_path / "m.csv").read_text(encoding="utf-8") == "mine"
    assert bulkdcm_command("init", "--out", tmp_path / "x.csv").returncode == 2


def test_a_proposed_mapping_checks_after_naming_the_images(tmp_path, bulkdcm_command):
    write_images(tmp_path, "images/x1.png", "images/x2.png")
    (tmp_path / "d.csv").write_text(
        "subject,gender,age,date,note,scanner\nx1,male,33,2023-07-26,n,s\nx2,female,50+,,n,s\n", encoding="utf-8"
    )
    mapping = tmp_path / "map.toml"
    done = bulkdcm_command("init", "--from", tmp_path / "d.csv", "--out", mapping)
    assert done.returncode == 0, done.stderr
    text = mapping.read_text(encoding="utf-8")
    assert 'source = { template = "images/{subject}.*" }' in text
    assert 'PatientSex = { column = "gender", values = { "male" = "M", "female" = "F" } }' in text
    assert "not used: scanner" in text
    checked = bulkdcm_command("check", tmp_path / "d.csv", "--mapping", mapping)
    assert checked.returncode == 0, checked.stderr
    assert "PatientAge  033Y" in checked.stdout  # the first rows as they will be written
    assert bulkdcm_command("convert", tmp_path / "d.csv", "--mapping", mapping, "--out", tmp_path / "o").returncode == 0


def test_a_real_dataset_s_own_csv_becomes_files_in_one_command(tmp_path, bulkdcm_command):
    if not FIGURE1.is_dir():
        pytest.skip("the real images are not on this machine")
    done = bulkdcm_command(
        "convert", FIGURE1 / "metadata.csv", "--mapping", mappings.find("figure1"), "--out", tmp_path / "o"
    )
    assert done.returncode == 0, done.stderr
    assert "55 of 55 rows converted" in done.stdout
    assert not [str(finding) for path in (tmp_path / "o").rglob("*.dcm") for finding in verify(path)]


@any_name
@pytest.mark.usefixtures("unicode_names")
def test_what_init_writes_its_own_check_accepts(tmp_path, bulkdcm_command):
    """Whatever the names: what a manifest can't say is left out, and said."""
    images = tmp_path / "images"
    names = [
        "a.png", "a.jpg", "A.PNG", "b.dcm/x.png", "b.png", "=1+1.png", "-x.png", '"q", x.png', "line\nend.png", " lead.png",
        "trail.png ", "x" * 250 + ".png", "y" * 254, "s3:/b.png", "\\back.png", "c\\d.png", "e\u0301.png", "\xe9.png",
        "report.csv", "deep/er/a.png", "deep/er/a.jpg",
    ]  # fmt: skip
    for number, name in enumerate(names):
        (images / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), number).save(images / name, "PNG")
    (images / os.fsdecode(b"M\xfcller.png")).write_bytes((images / "a.png").read_bytes())
    (tmp_path / "outside").mkdir()
    Image.new("L", (4, 4), 77).save(tmp_path / "outside" / "o.png")
    (images / "linked").symlink_to(tmp_path / "outside")
    (images / "nowhere.png").symlink_to("gone.png")
    done = bulkdcm_command("init", images, "--out", tmp_path / "m.csv")
    assert done.returncode == 0, done.stderr
    assert "left out: 1 linked folders, not entered, such as linked, which leads to " in done.stderr
    assert "left out: 1 links that lead nowhere, such as nowhere.png" in done.stderr
    assert "such as M\\xfcller.png" in done.stderr
    assert "left out: 6 files whose names a manifest can't hold" in done.stderr
    checked = bulkdcm_command("check", tmp_path / "m.csv", "--images", images)
    assert checked.returncode == 0, checked.stderr
    ran = bulkdcm_command("convert", tmp_path / "m.csv", "--images", images, "--out", images / "dicom")
    assert ran.returncode == 0, ran.stderr
    assert f"{len(names) - 6} of {len(names) - 6} rows converted" in ran.stdout
    again = bulkdcm_command("init", images, "--out", tmp_path / "again.csv")
    assert "left out: 1 folders with the outputs of an earlier run, such as dicom" in again.stderr
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "m.csv").read_bytes()


def test_a_manifest_that_cannot_be_written_whole_is_not_left_in_part(tmp_path, bulkdcm_command):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    done = bulkdcm_command("init", tmp_path, "--out", "/dev/full")
    assert done.returncode == 2
    (tmp_path / "m.csv").write_text("mine", encoding="utf-8")
    assert bulkdcm_command("init", tmp_path, "--out", tmp_path / "m.csv").returncode == 2
    assert (tmp_path / "m.csv").read_text(encoding="utf-8") == "mine"


URL = "s3://bucket/x"


@pytest.mark.parametrize(
    "arguments",
    [
        ("convert", "m.csv", "--out", URL),
        ("convert", URL, "--out", "out"),
        ("check", "m.csv", "--images", URL),
        ("check", "m.csv", "--template", URL),
        ("check", "m.csv", "--mapping", URL),
        ("convert", "m.csv", "--out", "out", "--ledger", URL),
        ("convert", "m.csv", "--out", "out", "--uid-key-file", URL),
        ("rebuild", "m.csv", "--out", URL),
        ("init", URL, "--out", "m2.csv"),
        ("init", ".", "--out", URL),
        ("init", "--from", URL, "--out", "m.toml"),
        ("verify", URL),
        ("show", URL),
        ("bench", "m.csv", "--place", URL),
        ("convert", "m.csv", "--out", "file:///out"),
    ],
)
def test_a_url_is_no_path(arguments, tmp_path, bulkdcm_command):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "m.csv").write_text("source\na.png\n", encoding="utf-8")
    before = set(tmp_path.rglob("*"))
    done = bulkdcm_command(*arguments, cwd=tmp_path, env_add={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 2, done.stderr
    assert "this is a URL" in done.stderr
    assert set(tmp_path.rglob("*")) == before


def test_a_url_is_no_path_in_python_and_in_cells(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    manifest = tmp_path / "m.csv"
    manifest.write_text(
        "source,output\na.png,\nhttps://x/y.png,\nhttps://x/z.png,\na.png,s3://b/a.dcm\n", encoding="utf-8"
    )
    for out in ("s3://bucket/x", Path("s3://bucket/x")):
        with pytest.raises(bulkdcm.SettingsError, match="this is a URL"):
            bulkdcm.convert(manifest, out)
    found = [problem for problem in bulkdcm.check(manifest) if problem.rule == "a URL"]
    assert [(problem.column, problem.lines) for problem in found] == [("source", (3, 4)), ("output", (5,))]
    assert "Fetch the files first" in found[0].remedy


def test_verify_of_a_folder_without_dicom_files_is_no_success(tmp_path, bulkdcm_command):
    (tmp_path / "empty").mkdir()
    done = bulkdcm_command("verify", tmp_path / "empty")
    assert done.returncode == 2
    assert "no DICOM file in it" in done.stderr
