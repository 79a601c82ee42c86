"""Warnings of legal values that are hardly right: what spreadsheets did to them, and lives that can't have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bulkdcm

if TYPE_CHECKING:
    from bulkdcm.model import Problem


@pytest.fixture
def found(tmp_path):
    """Return a function: a column and its cells to the warnings and errors of that column."""
    (tmp_path / "a.png").write_bytes(b"x")

    def check(column: str, *cells: str, **others: str) -> list[Problem]:
        names = ["source", "instance", column, *others]
        lines = [",".join(names)]
        for number, cell in enumerate(cells):
            row = ["a.png", f"i{number}", cell, *others.values()]
            lines.append(",".join('"' + text.replace('"', '""') + '"' for text in row))
        (tmp_path / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [problem for problem in bulkdcm.check(tmp_path / "m.csv") if column == problem.column and problem.lines]

    return check


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("PatientID", '="00123"', "formula"),
        ("PatientID", "'00123", "apostrophe"),
        ("PatientID", "1.23E+11", "digits are lost"),
        ("AccessionNumber", "1,23457E+15", "digits are lost"),
        ("PatientID", "1001.0", "number with decimals"),
        ("StudyID", "7.00", "number with decimals"),
        ("study", "1001.0", "number with decimals"),
        ("StudyID", "2-Jan", "made a date of it"),
        ("StudyID", "Jan-02", "made a date of it"),
        ("PatientID", "00123\u00a0", "no-break space"),
        ("PatientID", "\u00a000123", "no-break space"),
        ("PatientID", "00\u00a0123", "no-break space"),
        ("PatientName", "A^B\u202f", "no-break space"),
        ("PatientID", "\ufeff00123", "no width"),
        ("PatientID", "00\u200b123", "no width"),
        ("series", "00123\u200e", "no width"),
        ("StudyDescription", "#N/A", "error"),
        ("PatientID", "#REF!", "error"),
        ("PatientName", "#######", "error"),
        ("PatientID", "nan", "no value"),
        ("PatientName", "M\u00c3\u00bcller^", "another encoding"),
        ("StudyDescription", "caf\ufffd", "another encoding"),
    ],
)
def test_a_trace_is_a_warning_that_names_its_cause(column, cell, words, found):
    warnings = [problem for problem in found(column, cell, "plain") if problem.severity == "warning"]
    (warning,) = [problem for problem in warnings if problem.value.strip() == cell.strip()]
    assert words in warning.rule
    assert warning.remedy
    assert warning.lines == (2,)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("PatientName", "'t Hooft^Gerard"),
        ("PatientName", "山田^太郎"),
        ("PatientName", "山田\u3000太郎^"),
        ("PatientName", "=山田^太郎"),
        ("PatientName", "Nancy^Ann-Marie"),
        ("PatientName", "Ãlvaro^São"),
        ("PatientName", "\u0645\u06cc\u200c\u062e^"),  # a non-joiner is a letter's form
        ("SoftwareVersions", "1.0"),
        ("ManufacturerModelName", "2.0"),
        ("PatientID", "00123"),
        ("PatientID", "E+11"),
        ("PatientID", "A-1.05"),
        ("PatientID", "NA"),
        ("PatientID", "123456789012"),
        ("StudyDescription", "Thorax 2\u00a0Ebenen".replace("\u00a0", " ")),
        ("ImageComments", "5\u00a0mm at 1.0"),
        ("KVP", "1E+2"),
    ],
)
def test_what_is_meant_so_is_no_trace(column, cell, found):
    assert not [problem for problem in found(column, cell) if problem.value == cell]


def test_one_kind_is_one_message_of_a_column(found):
    (warning,) = found("AccessionNumber", *[f"{number}.0" for number in range(1000, 1300)])
    assert len(warning.lines) == 300
    assert "299 other values are alike" in warning.rule


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("StudyDate", "45000", "2023-03-15"),
        ("StudyDate", "20230726.0", "write 20230726"),
        ("SeriesNumber", "3.0", "write 3"),
        ("StudyTime", "5556", "zeros in front"),
        ("StudyDate", "#N/A", "spreadsheet's error"),
        ("PatientBirthDate", "'20230726", "apostrophe"),
    ],
)
def test_an_error_that_a_spreadsheet_caused_says_so(column, cell, words, found):
    (problem,) = found(column, cell)
    assert problem.severity == "error"
    assert words in problem.remedy


def test_births_after_their_study_are_one_warning(found):
    births = ["20450314", "20500101", "19450314"]
    problems = found("PatientBirthDate", *births, StudyDate="20200314")  # of one patient, which is an error of its own
    (warning,) = [problem for problem in problems if problem.severity == "warning"]
    assert warning.lines == (2, 3)
    assert "born after StudyDate '20200314'" in warning.rule
    assert not found("PatientBirthDate", "20200314", StudyDate="20200314")


@pytest.mark.parametrize("name", ["SeriesDate", "AcquisitionDate", "ContentDate"])
def test_births_after_other_dates_are_warned_of(name, found):
    (warning,) = found("PatientBirthDate", "20450314", **{name: "20200314"})
    assert name in warning.rule


@pytest.mark.parametrize(
    ("age", "wrong"),
    [("030Y", False), ("029Y", False), ("031Y", False), ("045Y", True), ("003Y", True), ("030M", True), ("362M", False),
     ("", False), ("030D", True)],
)  # fmt: skip
def test_an_age_that_contradicts_birth_and_study_is_warned_of(age, wrong, found):
    warnings = found("PatientAge", age, PatientBirthDate="19900314", StudyDate="20200601")
    assert [problem.severity for problem in warnings] == (["warning"] if wrong else [])
    if wrong:
        assert "which make 030Y" in warnings[0].rule


def test_ages_of_newborns(found):
    assert not found("PatientAge", "003D", PatientBirthDate="20200601", StudyDate="20200604")
    (warning,) = found("PatientAge", "003W", PatientBirthDate="20200601", StudyDate="20200604")
    assert "make 003D" in warning.rule
    assert not found("PatientAge", "003W", PatientBirthDate="20200601", StudyDate="")
    assert not found("PatientAge", "003W", PatientBirthDate="", StudyDate="20200601")
