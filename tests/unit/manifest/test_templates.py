"""Templates: parts of cells, patterns, and files looked for by their names."""

from __future__ import annotations

import pytest

import bulkdcm
from bulkdcm import manifest
from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.settings import Settings


@pytest.fixture
def read(tmp_path):
    """Return a function that gives the cells of one column of a mapped table."""

    def columns(toml: str, text: str, name: str = "source", **options: object) -> list[str]:
        (tmp_path / "m.toml").write_text(toml, encoding="utf-8")
        (tmp_path / "d.csv").write_text(text, encoding="utf-8")
        found = manifest.read(tmp_path / "d.csv", Settings.of(mapping=tmp_path / "m.toml", **options))
        column = found.column(name)
        return [column[ordinal] for ordinal in range(len(found))]

    return columns


def files(root, *names: str):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("files/p{subject_id[:2]}/p{subject_id}/s{study_id}/{dicom_id}.jpg", "files/p10/p10000032/s50414267/a-b.jpg"),
        ("{dicom_id[-1:]}{dicom_id[0:1]}{dicom_id[:]}", "baa-b"),
        ("{dicom_id[5:]}x", "x"),
        ("{subject_id:last3}", "032"),
        ("{odd[1:2]}", "own"),
        ("{odd:last3}", "too"),
    ],
)
def test_a_field_is_a_cell_a_slice_of_it_or_what_a_pattern_finds(template, found, read):
    toml = f"[patterns]\nlast3 = '(...)$'\n[columns]\nsource = {{ template = '{template}' }}\n"
    text = "subject_id,study_id,dicom_id,odd[1:2],odd:last3\n10000032,50414267,a-b,own,too\n"
    assert read(toml, text) == [found]


@pytest.mark.parametrize("field", ["{subject}", "{subject_id[1]}", "{subject_id:other}", "{}"])
def test_a_field_that_names_nothing_is_refused_with_its_name(field, read):
    with pytest.raises(SettingsError, match="none of the columns") as caught:
        read(f"[columns]\nsource = {{ template = '{field}' }}\n", "subject_id\n1\n")
    assert repr(field[1:-1]) in str(caught.value)


def test_a_pattern_that_finds_nothing_is_a_problem_of_its_rows(read):
    toml = "[patterns]\np = '(\\d+)'\n[columns]\nsource = { template = '{f:p}.png' }\n"
    with pytest.raises(ManifestError, match="line 3") as caught:
        read(toml, "f\n1\nx\n")
    assert "finds nothing in 'x'" in str(caught.value)


def test_take_may_name_a_pattern(read):
    toml = (
        "[patterns]\nid = '^(\\d+)_'\n[columns]\nsource = { column = 'f' }\nPatientID = { column = 'f', take = 'id' }\n"
    )
    assert read(toml, "f\n12_a.png\n", "PatientID") == ["12"]


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("**/{f}", "images_002/images/b.png"),
        ("images_002/**/{f}", "images_002/images/b.png"),
        ("**/images/{f}", "images_002/images/b.png"),
        ("images_002/images/{f[:1]}.*", "images_002/images/b.png"),
        ("**/{f[:1]}.*", "images_002/images/b.png"),
    ],
)
def test_files_are_found_by_their_names(template, found, read, tmp_path):
    files(tmp_path, "images_001/images/a.png", "images_002/images/b.png", "images_003/c.png")
    assert read(f"[columns]\nsource = {{ template = '{template}' }}\n", "f\nb.png\n") == [found]


def test_a_name_is_found_in_another_unicode_form(read, tmp_path):
    files(tmp_path, "x/e\u0301.png")
    assert read("[columns]\nsource = { template = '**/{f}' }\n", "f\n\u00e9.png\n") == ["x/e\u0301.png"]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("p1/study1/image1.png", "train/p1/study1/image1.png"),
        ("p2/study1/image1.png", "train/p2/study1/image1.png"),
        ("study1/image9.png", "valid/p3/study1/image9.png"),
        ("x\u00e9/image1.png", "valid/xe\u0301/image1.png"),
    ],
)
def test_files_of_one_name_are_told_apart_by_the_folders_above(cell, found, read, tmp_path):
    files(tmp_path, "train/p1/study1/image1.png", "train/p2/study1/image1.png", "valid/p3/study1/image9.png")
    files(tmp_path, "valid/xe\u0301/image1.png", "image1.png", "p1/study1.png")
    assert read("[columns]\nsource = { template = '**/{f}' }\n", f"f\n{cell}\n") == [found]


def test_part_of_a_folder_s_name_is_none(read, tmp_path):
    files(tmp_path, "train/sub1/image1.png", "1/image1.jpg")
    for wanted in ("**/1/{f}", "**/ain/sub1/{f}"):
        (kept,) = read(f"[columns]\nsource = {{ template = '{wanted}' }}\n", "f\nimage1.png\n")
        assert kept == wanted.format(f="image1.png")  # the preflight says that there is none


def test_two_files_of_one_name_are_an_error_that_names_both(read, tmp_path):
    files(tmp_path, "a/x.png", "b/x.png", "b/y.png")
    with pytest.raises(ManifestError, match=r"2 files are called so: 'a/x\.png', 'b/x\.png'") as caught:
        read("[columns]\nsource = { template = '**/{f}' }\n", "f\nx.png\ny.png\n")
    assert len(caught.value.problems) == 1


def test_of_several_templates_one_is_there(read, tmp_path):
    toml = "[columns]\nsource = { template = ['part_1/{id}.jpg', 'part_2/{id}.jpg'] }\n"
    files(tmp_path, "part_1/a.jpg", "part_2/b.jpg")
    assert read(toml, "id\na\nb\nc\n") == ["part_1/a.jpg", "part_2/b.jpg", "part_1/c.jpg"]
    files(tmp_path, "part_2/a.jpg")
    with pytest.raises(ManifestError, match=r"2 files are called so: 'part_1/a\.jpg', 'part_2/a\.jpg'"):
        read(toml, "id\na\nb\n")


def test_what_is_nowhere_fails_its_row_alone(tmp_path):
    files(tmp_path, "p/a.png")
    (tmp_path / "m.toml").write_text("[columns]\nsource = { template = '**/{f}' }\n", encoding="utf-8")
    (tmp_path / "d.csv").write_text("f\na.png\nb.png\n", encoding="utf-8")
    found = [one for one in bulkdcm.check(tmp_path / "d.csv", mapping=tmp_path / "m.toml") if one.column == "source"]
    assert [(one.lines, one.severity) for one in found] == [((3,), "warning")]
    assert "its row will fail" in found[0].rule


@pytest.mark.parametrize("out", ["", "out"])
def test_outputs_of_earlier_runs_are_no_sources(out, read, tmp_path):
    files(tmp_path, "p/a.png", f"{out or '.'}/.bulkdcm/ledger.sqlite", f"{out or '.'}/p/a.dcm")
    assert read("[columns]\nsource = { template = '**/{f}.*' }\n", "f\na\n") == ["p/a.png"]
    assert read("[columns]\nsource = { template = 'p/{f}.*' }\n", "f\na\n") == ["p/a.png"]


def test_counts_start_where_they_are_told_with_a_prefix(read):
    toml = """[columns]
source = { column = 'f' }
PatientID = { column = 'p' }
StudyID = { count = ['PatientID'], start = 0 }
AccessionNumber = { count = [], start = '0009', prefix = 'A' }
"""
    text = "f,p\na,1\nb,1\nc,2\n"
    assert read(toml, text, "StudyID") == ["0", "1", "0"]
    assert read(toml, text, "AccessionNumber") == ["A0009", "A0010", "A0011"]


def test_a_table_without_a_header_gets_its_names_from_the_mapping(read):
    toml = "header = ['path', 'who']\n[columns]\nsource = { column = 'path' }\nPatientID = { column = 'who' }\n"
    assert read(toml, "a.png,1\nb.png,2\n") == ["a.png", "b.png"]
    with pytest.raises(ManifestError, match="line 2: 3 cells under 2"):
        read(toml, "a.png,1\nb.png,2,3\n")


def test_a_mapping_says_what_divides_the_columns(read):
    toml = "delimiter = 'tab'\n[columns]\nsource = { column = 'a;b' }\n"
    assert read(toml, "a;b\tc;d\nx;y\tz;w\n") == ["x;y"]


@pytest.mark.parametrize("where", ["mapping", "option"])
def test_of_several_rows_of_an_image_the_first_counts_or_all_together(where, read):
    columns = (
        "[columns]\nsource = { column = 'f' }\nImageComments = { column = 'c' }\nPatientID = { column = 'p' }\n"
        "InstanceNumber = { count = ['PatientID'] }\n"
    )
    text = "f,c,p\na,x,1\na,y,1\nb,z,1\na,x,1\n"
    for how, comments in (("first", ["x", "z"]), ("join", ["x; y", "z"])):
        toml, options = (
            (f"rows_per_image = '{how}'\n{columns}", {}) if where == "mapping" else (columns, {"rows_per_image": how})
        )
        assert read(toml, text, "ImageComments", **options) == comments
        assert read(toml, text, "InstanceNumber", **options) == ["1", "2"]


@pytest.mark.parametrize("how", ["first", "join"])
def test_rows_whose_image_is_not_known_are_all_said_and_are_no_one_image(how, read):
    toml = "[patterns]\np = '(\\d+)'\n[columns]\nsource = { template = '{f:p}.png' }\nPatientID = { column = 'f' }\n"
    with pytest.raises(ManifestError, match="lines 3, 4") as caught:
        read(toml, "f\n1\nx\ny\n", rows_per_image=how)
    assert [problem.column for problem in caught.value.problems] == ["source"]


def test_the_first_row_of_an_image_need_only_be_right_itself(read):
    toml = "[columns]\nsource = { column = 'f' }\nPatientAge = { column = 'a', as = 'age' }\n"
    assert read(toml, "f,a\na,33\na,old\n", "PatientAge", rows_per_image="first") == ["033Y"]


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("header = 3.5\n[columns]\nsource = { column = '3.5', start = 1 }\n", "count alone takes"),
        ("[columns]\nsource = { column = 'f', split = 'x', part = 0 }\n", "part 0"),
        ("[columns]\nsource = { column = 'f', part = 1 }\n", "part 1"),
        ("[columns]\nsource = { column = 'f', split = '' }\n", "split is empty"),
        ("[columns]\nsource = { column = 'f' }\nImageComments = { column = 'f', split = '|' }\n", "one text"),
        ("[columns]\nsource = { column = 'f', empty = 'a', default = 'b' }\n", "mean the same"),
        ("[columns]\nsource = { column = 'f', as = 'code' }\n", "go together"),
        ("[columns]\nsource = { column = 'f', as = 'code', codes = { a = 'b' } }\n", "a value, a scheme and a meaning"),
        ("[columns]\nsource = { column = 'f', as = 'code', codes = { a = ['x', 'y', 'a^b'] } }\n", "neither"),
        ("[columns]\nsource = { column = 'f', as = 'code', codes = { a = ['01234567890123456', 'y', 'z'] } }\n", "16"),
        ("[columns]\nsource = { template = [] }\n", "template is empty"),
        ("[columns]\nsource = { count = [], start = -1 }\n", "the first number"),
        ("[columns]\nsource = { column = 'f', take = '(a+)+' }\n", "within a repetition"),
        ("[patterns]\np = '(a+)+'\n[columns]\nsource = { column = 'f' }\n", "patterns.p"),
        ("delimiter = 'x'\n[columns]\nsource = { column = 'f' }\n", "delimiter 'x'"),
        ("rows_per_image = 'last'\n[columns]\nsource = { column = 'f' }\n", "rows_per_image 'last'"),
    ],
)
def test_what_means_nothing_is_refused_by_its_key(toml, words, read):
    with pytest.raises(SettingsError, match=r"\w") as caught:
        read(toml, "f\nx\n")
    assert words in str(caught.value)
