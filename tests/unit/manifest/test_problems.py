"""What exactly a problem says: all its lines, column, value, rule, remedy, severity; and what is no problem."""

from __future__ import annotations

import pytest

import bulkdcm
from bulkdcm import names
from bulkdcm.errors import ManifestError
from bulkdcm.manifest.paths import fold

NFD, NFC = "e\N{COMBINING ACUTE ACCENT}.dcm", "\N{LATIN SMALL LETTER E WITH ACUTE}.dcm"


@pytest.fixture
def problems(tmp_path):
    """Return a function: CSV lines to what is said of them, but for empty cells that archives index by."""
    for name in "abcd":
        (tmp_path / f"{name}.png").write_bytes(b"x")

    def check(*lines: str, severity="error", **options):
        path = tmp_path / "m.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        found = bulkdcm.check(path, **options)
        return [p for p in found if p.severity == severity and "DICOMDIR" not in p.rule]

    return check


# CSV lines; then lines, column and value of the only error; words of its rule and of its remedy.
ONE_ERROR = [
    # cells
    (["source,PatientID,PatientSex", "a.png,1,female", "b.png,2,F", "c.png,3,female"], (2, 4), "PatientSex", "female", "CS takes A-Z", "Did you mean F?"),
    (["source,PatientSex", "a.png,X"], (2,), "PatientSex", "X", "one of M, F, O (PS3.3 C.7.1.1)", "leave the cell empty"),
    (["source,StudyDate", "a.png,2023-07-26"], (2,), "StudyDate", "2023-07-26", "YYYYMMDD", "YYYYMMDD, such as 20230726"),
    (["source,StudyDate", "a.png,20230230"], (2,), "StudyDate", "20230230", "no such day", "Correct the cell"),
    (["source,BodyPartExamined", "a.png,chest"], (2,), "BodyPartExamined", "chest", "CS takes", "capitals: 'CHEST'"),
    (["source,PatientAge", "a.png,45"], (2,), "PatientAge", "45", "three digits", "Write it as 045Y"),
    (["source,PatientAge", "a.png,7m"], (2,), "PatientAge", "7m", "three digits", "Write it as 007M"),
    (["source,StudyDescription", 'a.png,"a', 'b"'], (2,), "StudyDescription", "a\nb", "control character", "line ends"),
    (["source,PatientID", "a.png,1\\2"], (2,), "PatientID", "1\\2", "these are 2 (PS3.6)", "Correct the cell"),
    (["source,sha256", f"a.png,{'g' * 64}"], (2,), "sha256", "g" * 64, "64 hexadecimal", "Correct the cell"),
    (["source,study", 'a.png,"x\ty"'], (2,), "study", "x\ty", "control character '\\t'", "Correct the cell"),
    # columns
    (["source,PatientsName", "a.png,x"], (1,), "PatientsName", "", "no DICOM keyword", "Did you mean PatientName?"),
    (["source,", "a.png,x"], (1,), "", "", "a column without a name", f"--ignore-column {names.word('')}"),
    (["source,SOPClassUID", "a.png,1.2"], (1,), "SOPClassUID", "", "the sop_class column chooses it", "--ignore-column SOPClassUID"),
    (["source,MediaStorageSOPClassUID", "a.png,1"], (1,), "MediaStorageSOPClassUID", "", "meta information", "--ignore-column"),
    # paths
    (["source", "../a.png"], (2,), "source", "../a.png", "leads out of the folder", "--images"),
    (["source", "x/../../a.png"], (2,), "source", "../a.png", "leads out of the folder", "--images"),
    (["source", "C:\\a.png"], (2,), "source", "C:\\a.png", "an absolute path", "--images"),
    (["source", "\\\\host\\a.png"], (2,), "source", "\\\\host\\a.png", "an absolute path", "--images"),
    (["source,output", "a.png,Summary.JSON"], (2,), "output", "Summary.JSON", "bulkdcm's own", "another name"),
    (["source,output", "a.png,.bulkdcm/x"], (2,), "output", ".bulkdcm/x", "bulkdcm's own", "another name"),
    (["source,output", f"a.png,{'é' * 128}"], (2,), "output", "é" * 128, "more than 255 bytes", "another name"),
    (["source,output", "a.png,x.dcm", "b.png,x.dcm", "c.png,x.dcm"], (3, 4), "output", "x.dcm", "line 2 goes to the same place", "`output` column"),
    (["source,output", f"a.png,{NFC}", f"b.png,{NFD}"], (3,), "output", NFD, "no difference", "--layout uid"),
    (["source,output", "a.png,STRASSE.dcm", "b.png,straße.dcm"], (3,), "output", "straße.dcm", "'STRASSE.dcm': some", "--layout uid"),
    (["source,output", "a.png,x/y/z.dcm", "b.png,X"], (2,), "output", "x/y/z.dcm", "'x' is another row's file", "another name"),
    # classes
    (["source,sop_class", "a.png,ENHANCED"], (2,), "sop_class", "ENHANCED", "not a SOP class", "one of SC, CR"),
    (["source,sop_class,Modality", "a.png,US,US", "b.png,US,CR"], (3,), "Modality", "CR", "contradicts UltrasoundImageStorage", "Write US"),
    (["source,BodyPartExamined,Laterality", "a.png,ABDOMEN,L"], (2,), "Laterality", "L", "ABDOMEN is no paired", "cell empty"),
    # agreement
    (["source,PatientID,StudyInstanceUID", "a.png,1,1.2.3", "b.png,2,1.2.3", "c.png,1,1.2.3"], (3,), "PatientID", "2", "study on line 2 is already that of patient '1'", "one patient"),
    (["source,PatientID,IssuerOfPatientID,StudyInstanceUID", "a.png,1,A,1.2.3", "b.png,1,B,1.2.3"], (3,), "IssuerOfPatientID", "B", "patient 'A'", "one patient"),
    (["source,PatientID,PatientSex", "a.png,1,F", "b.png,1,M", "c.png,1,F", "d.png,1,M"], (3, 5), "PatientSex", "M", "disagrees with 'F' on line 2, of the same patient", "different PatientIDs"),
    (["source,PatientID,StudyTime", "a.png,1,10", "b.png,1,11"], (3,), "StudyTime", "11", "disagrees with '10' on line 2, of the same study", "`study` column"),
    (["source,PatientID,StationName", "a.png,1,X", "b.png,1,"], (3,), "StationName", "", "disagrees with 'X' on line 2, of the same series", "`series` column"),
    (["source", "a.png", "./a.png"], (3,), "source", "a.png", "same instance as line 2", "`instance` column"),
    (["source,SeriesInstanceUID,SOPInstanceUID", "a.png,1.2,1.3", "b.png,1.2,1.2"], (3,), "SOPInstanceUID", "1.2", "is also in SeriesInstanceUID", "Give each its own"),
    # frames
    (["source,frame", "a.png,1"], (2,), "frame", "", "has no frames", "SC-BYTE"),
]  # fmt: skip


@pytest.mark.parametrize(("csv", "lines", "column", "value", "rule", "remedy"), ONE_ERROR)
def test_an_error_says_where_it_stands_and_what_to_do(csv, lines, column, value, rule, remedy, problems):
    (said,) = problems(*csv, layout="uid")  # under which one source may be there twice
    assert (said.lines, said.column, said.value) == (lines, column, value)
    assert rule in said.rule
    assert remedy in said.remedy


WARNINGS = [
    (["source,PatientID", "a.png,1", "none.png,1"], (3,), "source", "none.png", "no such file"),
    (["source,BodyPartExamined", "a.png,CHESTS"], (2,), "BodyPartExamined", "CHESTS", "PS3.16 annex L"),
    (["source,Modality", "a.png,XX"], (2,), "Modality", "XX", "not a Defined Term"),
    (["source,sop_class,BurnedInAnnotation,KVP", "a.png,US,NO,70"], (2,), "KVP", "", "UltrasoundImageStorage has no place"),
    (["source"], (), "", "", "a header and no rows"),
]  # fmt: skip


@pytest.mark.parametrize(("csv", "lines", "column", "value", "rule"), WARNINGS)
def test_what_only_deserves_a_word_is_a_warning_and_no_error(csv, lines, column, value, rule, problems):
    assert problems(*csv) == []
    (said,) = problems(*csv, severity="warning")
    assert (said.lines, said.column, said.value) == (lines, column, value)
    assert rule in said.rule
    assert said.remedy


FINE = [
    ["source,output", "a.png,x.dcm", "b.png,y.dcm"],
    ["source,output", "a.png,x/report.csv", "b.png,report.csv.dcm"],
    ["source,output", "a.png,x.dcm", "b.png,x.dcm.dcm"],
    ["source,output", f"a.png,{'x' * 255}"],
    ["source,sha256", f"a.png,{'A' * 64}"],
    ["source,instance,output", "a.png,1,x.dcm", "a.png,2,y.dcm"],
    ["source,PatientID,PatientSex", "a.png,1,F", "b.png,2,M"],
    ["source,PatientID,IssuerOfPatientID,PatientSex", "a.png,1,A,F", "b.png,1,B,M"],
    ["source,PatientID,study,StudyTime", "a.png,1,s,10", "b.png,1,t,11"],
    ["source,PatientID,series,StationName", "a.png,1,s,X", "b.png,1,t,Y"],
    ["source,PatientName", "a.png,A^B"],
    ["source,BodyPartExamined,ImageLaterality", "a.png,HAND,L"],
]


@pytest.mark.parametrize("csv", FINE)
def test_what_keeps_every_rule_is_not_spoken_of(csv, problems):
    assert problems(*csv) == []


def test_errors_come_before_warnings_and_each_in_the_order_of_lines(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("source,PatientSex,StudyDate\n../a,F,1\n../b,x,20230102\nnone,F,20230102\n", encoding="utf-8")
    order = [(problem.severity, problem.lines[0]) for problem in bulkdcm.check(path)]
    assert order == sorted(order)
    assert [severity for severity, _ in order].count("error") >= 4


def test_a_folder_that_is_a_link_out_of_the_root_is_found_and_one_inside_is_not(problems, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.png").write_bytes(b"x")
    (tmp_path / "near").symlink_to(tmp_path / "in")
    (tmp_path / "far").symlink_to("/etc")
    assert problems("source", "near/x.png") == []
    (said,) = problems("source", "near/x.png", "far/hostname")
    assert (said.lines, said.value, said.rule) == ((3,), "far/hostname", "a link that leads outside the image root")


@pytest.mark.parametrize(
    ("one", "other", "same"), [("A", "a", True), (NFC, NFD, True), ("ß", "SS", True), ("a", "b", False), ("é", "e", False)]
)  # fmt: skip
def test_folded_paths_are_equal_where_a_file_system_may_see_one_name(one, other, same):
    assert (fold(one) == fold(other)) == same


@pytest.mark.parametrize("data", [b"source\n\xff.png\n", b"\xff\xfes\0"])
def test_what_is_said_of_a_wrong_encoding_has_one_full_stop(data, tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(data)
    with pytest.raises(ManifestError) as caught:
        bulkdcm.check(path)
    assert ".." not in str(caught.value).removeprefix(str(path))
