"""Folders as they are found: what `init` can't take it leaves out and says, and what it writes its own check accepts."""

from __future__ import annotations

import csv
import errno
import os
import socket
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

import bulkdcm
from bulkdcm import filesystem
from bulkdcm.cli import run
from bulkdcm.draft import FolderOptions, draft_manifest, new_file, write_new
from bulkdcm.errors import SettingsError
from tests.systems import any_name

LATIN = os.fsdecode(b"M\xfcller.png")
NFC, NFD = (unicodedata.normalize(form, "\u00e9.png") for form in ("NFC", "NFD"))


def image(path: Path, shade: int = 0, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = "JPEG" if path.name.lower().endswith(".jpg") else "PNG"
    Image.fromarray(np.full((8, 9), shade % 256, np.uint8)).save(path, form, **options)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def fill(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        image(root / name, number)


def drafted(root: Path, **options: object) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return the rows that init writes by their source, and its notes; the check accepts them all."""
    out = root.parent / "m.csv"
    out.unlink(missing_ok=True)
    count, notes = draft_manifest(root, out, FolderOptions(**options))
    assert sorted(path.name for path in root.parent.iterdir() if path.is_file()) == ["m.csv"]
    found = bulkdcm.check(out, images=root, follow_links=bool(options.get("follow_links")))
    assert not [str(problem) for problem in found if problem.severity == "error" or problem.column == "source"]
    with out.open(newline="", encoding="utf-8") as file:
        rows = {row["source"]: row for row in csv.DictReader(file)}
    assert len(rows) == count
    assert all(note.isprintable() for note in notes)
    return rows, notes


def refused(root: Path, **options: object) -> str:
    """Return what is said where nothing is written."""
    with pytest.raises(SettingsError) as caught:
        draft_manifest(root, root.parent / "m.csv", FolderOptions(**options))
    assert [path.name for path in root.parent.iterdir()] == ["in"]
    return caught.value.message


def dicom(root: Path, *names: str) -> None:
    """Write a DICOM file under each name."""
    work = root.parent / "made"
    fill(work, "x.png")
    (work / "m.csv").write_text("source,PatientID,Modality,SeriesNumber\nx.png,1,CR,7\n", encoding="utf-8")
    bulkdcm.convert(work / "m.csv", work / "out", backend="sequential")
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((work / "out/x.dcm").read_bytes())


def converted(root: Path):
    return bulkdcm.convert(root.parent / "m.csv", root.parent / "out", images=root, backend="sequential")


def test_dicom_content_under_any_name_is_restamped_and_an_image_called_dcm_converted(root):
    dicom(root, "IM0001", "b.dcm")
    fill(root, "a.png")
    (root / "image.dcm").write_bytes((root / "a.png").read_bytes())
    rows, notes = drafted(root)
    assert notes == []
    assert {name: row.get("sop_class", "") for name, row in rows.items()} == {
        "IM0001": "DICOM",
        "a.png": "",
        "b.dcm": "",
        "image.dcm": "SecondaryCaptureImageStorage",
    }
    report = converted(root)
    assert set(report.table["status"]) == {"converted"}, report.table["message"].tolist()
    assert dcmread(root.parent / "out/IM0001.dcm").SeriesNumber == 7  # its own


def test_a_class_for_all_does_not_go_to_files_of_the_other_kind(root):
    dicom(root, "IM0001")
    fill(root, "a.png")
    rows, notes = drafted(root, constants=(("sop_class", "CR"),))
    assert {name: row["sop_class"] for name, row in rows.items()} == {"IM0001": "DICOM", "a.png": "CR"}
    assert notes == ["1 DICOM files, which keep their own class instead of CR, such as IM0001"]
    assert set(converted(root).table["status"]) == {"converted"}
    rows, notes = drafted(root, constants=(("sop_class", "DICOM"),))
    assert list(rows) == ["IM0001"]
    assert notes == ["left out: 1 images that are no DICOM files, which sop_class DICOM needs, such as a.png"]


@pytest.mark.parametrize(
    "taken", ["0000:00:00 00:00:00", "2023:13:45 10:15:00", "2023:02:30 10:15:00", "2023:01:01 25:61:61"]
)
def test_a_date_that_can_t_be_is_left_empty(taken, root):
    exif = Image.Exif()
    exif[0x0132] = taken
    image(root / "a.jpg", exif=exif)
    rows, _ = drafted(root, facts=("date",))
    assert (rows["a.jpg"]["AcquisitionDate"], rows["a.jpg"]["AcquisitionTime"]) == ("", "")


@any_name
def test_names_that_patient_name_can_t_hold_are_left_empty_and_said(root):
    bad = ["x" * 70 + ".png", "a\\b.png", "a^b^c^d^e^f^g.png", "a=b=c=d.png"]
    fill(root, "fine.png", *bad)
    rows, notes = drafted(root, name_from_stem=True, numbers=(("PatientID", "1"),))
    assert {name for name, row in rows.items() if not row["PatientName"]} == set(bad)
    assert rows["fine.png"]["PatientName"] == "fine^"
    assert notes[0].startswith("4 file names that PatientName can't hold, left empty, such as a=b=c=d.png")


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("{PatientID}.png", "a.png", "b" * 70 + ".png"),
        ("{StudyDate}/*.png", "20230102/a.png", "20231345/a.png"),
        ("{PatientSex}/*", "F/a.png", "female/a.png"),
        ("{Modality}/*", "CR/a.png", "x ray/a.png"),
        ("{sop_class}/*", "CR/a.png", "NONE/a.png"),
        ("{output}/*", "a/a.png", "report.csv/b.png"),
    ],
)
def test_a_part_of_a_path_that_breaks_its_value_s_rule_is_left_out_and_said(pattern, good, bad, root):
    fill(root, good, bad)
    rows, notes = drafted(root, pattern=pattern)
    assert list(rows) == [good]
    assert len(notes) == 1
    assert notes[0].startswith("left out: 1 ")
    assert bad[:20] in notes[0]


def test_outputs_from_paths_that_would_be_one_file_are_left_out_and_said(root):
    fill(root, "a/1.png", "a/2.png", "b/1.png")
    rows, notes = drafted(root, pattern="{output}/*")
    assert list(rows) == ["a/1.png", "b/1.png"]
    assert "left out: 1 images that `bulkdcm check` would refuse by their output, such as a/2.png" in notes[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"constants": (("sop_class", "DigitalXRayImageStorageForProcessing"),)}, "--set sop_class=Dig"),
        ({"constants": (("sop_class", "nothing"),)}, "--set sop_class=nothing"),
        ({"constants": (("output", "x.dcm"),)}, "--set output=x.dcm"),
        ({"constants": (("output", "../x.dcm"),)}, "--set output=../x.dcm"),
        ({"constants": (("output", "s3://b/x.dcm"),)}, "--set output=s3://b/x.dcm"),
        ({"constants": (("output", "report.csv"),)}, "--set output=report.csv"),
        ({"constants": (("instance", "1"),)}, "--set instance=1"),
        ({"constants": (("SOPInstanceUID", "1.2.3"),)}, "--set SOPInstanceUID=1.2.3"),
        ({"constants": (("Modality", "US"), ("sop_class", "CR"))}, "--set Modality=US"),
        ({"constants": (("Laterality", "L"), ("ImageLaterality", "L"))}, "--set Laterality=L"),
        ({"constants": (("source", "x.png"),)}, "'source' is a fact of each file"),
        ({"pattern": "{source}.*"}, "'source' is a fact of each file"),
        ({"numbers": (("sha256", "1"),)}, "'sha256' is a fact of each file"),
        ({"numbers": (("PatientAge", "1"),)}, "--number PatientAge=1"),
        ({"numbers": (("StudyDate", "20230131"),)}, "--number StudyDate=20230131"),
        ({"numbers": (("InstanceNumber", "9" * 5000),)}, "whole number"),
        ({"name_from_stem": True, "constants": (("PatientID", "1"),)}, "--name-from-stem"),
        ({"constants": (("study", "\udcff"),)}, "no text in UTF-8"),
        ({"pattern": "\udcff{PatientID}.png"}, "no text in UTF-8"),
    ],
    ids=range(19),
)
def test_options_that_the_check_would_refuse_write_nothing_and_are_named(options, words, root):
    fill(root, "a.png", "b.png")
    assert words in refused(root, **options)


def test_a_column_that_a_class_needs_is_there_to_be_filled_in_and_said(root, capsys):
    fill(root, "a.png", "b.png")
    out = root.parent / "m.csv"
    assert run(["init", str(root), "--out", str(out), "--set", "sop_class=MG"]) == 0
    told = capsys.readouterr().err
    needed = {problem.column for problem in bulkdcm.check(out, images=root) if problem.severity == "error"}
    header = out.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert needed
    assert needed <= set(header)
    for name in needed:
        assert f"2 images whose {name} you have to fill in" in told


@pytest.mark.parametrize(
    "name", ["report.csv/a.png", "Report.CSV/a.png", "summary.json/deep/a.png", "report.parquet/a.png"]
)
def test_a_folder_called_as_a_report_works(name, root):
    fill(root, name, "b.png")
    rows, notes = drafted(root)
    assert notes == []
    assert rows[name]["output"] == f"_{name}.dcm"
    assert rows["b.png"]["output"] == ""
    assert set(converted(root).table["status"]) == {"converted"}


def test_hidden_names_pipes_and_shut_folders_are_said(root, monkeypatch):
    fill(root, "a.png", ".hidden.png", ".git/b.png", "shut/c.png", "closed.png", "sub/.x")
    os.mkfifo(root / "pipe.png")
    with socket.socket(socket.AF_UNIX) as bound:
        monkeypatch.chdir(root)
        bound.bind("socket.png")
    real_scandir, real_open = os.scandir, Path.open

    def scandir(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return real_scandir(path)

    def open_(path, *arguments, **options):
        if path.name == "closed.png":
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, *arguments, **options)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "open", open_)
    rows, notes = drafted(root)
    assert list(rows) == ["a.png"]
    assert sorted(notes) == [
        "left out: 1 files that can't be read, such as closed.png",
        "left out: 1 folders that can't be listed, such as shut (Permission denied)",
        "left out: 2 pipes, sockets or devices, such as pipe.png, socket.png",
        "left out: 3 hidden names, which begin with a dot, such as .git, .hidden.png, sub/.x",
    ]


def test_a_folder_that_cannot_be_listed_at_all_is_said(root, monkeypatch):
    def scandir(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(SettingsError, match="can't be listed: Permission denied"):
        draft_manifest(root, root.parent / "m.csv", FolderOptions())
    monkeypatch.undo()
    with pytest.raises(SettingsError, match="can't be listed: No such file"):
        draft_manifest(root / "no", root.parent / "m.csv", FolderOptions())


def test_links_out_of_the_folder_are_taken_where_asked_for(root):
    fill(root.parent / "far", "x.png")
    fill(root, "a.png")
    (root / "x.png").symlink_to("../far/x.png")
    (root / "near.png").symlink_to("a.png")
    (root / "itself.png").symlink_to("itself.png")
    rows, notes = drafted(root)
    assert list(rows) == ["a.png", "near.png"]
    assert "left out: 1 links that lead outside the folder; --follow-links takes them, such as x.png" in notes
    assert "left out: 1 links that lead nowhere, such as itself.png" in notes
    rows, notes = drafted(root, follow_links=True)
    assert list(rows) == ["a.png", "near.png", "x.png"]


def test_where_all_is_left_out_it_is_said_why(root):
    fill(root, LATIN, ".a.png")
    told = refused(root)
    assert "no image in it" in told
    assert "M\\xfcller.png" in told
    assert "1 hidden names" in told


def test_outputs_beside_the_images_are_no_sources(root):
    fill(root, "a.png", "b/c.png")
    drafted(root)
    bulkdcm.convert(root.parent / "m.csv", root, images=root, backend="sequential")
    rows, notes = drafted(root)
    assert list(rows) == ["a.png", "b/c.png"]
    assert "left out: 2 DICOM files in the output folder of an earlier run, such as a.dcm, b/c.dcm" in notes


HOSTILE = [
    "plain.png", " lead.png", "trail.png ", "=1+1.png", "@x.png", "-x.png", 'qu"ote.png', "'q'.png", "com,ma.png", "semi;.png",
    "new\nline.png", "ret\rurn.png", "tab\t.png", "nul\x01.png", "\x7f.png", "\x85.png", "\x1b[31m.png", "a\\b.png", "\\lead.png",
    "C:\\x.png", "C:/x.png", "s3:/x.png", "~/a.png", "$HOME.png", "%s.png", "{PatientID}.png", "*.png", "#x.png", NFC, NFD,
    "\ufb01.png", "fi.png", "\u00df.png", "SS.png", "\u0130.png", "\u202egnp.exe.png", "\u200b.png", "\ufeffbom.png",
    "\U0001f480.png", "\u2028.png", "\u3000.png", "\u65e5\u672c/\u4e00.png", "report.csv", "summary.json/x.png", "a.dcm/x.png",
    "a.png", "a.jpg", "A.PNG", "x.DCM.png", "x.dcm", "n" * 255, "n" * 251 + ".png", "n" * 251 + ".jpg", " dir/x.png", "dir /x.png",
    ".bulkdcm.png", "b.bulkdcm/x.png", "NA", "001.png", "1e5.png", "\u00b2\u00b3.png", "\u0663.png", "x" + "9" * 200 + ".png",
    LATIN, os.fsdecode(b"ok/\xed\xa0\x80.png"), "con.png", "x.", ".../x.png", "source",
]  # fmt: skip


@any_name
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"name_from_stem": True, "numbers": (("PatientID", "1"),)},
        {"facts": ("date", "density"), "constants": (("Modality", "CR"), ("sop_class", "CR"))},
        {"pattern": "**{AccessionNumber}"},
        {"pattern": "**{PatientID}"},
    ],
    ids=["plain", "names", "facts", "numbers", "patients"],
)
@pytest.mark.usefixtures("unicode_names")
def test_whatever_a_folder_holds_the_check_accepts_what_is_written(options, root):
    fill(root, *HOSTILE)
    rows, notes = drafted(root, **options)
    counted = sum(int(note.removeprefix("left out: ").split()[0]) for note in notes if note.startswith("left out"))
    assert len(rows) + counted == len(HOSTILE)
    report = converted(root)
    assert set(report.table["status"]) == {"converted"}, report.table["message"].tolist()
    assert report.table["sop_instance_uid"].nunique() == len(rows)


@pytest.mark.parametrize("fails", ["write", "rename"])
def test_a_file_is_written_whole_or_not_at_all(fails, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((new_file.os, "fsync", full) if fails == "write" else (filesystem, "rename_new", full)))
    with pytest.raises(SettingsError, match="No space left"):
        write_new(tmp_path / "m.toml", "text")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_came_meanwhile_stays(tmp_path):
    path = tmp_path / "m.csv"
    with pytest.raises(SettingsError, match="there is a file already"), new_file.new_file(path) as write:  # noqa: PT012  # what is raised is raised as the block ends
        write("mine")
        path.symlink_to("nowhere")
    assert [(file.name, file.is_symlink()) for file in tmp_path.iterdir()] == [("m.csv", True)]


def test_a_mapping_s_proposal_is_whole_or_not_there(tmp_path, monkeypatch, capsys, bulkdcm_command):
    source = tmp_path / os.fsdecode(b"M\xfcller.csv")
    source.write_text("id,age\n1,2\n", encoding="utf-8")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert run(["init", "--from", str(source), "--out", str(tmp_path / "m.toml")]) == 2
    assert "No space left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [source]
    assert run(["init", "--from", str(source), "--out", str(tmp_path / "m.toml"), "--encoding", "klingon"]) == 2
    assert bulkdcm_command("init", "--from", source, "--out", tmp_path / "m.toml").returncode == 0
    assert "M\\xfcller.csv" in (tmp_path / "m.toml").read_text(encoding="utf-8")
