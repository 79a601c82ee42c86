"""Every problem of a manifest is found before anything runs, with its line, column, value, rule and remedy."""

from __future__ import annotations

import pytest

import bulkdcm
from bulkdcm.errors import ManifestError

GOOD = {
    "source": "a.png", "PatientID": "1", "PatientName": "A^B", "PatientSex": "F", "StudyDate": "20230102",
    "StudyTime": "101112", "StudyID": "1", "SeriesNumber": "1", "InstanceNumber": "1", "BodyPartExamined": "CHEST",
}  # fmt: skip


@pytest.fixture
def found(tmp_path):
    """Return a function: what differs in each row to the problems of that manifest, as text by column."""
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(b"x")

    def check(*changes: dict[str, str], severity="error", **options):
        rows = [{**GOOD, "source": f"{name}.png", "InstanceNumber": str(n), **change} for n, (name, change) in enumerate(zip("abc", changes, strict=False), 1)]  # fmt: skip
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines = [",".join(names), *(",".join(f'"{row.get(name, "")}"' for name in names) for row in rows)]
        path = tmp_path / "m.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [problem for problem in bulkdcm.check(path, **options) if problem.severity == severity]

    return check


@pytest.mark.parametrize(
    ("changes", "line", "column", "words"),
    [
        ([{}, {"PatientSex": "MALE"}], 3, "PatientSex", "one of"),
        ([{}, {"PatientSex": "MALE"}], 3, "PatientSex", "MALE"),
        ([{"Patientid": "7"}], 1, "Patientid", "Did you mean PatientID"),
        ([{"Rows": "7"}], 1, "Rows", "from the image"),
        ([{"TransferSyntaxUID": "1.2"}], 1, "TransferSyntaxUID", "meta information"),
        ([{"ReferencedImageSequence": "x"}], 1, "ReferencedImageSequence", "sequence"),
        ([{"source": ""}], 2, "source", "names no image"),
        ([{"source": "../a.png"}], 2, "source", "leads out"),
        ([{"source": "/etc/passwd"}], 2, "source", "absolute"),
        ([{"output": "../x.dcm"}], 2, "output", "leads out"),
        ([{"output": "report.csv"}], 2, "output", "bulkdcm's own"),
        ([{"output": "x.dcm"}, {"output": "X.dcm"}], 3, "output", "no difference"),
        ([{"output": "x"}, {"output": "x/y.dcm"}], 3, "output", "folder"),
        ([{"sha256": "abc"}], 2, "sha256", "64 hexadecimal"),
        ([{"sop_class": "CTImage"}], 2, "sop_class", "Did you mean CTImageStorage"),
        ([{"sop_class": "DigitalXRayImageStorageForProcessing"}], 2, "sop_class", "never written"),
        ([{"sop_class": "CT"}], 2, "ImagePositionPatient", "no honest default"),
        ([{"sop_class": "XC", "Modality": "CR"}], 2, "Modality", "contradicts"),
        ([{"Laterality": "L"}], 2, "Laterality", "no side"),
        ([{"BodyPartExamined": "HAND", "ImageLaterality": "L", "Laterality": "L"}], 2, "Laterality", "not both"),
        ([{}, {"PatientID": "2", "StudyInstanceUID": "1.2.3"}, {"StudyInstanceUID": "1.2.3"}], 4, "PatientID", "already that of patient"),
        ([{}, {"PatientName": "C^D"}], 3, "PatientName", "same patient"),
        ([{"StudyDescription": "x"}, {"StudyDescription": "y"}], 3, "StudyDescription", "same study"),
        ([{"SeriesDescription": "x"}, {"SeriesDescription": "y"}], 3, "SeriesDescription", "same series"),
        ([{"SOPInstanceUID": "1.2.3"}, {"SOPInstanceUID": "1.2.3"}], 3, "SOPInstanceUID", "same instance"),
        ([{"instance": "i"}, {"instance": "i"}], 3, "instance", "same instance"),
        ([{"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3"}], 2, "SeriesInstanceUID", "names one thing"),
        ([{"SeriesInstanceUID": "1.2.9"}, {"SeriesInstanceUID": "1.2.9", "StudyID": "2"}], 3, "SeriesInstanceUID", "another study"),
    ],
)  # fmt: skip
def test_a_problem_has_its_line_column_value_rule_and_remedy(changes, line, column, words, found):
    problems = [problem for problem in found(*changes) if problem.column == column]
    assert problems
    assert any(words in str(problem) for problem in problems), list(map(str, problems))
    assert line in problems[0].lines
    assert problems[0].remedy


def test_all_problems_are_found_at_once(found):
    problems = found({"PatientSex": "x"}, {"StudyDate": "1"}, {"SeriesNumber": "a", "output": "../y"})
    assert {problem.column for problem in problems} >= {"PatientSex", "StudyDate", "SeriesNumber", "output"}


def test_the_same_value_on_many_lines_is_one_problem(found):
    (problem,) = found({"PatientSex": "x"}, {"PatientSex": "x"}, {"PatientSex": "x"})
    assert problem.lines == (2, 3, 4)


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ([{"StudyDate": ""}], "StudyDate", "DICOMDIR"),
        ([{"sop_class": "XC", "KVP": "1"}], "KVP", "no place"),
        ([{"Modality": "ZZ"}], "Modality", "Defined Term"),
    ],
)
def test_what_is_allowed_and_odd_is_a_warning(changes, column, words, found):
    assert any(problem.column == column and words in problem.rule for problem in found(*changes, severity="warning"))


def test_a_good_manifest_has_no_problems(found):
    assert found({}, {}, {}) == []
    assert found({}, {}, {}, severity="warning") == []


def test_an_ignored_column_is_no_problem(found):
    assert found({"finding": "x"})
    assert not found({"finding": "x"}, ignore_columns=["finding"])


def test_a_link_that_leads_out_of_the_root_is_found(found, tmp_path):
    (tmp_path / "link.png").symlink_to("/etc/hostname")
    assert any("outside" in str(problem) for problem in found({"source": "link.png"}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "no column `source`"),
        (b"a;b,c\n1;2,3\n", "divided by a comma or a semicolon"),
        (b"source,PatientID\na.png\n", "line 2: 1 cells under 2"),
        (b"source,PatientID\na.png,1,2\n", "line 2: 3 cells under 2"),
        (b"source,source\na.png,1\n", "twice"),
        (b'source,PatientID\n"a.png,1\n', "line"),
        (b"source,PatientName\na.png,M\xfcller\n", "line 2: not utf-8 text"),
        (b"\xff\xfes\0o\0", "no column `source`"),
        (b"\xff\xfes\0o", "not utf-16 text"),
        (b"PK\x03\x04xxxx", "this is"),
        (b"\x1f\x8b\x08xxxxx", "this is"),
        (b"source,PatientID\n" + b"a.png,x\0y\n", "control character"),
    ],
)
def test_a_file_that_is_no_manifest_is_said_to_be_none(data, words, tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(data)
    try:
        text = "\n".join(map(str, bulkdcm.check(path)))
    except ManifestError as error:
        text = f"{error}\n" + "\n".join(map(str, error.problems))
    assert words in text


def test_a_missing_manifest_or_a_folder_is_said(tmp_path):
    with pytest.raises(ManifestError, match="no such file"):
        bulkdcm.check(tmp_path / "x.csv")
    with pytest.raises(ManifestError, match=r"this is a folder.*bulkdcm init"):
        bulkdcm.check(tmp_path)


@pytest.mark.parametrize("name", ["PatientIDs", "Patient1D"])
def test_a_misspelt_column_is_one_error_and_no_other_follows(name, tmp_path):
    for image in ("a.png", "b.png"):
        (tmp_path / image).write_bytes(b"x")
    text = f"source,{name},PatientSex,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber\n"
    rows = "a.png,1,M,20230101,101010,1,1,1\nb.png,2,F,20230101,101010,1,1,1\n"
    (tmp_path / "m.csv").write_text(text + rows, encoding="utf-8")
    (found,) = bulkdcm.check(tmp_path / "m.csv")
    assert (found.column, found.lines, found.severity) == (name, (1,), "error")
    assert "Did you mean PatientID?" in found.remedy
