"""Every rule that a cell must keep, and what becomes of one that does."""

from __future__ import annotations

import pytest

from bulkdcm.attributes import body_parts, dictionary, levels, placement, terms, values
from bulkdcm.errors import AttributeValueError

# What pydicom writes without an error, at least by default, and the Standard forbids: keyword, cell, words of the rule.
LET_THROUGH = [
    ("PatientName", "A" * 65, "64 characters"),
    ("PatientName", "A=B=C=D", "3 groups"),
    ("PatientName", "A^B^C^D^E^F", "5 components"),
    ("PatientName", "a\\b", "takes 1 value"),
    ("PatientName", "张三" * 40, "64 characters"),
    ("PatientID", "9" * 65, "64 characters"),
    ("PatientID", "a\\b", "takes 1 value"),
    ("StudyDescription", "a\nb", "control character"),
    ("StudyDescription", "x\x1by", "control character"),
    ("AccessionNumber", "9" * 17, "16 characters"),
    ("StudyID", "12345678901234567", "16 characters"),
    ("PatientSex", "m", "CS takes"),
    ("PatientSex", "MALE", "one of M, F, O"),
    ("PatientSex", "Female", "CS takes"),
    ("Modality", "ABCDEFGHIJKLMNOPQ", "16 characters"),
    ("Modality", "C-R", "CS takes"),
    ("BodyPartExamined", "chest", "CS takes"),
    ("BodyPartExamined", "left hand (dorsal)", "16 characters"),
    ("StudyDate", "2023-01-02", "YYYYMMDD"),
    ("StudyDate", "20231301", "calendar"),
    ("StudyDate", "20230230", "calendar"),
    ("StudyDate", "20230229", "calendar"),
    ("StudyDate", "01/02/2023", "YYYYMMDD"),
    ("StudyDate", "20230101-20230201", "YYYYMMDD"),
    ("StudyTime", "10:11", "HHMMSS"),
    ("StudyTime", "250000", "time of day"),
    ("StudyTime", "101112.1234567", "HHMMSS"),
    ("AcquisitionDateTime", "2023-01-01T10:00", "DT is"),
    ("AcquisitionDateTime", "20230230101112", "calendar"),
    ("AcquisitionDateTime", "20230101101112+1500", "UTC"),
    ("PatientAge", "45", "three digits"),
    ("PatientAge", "45Y", "three digits"),
    ("PatientAge", "045y", "three digits"),
    ("InstanceNumber", "1.5", "whole number"),
    ("InstanceNumber", "3000000000", "2^31"),
    ("InstanceNumber", "one", "whole number"),
    ("InstanceNumber", "2.0", "whole number"),
    ("PatientWeight", "3.14159265358979312", "16 characters"),
    ("PatientWeight", "0.3333333333333333", "16 characters"),
    ("PatientWeight", "nan", "decimal number"),
    ("PatientWeight", "70,5", "decimal number"),
    ("PatientWeight", "1e400", "too large"),
    ("PixelSpacing", "0.12345678901234568\\1", "16 characters"),
    ("PixelSpacing", "0.5", "takes 2 values"),
    ("PixelSpacing", "0\\1", "greater than zero"),
    ("StudyInstanceUID", "1.2.03", "leading zero"),
    ("StudyInstanceUID", "1." + "2" * 70, "64 characters"),
    ("StudyInstanceUID", "abc", "numbers divided by dots"),
    ("StudyInstanceUID", "2023072620001", "at least two"),
    ("StudyInstanceUID", "2.25." + "9" * 39, "128 bits"),
    ("StudyInstanceUID", "9.1.2", "first number"),
    ("ImageComments", "x" * 10241, "10240 characters"),
    ("InstitutionName", "x" * 65, "64 characters"),
    ("WindowWidth", "0", "greater than zero"),
    ("PatientSize", "1.75m", "decimal number"),
    ("LossyImageCompressionRatio", "3.88064712345678901", "16 characters"),
    ("FakeKeyword", "x", "no attribute"),
    ("ImageType", "FOO\\PRIMARY", "ORIGINAL or DERIVED"),
    ("ImageType", "ORIGINAL", "takes 2-n values"),
    ("PatientOrientation", "L\\X", "built from"),
    ("PatientOrientation", "LR\\F", "built from"),
    ("AnatomicRegionSequence", "Forearm", "value^scheme^meaning"),
    ("AnatomicRegionSequence", "1^^Forearm", "value^scheme^meaning"),
    ("RetrieveAETitle", "Ä", "ASCII"),
    ("RetrieveURL", "a b", "URI"),
    ("FrameIncrementPointer", "xyz", "hexadecimal"),
    ("RecommendedDisplayFrameRate", "1" * 11, "2^31"),
]
RIGHT = [
    ("PatientName", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    ("PatientID", "00123"),
    ("PatientID", "张" * 64),
    ("StudyDate", "20240229"),
    ("StudyTime", "235960"),
    ("StudyTime", "10"),
    ("AcquisitionDateTime", "20230101101112.123456+0100"),
    ("AcquisitionDateTime", "2023"),
    ("PatientAge", "045Y"),
    ("PatientWeight", "-1.5e-3"),
    ("ImageComments", "line\r\nline\\backslash"),
    ("StudyInstanceUID", "2.25." + str(2**128 - 1)),
    ("ImageType", "DERIVED\\SECONDARY\\OTHER"),
    ("PatientOrientation", "L\\F"),
    ("PatientOrientation", "\\"),
    ("AnatomicRegionSequence", "1^SCT^a\\2^SCT^b"),
    ("OtherPatientNames", "A^B\\C^D"),
]


@pytest.mark.parametrize(("keyword", "cell", "words"), LET_THROUGH)
def test_a_cell_that_breaks_a_rule_is_refused_with_the_rule(keyword, cell, words):
    assert words in values.broken_rule(keyword, cell)
    with pytest.raises(AttributeValueError):
        values.element(keyword, cell)


@pytest.mark.parametrize(("keyword", "cell"), RIGHT)
def test_a_right_cell_becomes_an_element(keyword, cell):
    assert values.broken_rule(keyword, cell) == ""
    assert values.element(keyword, cell).keyword == keyword


@pytest.mark.parametrize(
    ("keyword", "cell", "vr", "value"),
    [
        ("PatientID", "00123 ", "LO", "00123"),
        ("PixelSpacing", "0.10\\2", "DS", ["0.10", "2"]),
        ("Rows", "37", "US", 37),
        ("PatientID", "", "LO", None),
        ("ImageComments", "  a\\b ", "LT", "  a\\b"),
        ("FrameIncrementPointer", "00181063", "AT", 0x00181063),
        ("EncapsulatedDocument", "0A1B0C", "OB", b"\x0a\x1b\x0c\x00"),
        ("HorizontalFieldOfView", "1.5", "FL", 1.5),
    ],
)
def test_text_stays_text_and_numbers_become_what_the_vr_holds(keyword, cell, vr, value):
    element = values.element(keyword, cell)
    found = element.value
    assert vr == element.VR
    if isinstance(value, list):
        assert [str(part) for part in found] == value
    else:
        assert (found or None) == value


def test_a_code_of_more_than_16_characters_is_a_long_code_value():
    short, long = values.element("AnatomicRegionSequence", "1^SCT^a\\" + "9" * 17 + "^SCT^b").value
    assert (short.CodeValue, short.CodingSchemeDesignator, short.CodeMeaning) == ("1", "SCT", "a")
    assert long.LongCodeValue == "9" * 17
    assert "CodeValue" not in long


@pytest.mark.parametrize(
    ("name", "shown"),
    [("img_001", "img_001^"), ("A^B", "A^B"), ("", ""), ("=山田", "=山田^"), ("A =B^C", "A =B^C"), ("=", "=")],
)
def test_a_name_of_one_component_gets_its_caret(name, shown):
    assert values.person_name(name) == shown


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("PatientId", "PatientID"),
        ("patient_name", "PatientName"),
        ("Patient's Sex", "PatientSex"),
        ("(0010,0020)", "PatientID"),
        ("00100020", "PatientID"),
        ("Source", "source"),
        ("qqqqqqqq", ""),
    ],
)
def test_a_wrong_column_name_is_guessed(name, guess):
    assert dictionary.did_you_mean(name) == (f"Did you mean {guess}?" if guess else "")


@pytest.mark.parametrize(
    ("vm", "fits", "not_fits"),
    [("1", [1], [0, 2]), ("2", [2], [1, 3]), ("1-n", [1, 9], [0]), ("2-2n", [2, 4], [3, 5]), ("1-3", [1, 3], [4]), ("3-3n", [3, 6], [4])],
)  # fmt: skip
def test_multiplicities(vm, fits, not_fits):
    entry = dictionary.Entry(keyword="x", tag=0, vr="LO", vm=vm)
    assert all(map(entry.takes, fits))
    assert not any(map(entry.takes, not_fits))


def test_every_attribute_with_terms_or_a_level_is_in_the_dictionary():
    for keyword in [
        *terms.ENUMERATED,
        *terms.DEFINED,
        *levels.PATIENT,
        *levels.STUDY,
        *levels.SERIES,
        *dictionary.OWNED,
    ]:
        assert dictionary.find(keyword), keyword


def test_body_parts_know_their_code_and_whether_they_have_a_side():
    table = body_parts.table()
    assert len(table) == 317
    chest, hand = table["CHEST"], table["HAND"]
    assert (chest.code, chest.paired, chest.laterality_refused) == ("816094009", False, True)
    assert (hand.paired, hand.laterality_refused) == (True, False)


def test_places_of_attributes():
    assert placement.has_place("PatientID", "SC")
    assert placement.has_place("ViewPosition", "CR")
    assert not placement.has_place("KVP", "XC")
    assert terms.unknown_term("Modality", ["ZZ"])
    assert not terms.unknown_term("Modality", ["CR"])
