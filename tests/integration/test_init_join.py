"""`init --join`: rows from a folder, columns from a table; what isn't certain stays out and is said."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import bulkdcm
from bulkdcm.draft import FolderOptions, draft_manifest
from bulkdcm.errors import ManifestError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

Rows = dict[str, dict[str, str]]


def joined(folder: Path, names: str, table: str, on: str, **options: object) -> tuple[Rows, list[str]]:
    """Return the rows that a folder and a table make, by their source, and the notes; the check accepts them."""
    for number, name in enumerate(names.split()):
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), number).save(path)
    (folder / "labels.csv").write_text(table, encoding="utf-8")
    given = FolderOptions(join=folder / "labels.csv", on=on, **options)
    count, notes = draft_manifest(folder / "in", folder / "m.csv", given)
    found = bulkdcm.check(folder / "m.csv", images=folder / "in")
    assert not [str(problem) for problem in found if problem.severity == "error"]
    with (folder / "m.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["source"]: row for row in csv.DictReader(file)}
    assert len(rows) == count == len(names.split())
    return rows, notes


def test_a_table_of_bare_names_beside_a_tree_of_images_is_one_command(tmp_path, bulkdcm_command):
    for number, name in enumerate(("x/a.png", "y/b.png", "y/c.png")):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), number).save(tmp_path / "images" / name)
    (tmp_path / "labels.csv").write_text(
        "image,age,sex,finding,scanner\nb.png,45,female,effusion,s\na.png,33,male,none,s\nz.png,1,M,,s\n",
        encoding="utf-8",
    )
    done = bulkdcm_command(
        "init", tmp_path / "images", "--join", tmp_path / "labels.csv", "--on", "{name}", "--out", tmp_path / "m.csv",
        "--number", "PatientID=001",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (
        "from labels.csv, by its column image: PatientSex (sex), PatientAge (age), ImageComments (finding)"
        in done.stderr
    )
    assert "not used of labels.csv: scanner" in done.stderr
    assert "1 images without a line in labels.csv: their cells are empty, such as y/c.png" in done.stderr
    assert "1 lines of labels.csv without an image, such as z.png (line 4)" in done.stderr
    with (tmp_path / "m.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = ("source", "PatientID", "PatientSex", "PatientAge", "ImageComments")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("x/a.png", "001", "M", "033Y", "none"), ("y/b.png", "002", "F", "045Y", "effusion"), ("y/c.png", "003", "", "", ""),
    ]  # fmt: skip
    checked = bulkdcm_command("check", tmp_path / "m.csv", "--images", tmp_path / "images")
    assert checked.returncode == 0, checked.stderr
    ran = bulkdcm_command("convert", tmp_path / "m.csv", "--images", tmp_path / "images", "--out", tmp_path / "out")
    assert "3 of 3 rows converted" in ran.stdout, ran.stderr


@pytest.mark.parametrize(
    ("names", "cell", "on", "options"),
    [
        ("x/a.png", "a", "{stem}", {}),
        ("x/a.png", "a.png", "{name}", {}),
        ("x/a.png", "x/a.png", "{path}", {}),
        ("w/x/a.png", "x", "{folder}", {}),
        ("w/x/a.png", "w-x", "{PatientID}-{folder}", {"pattern": "{PatientID}/*/*.png"}),
        ("x/a.png", "x/a.dcm", "{folder}/{stem}.dcm=key", {}),
        ("x/a.png", " a ", "{stem}=key", {}),
        ("x/u\u0308.png", "\u00fc", "{stem}", {}),
        ("x/\u00fc.png", "u\u0308", "{stem}", {}),
    ],
)  # fmt: skip
def test_keys_are_templates_of_the_file(names, cell, on, options, tmp_path):
    rows, _ = joined(tmp_path, names, f"key,sex\n{cell},F\nother,M\n", on, **options)
    assert [row["PatientSex"] for row in rows.values()] == ["F"]


@pytest.mark.parametrize(
    ("table", "on", "words"),
    [
        ("key,sex\na,F\n", "stem", "say which part of each path"),
        ("key,sex\na,F\n", "{size}", "Possible: stem, name, path, folder."),
        ("key,sex\na,F\n", "{stem}=Key", "has no column 'Key'. It has key, sex."),
        ("key,sex\na.png,F\n", "{stem}", "'a' of a.png, in labels.csv. Its column key has, on line 2, 'a.png'. With --on \"{name}=key\" some match"),
        ("key,sex\nA,F\n", "{stem}", "so that both are the same, zeros and capitals too"),
        ("key,sex\n", "{stem}", "no image has its key"),
        ("key,sex\n,F\n,F\nx,F\n", "{stem}", "has, on line 4, 'x'"),
        ("key,copy,sex\na,a,F\nb,,M\n", "{stem}", 'key (2 images), copy (1 images). Say which, such as --on "{stem}=key"'),
    ],
)  # fmt: skip
def test_what_cant_be_matched_is_said_and_nothing_written(table, on, words, tmp_path):
    with pytest.raises(SettingsError) as caught:
        joined(tmp_path, "a.png b.png", table, on)
    assert words in caught.value.message
    assert not (tmp_path / "m.csv").exists()


def test_lines_that_contradict_each_other_are_one_error(tmp_path):
    table = "key,sex,age,reader\na,F,30,x\na,F,31,y\nb,M,1,x\nb,F,1,y\nc,M,1,x\nc,M,1,y\nz,M,1,\nz,F,1,\n"
    with pytest.raises(ManifestError) as caught:
        joined(tmp_path, "a.png b.png c.png", table, "{stem}")
    (problem,) = caught.value.problems
    assert problem.lines == (2, 3, 4, 5)
    assert "2 such keys of images are on several lines, with different cells in age, sex" in problem.text
    assert not (tmp_path / "m.csv").exists()


def test_lines_that_say_the_same_are_one(tmp_path):
    rows, notes = joined(tmp_path, "a.png", "key,sex,reader\na,F,x\na,female,y\n", "{stem}")
    assert rows["a.png"]["PatientSex"] == "F"
    assert not [note for note in notes if "without" in note]


def test_images_with_one_key_have_one_line(tmp_path):
    rows, notes = joined(tmp_path, "p/1.png p/2.png q/1.png", "case,sex\np,F\nq,M\n", "{folder}")
    assert [(row["PatientID"], row["PatientSex"], row["InstanceNumber"]) for row in rows.values()] == [
        ("p", "F", "1"), ("p", "F", "2"), ("q", "M", "1"),
    ]  # fmt: skip
    assert (
        "2 images that share their line of labels.csv with another: each has its cells, such as p/1.png, p/2.png"
        in notes
    )


def test_lists_are_short(tmp_path):
    table = "key,sex\n" + "".join(f"k{number},F\n" for number in range(9)) + ",F\na,F\n"
    _, notes = joined(tmp_path, "a.png b.png c.png d.png e.png", table, "{stem}", numbers=(("PatientID", "1"),))
    assert "4 images without a line in labels.csv: their cells are empty, such as b.png, c.png, d.png" in notes
    assert "10 lines of labels.csv without an image, such as k0 (line 2), k1 (line 3), k2 (line 4)" in notes


@pytest.mark.parametrize(
    ("header", "cells", "words"),
    [
        ("age", ("45 m", "3"), "column age of labels.csv: '45 m': may be 045M"),
        ("date", ("3/4/2020", "6/1/2021"), "2020-03-04 or 2020-04-03"),
        ("sex", ("0", "1"), "what are '0', '1'"),
        ("id", ("7", "8"), "it may be PatientID or something else"),
        ("sex,gender", ("M,M", "F,F"), "gender may be PatientSex too"),
        ("PatientName", ("a", "a^b^c^d^e^f"), "column PatientName of labels.csv"),
    ],
)
def test_what_is_open_stays_out_and_is_said_in_a_line(header, cells, words, tmp_path):
    table = f"key,{header},PatientID\na,{cells[0]},x\nb,{cells[1]},y\n".replace(",PatientID", "" if header == "id" else ",PatientID")  # fmt: skip
    table = table if header != "id" else f"key,id\na,{cells[0]}\nb,{cells[1]}\n"
    rows, notes = joined(tmp_path, "a.png b.png", table, "{stem}=key")
    assert not {"PatientAge", "StudyDate", "PatientSex", "PatientName"} & rows["a.png"].keys()
    (note,) = [note for note in notes if note.startswith("left out: column")]
    assert words in note
    assert any("bulkdcm init --from labels.csv" in note for note in notes)


def test_only_lines_with_an_image_decide(tmp_path):
    rows, _ = joined(tmp_path, "a.png", "key,age\na,45\nb,45 m\n", "{stem}")
    assert rows["a.png"]["PatientAge"] == "045Y"


def test_a_column_that_the_check_refuses_stays_out_and_its_images_stay(tmp_path):
    table = "key,patient,sex,StudyDate\na,1,M,20200102\nb,1,F,20200102\nc,2,F,20200102\n"
    rows, notes = joined(tmp_path, "a.png b.png c.png", table, "{stem}")
    assert [(row["PatientID"], row.get("PatientSex")) for row in rows.values()] == [
        ("1", None),
        ("1", None),
        ("2", None),
    ]
    (note,) = [note for note in notes if note.startswith("left out: column")]
    assert "column sex of labels.csv: as PatientSex, `bulkdcm check` would refuse it" in note


def test_keywords_come_in_and_what_the_image_says_does_not(tmp_path):
    table = "key,Manufacturer,AcquisitionDate,Rows,note\na,Acme,2020-03-14,7,hello\n"
    rows, notes = joined(tmp_path, "a.png", table, "{stem}")
    row = rows["a.png"]
    assert (row["Manufacturer"], row["AcquisitionDate"], row["ImageComments"]) == ("Acme", "20200314", "hello")
    assert "Rows" not in row
    assert "not used of labels.csv: Rows" in notes


def test_options_win_over_the_table_and_set_fills_its_gaps(tmp_path):
    options = {"pattern": "{PatientID}/*.png", "constants": (("PatientSex", "O"),)}
    rows, notes = joined(tmp_path, "p/a.png q/b.png", "key,patient,sex\na,9,F\nb,9,\n", "{stem}", **options)
    assert [(row["PatientID"], row["PatientSex"]) for row in rows.values()] == [("p", "F"), ("q", "O")]
    assert any("column patient of labels.csv: PatientID is given by an option" in note for note in notes)


def test_studies_are_told_apart_by_names_that_are_too_long_for_an_id(tmp_path):
    table = "key,patient,study_id\n" + "".join(f"{name},1,{name * 20}\n" for name in "abc")
    rows, _ = joined(tmp_path, "a.png b.png c.png", table, "{stem}")
    assert [row["study"] for row in rows.values()] == ["a" * 20, "b" * 20, "c" * 20]
    assert {row["InstanceNumber"] for row in rows.values()} == {"1"}


@pytest.mark.parametrize(
    "arguments", [("--join", "t.csv"), ("--on", "{stem}"), ("--from", "t.csv", "--join", "t.csv", "--on", "{stem}")]
)
def test_both_options_go_together(arguments, tmp_path, bulkdcm_command):
    (tmp_path / "t.csv").write_text("key\na\n", encoding="utf-8")
    done = bulkdcm_command("init", ".", *arguments, "--out", "m.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "--join and --on go together" in done.stderr


def test_a_folder_without_images_and_a_table_in_another_encoding(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(SettingsError, match="no image in it"):
        joined(tmp_path, "", "key,sex\na,F\n", "{stem}")
    Image.new("L", (4, 4)).save(tmp_path / "in" / "M\u00fcller.png")
    (tmp_path / "labels.csv").write_text("key,sex\nM\u00fcller,F\n", encoding="cp1252")
    options = FolderOptions(join=tmp_path / "labels.csv", on="{stem}", encoding="cp1252")
    assert draft_manifest(tmp_path / "in", tmp_path / "m.csv", options)[0] == 1
    with pytest.raises(ManifestError, match="not utf-8 text"):
        draft_manifest(tmp_path / "in", tmp_path / "n.csv", FolderOptions(join=tmp_path / "labels.csv", on="{stem}"))


def test_any_table_that_can_be_read_can_be_joined(tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "in" / "a.png")
    (tmp_path / "labels.csv").write_text("key;sex;age\na;F;45\n", encoding="utf-8")
    (tmp_path / "labels.jsonl").write_text('{"key": "a", "sex": "F", "age": 45}\n', encoding="utf-8")
    for name in ("labels.csv", "labels.jsonl"):
        out = tmp_path / f"{name}.out"
        draft_manifest(tmp_path / "in", out, FolderOptions(join=tmp_path / name, on="{stem}"))
        with out.open(newline="", encoding="utf-8") as file:
            (row,) = csv.DictReader(file)
        assert (row["PatientSex"], row["PatientAge"]) == ("F", "045Y")
