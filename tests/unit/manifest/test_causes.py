"""One cause is one message: however many lines, cells and columns it shows on, and not again in what follows from it."""

from __future__ import annotations

import numpy as np
import pytest

import bulkdcm
from bulkdcm.draft import propose_mapping
from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest.table import Column, members
from tests.systems import any_name

MANY = 3000


@pytest.fixture
def errors(tmp_path):
    """Return a function: header and lines to the errors found, and how many lines their texts take."""

    def check(header: str, lines: list[str], **options):
        path = tmp_path / "m.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return [problem for problem in bulkdcm.check(path, **options) if problem.severity == "error"]

    return check


# Header, a row made of its number, and a word of the one error.
CAUSES = [
    ("source,PatientID,StudyDate", "{n}.png,{n},bad", "DA is a date"),
    ("source,PatientID,StudyDate", "{n}.png,{n},x{n}", "DA is a date"),
    ("source,PatientID,AccessionNumber", "{n}.png,{n},{n:0>17}", "SH has at most 16"),
    ("source,PatientID,sop_class", "{n}.png,{n},XX{n}", "not a SOP class"),
    ("source,PatientID,PatientName", "{n}.png,{half},N{n}", "disagrees with"),
    ("source,PatientID", "../{n}.png,{n}", "leads out"),
    ("source,PatientID", "https://h/{n}.png,{n}", "a URL"),
    ("source,PatientID,ImageComments", "{half}.png,{half},c{n}", "the same instance"),
    ("source,PatientID,output", "{n}.png,{n},o{half}", "goes to the same place"),
    ("source,PatientID,output", "{n}.png,{n},a{half}{inside}", "another row's file"),
    ("source,PatientID,StudyInstanceUID,SeriesInstanceUID", "{n}.png,{n},1.2.{n},1.2.{n}", "is also in"),
    ("source,PatientID,sha256", "{n}.png,{n},x{n}", "64 hexadecimal"),
    ("source,PatientID", '"a\x07{n}.png",{n}', "control character"),
    ("source,PatientID,sop_class,instance,frame,BurnedInAnnotation", "{n}.png,{n},SC-BYTE,{n},x{n},NO", "a frame's place"),
    ("source,PatientID,PatientName,PatientSex,StudyDescription", "{n}.png,,N{n},{sex},D{n}", "empty, so that rows are taken"),
]  # fmt: skip


@any_name
@pytest.mark.parametrize(("header", "row", "words"), CAUSES, ids=[cause[2] for cause in CAUSES])
def test_a_cause_on_thousands_of_lines_is_one_error(header, row, words, errors):
    lines = [
        row.format(n=n, half=n // 2, inside="/x" if n % 2 else "", sex="FM"[n % 2]) for n in range(1000, 1000 + MANY)
    ]
    (found,) = errors(header, lines)
    assert words in found.rule
    assert len(found.lines) >= MANY // 2 - 1
    assert len(found.text) < 1500


def test_many_unknown_columns_are_one_error(errors):
    names = [f"finding {n}" for n in range(300)]
    (found,) = errors(",".join(["source", *names]), [",".join(["a.png", *names])])
    assert found.text.startswith(
        "line 1, columns finding 0, finding 1, finding 2, finding 3, finding 4, finding 5 and 294 more"
    )


def test_rows_of_another_length_are_one_error_and_all_that_is_said(errors):
    with pytest.raises(ManifestError) as caught:
        errors("source,PatientID,StudyDate", [f"{n}.png,{n},bad,{n}" for n in range(5021)])
    (found,) = caught.value.problems
    assert found.text.startswith("lines 2, 3, 4 and 5,018 more: 4 cells under 3 column names.")


@pytest.mark.parametrize("divider", [";", "\t", "|"])
def test_columns_divided_by_another_sign_are_read_whatever_commas_are_in_cells(divider, tmp_path):
    path, mapping = tmp_path / "m.csv", tmp_path / "m.toml"
    lines = ["source;age", *(f"{n}.png;0,{n},{n}" for n in range(5021))]
    path.write_text("\n".join(lines).replace(";", divider) + "\n", encoding="utf-8")
    mapping.write_text(
        '[columns]\nsource = { column = "source" }\nImageComments = { column = "age" }\n', encoding="utf-8"
    )
    for options in ({"ignore_columns": ("age",)}, {"mapping": mapping}):
        found = bulkdcm.check(path, **options)
        assert not [problem for problem in found if problem.severity == "error"]
        assert [problem.lines for problem in found if problem.severity == "note"] == [(1,)]
    assert '"age"' in propose_mapping(path, "utf-8")


def test_what_a_mapping_can_make_nothing_of_is_one_error(tmp_path):
    path, mapping = tmp_path / "d.csv", tmp_path / "m.toml"
    path.write_text("f,s\n" + "".join(f"{n},v{n}\n" for n in range(MANY)), encoding="utf-8")
    mapping.write_text(
        '[columns]\nsource = { template = "{f}.*" }\nPatientSex = { column = "s", values = { m = "M" } }\n',
        encoding="utf-8",
    )
    with pytest.raises(ManifestError) as caught:
        bulkdcm.check(path, mapping=mapping)
    assert [len(found.lines) for found in caught.value.problems] == [MANY]


def test_an_empty_patient_among_rows_of_one_study_is_the_one_at_fault(errors):
    header = "source,PatientID,StudyInstanceUID"
    (found,) = errors(header, ["a.png,,1.2.3", *(f"{n}.png,7,1.2.3" for n in range(96))], layout="uid")
    assert (found.lines, found.column) == ((2,), "PatientID")
    # Where the others disagree too, all are at fault: none may be written.
    (found,) = errors(header, ["a.png,,1.2.3", "b.png,,1.2.3", "c.png,7,1.2.3", "d.png,8,1.2.3"], layout="uid")
    assert found.lines == (4, 5)


def test_rows_at_fault_keep_their_own_message(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("source,PatientID,StudyDate\na.png,1,x\nb.png,2,y\n", encoding="utf-8")
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(b"x")
    report = bulkdcm.convert(path, tmp_path / "out", skip_invalid=True, backend="sequential")
    assert [("'x'" in text, "'y'" in text) for text in report.table["message"]] == [(True, False), (False, True)]


SET = [
    (
        {"PatientNam": "x"},
        r"^defaults=\{'PatientNam': 'x'\}: 'PatientNam' is no DICOM keyword\. Did you mean PatientName\?$",
    ),
    ({"StudyDate": "2020-01-01"}, r"^defaults=\{'StudyDate': '2020-01-01'\}: DA is a date.*Write it as YYYYMMDD"),
    ({"sop_class": "CRR"}, r"^defaults=\{'sop_class': 'CRR'\}: not a SOP class.*one of SC, CR, "),
    ({"Rows": "5"}, r"^defaults=\{'Rows': '5'\}: a manifest can't set it"),
    ({"sha256": "x"}, r"^defaults=\{'sha256': 'x'\}: a SHA-256"),
]


@pytest.mark.parametrize(("defaults", "words"), SET, ids=[next(iter(d)) for d, _ in SET])
def test_a_wrong_default_is_the_options_fault_and_no_lines(defaults, words, errors):
    with pytest.raises(SettingsError, match=words):
        errors("source,PatientID", ["a.png,1", "b.png,2"], defaults=defaults)


def test_a_default_that_contradicts_rows_is_called_by_its_option(errors):
    (found,) = errors("source,PatientID,sop_class", ["a.png,1,US", "b.png,2,US"], defaults={"Modality": "CR"})
    assert found.text.startswith("--set Modality=CR, lines 2, 3: 'CR': contradicts UltrasoundImageStorage")


def test_a_mapping_that_names_no_column_of_a_manifest_is_said_by_its_key(tmp_path):
    path, mapping = tmp_path / "m.csv", tmp_path / "m.toml"
    path.write_text("f\na\n", encoding="utf-8")
    for key, words in [
        ("PatientNam = 'x'", "PatientName"),
        ("StudyDate = '2020-01-01'", "YYYYMMDD"),
        ("Rows = '1'", "can't set"),
    ]:
        mapping.write_text(f"[columns]\nsource = {{ column = 'f' }}\n{key}\n", encoding="utf-8")
        with pytest.raises(SettingsError, match=rf"mapping=.*columns\.{key.split()[0]}.*{words}"):
            bulkdcm.check(path, mapping=mapping)


def test_rows_of_a_value_are_the_same_however_many_values_there_are():
    generator = np.random.default_rng(5)
    codes = generator.integers(0, 500, 4000).astype(np.int32)
    column = Column(codes, [str(n) for n in range(501)])
    for code in range(501):
        assert column.ordinals([code]).tolist() == np.flatnonzero(codes == code).tolist()
    expected = [np.flatnonzero(codes == n).tolist() for n in range(500) if (codes == n).sum() >= 9]
    assert [rows.tolist() for rows in members(codes, least=9)] == expected
    assert list(members(codes[:0])) == []
