"""Which names are one, and which a system can't have."""

from __future__ import annotations

import pytest

from bulkdcm import names
from bulkdcm.names import fold, leads_out, not_of_windows, one_name, within


@pytest.mark.parametrize(
    "path",
    ["CON", "con.dcm", "a/Aux.x/b", "NUL .dcm", "com0.dcm", "LPT9", "lpt³.dcm", "conin$", "a:b", 'a"', "a?", "a*b/c", "<x>", "a|b", "a\x07", "a\\b", "a.", "a /b", "a. "],
)  # fmt: skip
def test_names_that_windows_can_not_have(path):
    assert "indows" in not_of_windows(path)


@pytest.mark.parametrize(
    "path",
    ["a/b.dcm", "cone.dcm", "console", "com10.dcm", "a.con", "..", "./a", "é ü.dcm", "山田/1", "nul_1.dcm", ".x"],
)
def test_names_that_it_can_have(path):
    assert not not_of_windows(path)


def test_one_file_has_one_name_where_names_are_folded():
    assert fold("A/É.DCM") == fold("a/e\u0301.dcm")
    assert one_name(folds=True)("A.dcm") == one_name(folds=True)("a.dcm")
    assert one_name(folds=False)("A.dcm") != one_name(folds=False)("a.dcm")


@pytest.mark.parametrize(
    ("folder", "path", "inside"),
    [("/a", "/a", True), ("/a", "/a/b", True), ("/a", "/ab", False), ("/", "/a", True), ("C:/", "C:/a", True), ("//s/x", "//s/xy", False)],
)  # fmt: skip
def test_what_lies_within_a_folder(folder, path, inside):
    assert within(folder, path) == inside


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("a.dcm", False),
        ("a/b..c/..d", False),
        ("..", True),
        ("../a", True),
        ("a/../../b", True),
        ("/a", True),
        ("a\0b", True),
    ],
)
def test_a_path_that_may_lead_out_of_its_folder(path, out):
    assert leads_out(path) == out


@pytest.mark.parametrize(("windows", "shown"), [(False, "'a b'"), (True, '"a b"')])
def test_a_word_of_a_command_is_quoted_as_the_system_s_shells_take_it(windows, shown, monkeypatch):
    monkeypatch.setattr(names, "_ON_WINDOWS", windows)
    assert (names.word("a b"), names.word("dicom")) == (shown, "dicom")
